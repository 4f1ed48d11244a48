"""What the server tells an agent besides the environment's own words."""

from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_manager import EpisodeManager


def instructions(episode: Episode, *, submission: str | None = None) -> str:
    """The task and the rules of the episode.

    Args:
        submission: the tool that submits the answer, where it is not the episode's own.
    """
    calls = episode.settings.limits.calls
    tool = submission or episode.submission.name
    return (
        f"{episode.task.text}\n\n"
        f"Work with the tools; you may make at most {calls} calls. When you know the answer, submit it with "
        f"`{tool}`. The first valid submission is final and ends the episode."
    )


def gateway_instructions(episodes: EpisodeManager) -> str:
    """How to use the gateway."""
    return (
        f"This server holds {len(episodes.catalog.names)} tool-use environments. Call `list_environments`, "
        "then `start_episode`: it returns the task, the tools of the episode, and its handle. Use the tools "
        "through `call_tool`, always with the handle, and submit the answer with `submit_answer`. The first "
        "valid submission is final and ends the episode."
    )
