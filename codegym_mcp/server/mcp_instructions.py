"""The texts with which the server instructs an agent, besides the task itself."""

from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_manager import EpisodeManager


def instructions(episode: Episode, *, submission: str | None = None) -> str:
    """Returns the task and the rules of an episode.

    Args:
        submission: the name of the tool that submits the answer; the episode's own without it.
    """
    calls = episode.settings.limits.calls
    tool = submission or episode.submission.name
    end = (
        f"When you know the answer, submit it with `{tool}`. The first valid submission is final and ends "
        "the episode."
        if episode.environment.takes_answer
        else f"When the work is finished, call `{tool}`. It takes no answer and ends the episode."
    )
    return f"{episode.task.text}\n\nWork with the tools; you may make at most {calls} calls. {end}"


def gateway_instructions(episodes: EpisodeManager) -> str:
    """Returns how to use the gateway."""
    return (
        f"This server holds {len(episodes.catalog)} tool-use environments. Call `list_environments`, "
        "then `start_episode`: it returns the handle of the episode, its task and its tools. Use the tools "
        "through `call_tool`, always with the handle, and submit the answer with `submit_answer`. The first "
        "valid submission is final and ends the episode."
    )
