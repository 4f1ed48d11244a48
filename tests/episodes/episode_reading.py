"""Reads what tests need to know of an episode and its journal."""

from codegym_mcp.episode_protocol import CallResult
from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.events import CallEvent, EndedEvent
from codegym_mcp.episodes.journal import Journal
from codegym_mcp.sandbox.process.pool import SandboxPool


async def count(episode: Episode) -> int:
    """Counts one more, and returns how many there were before."""
    result = await episode.call("step", {})
    assert not result.is_error, result.text
    return int(result.value) - 1


def kept(journal: Journal, episode: Episode) -> list[tuple[str, str]]:
    """Returns the kind of each event of an episode, with the status of a call and the state of an end."""
    return [
        (event.kind, str(getattr(event, "status", getattr(event, "state", ""))))
        for event in journal.events(episode.id)
    ]


def last_call(journal: Journal, episode: Episode) -> CallEvent:
    event = journal.events(episode.id)[-1]
    assert isinstance(event, CallEvent)
    return event


def ending(journal: Journal, episode: Episode) -> EndedEvent:
    event = journal.events(episode.id)[-1]
    assert isinstance(event, EndedEvent)
    return event


def everything(result: CallResult) -> str:
    return result.model_dump_json()


def successor(episode: Episode, pool: SandboxPool, journal: Journal) -> Episode:
    """Returns the same episode in a server that has just started."""
    return Episode(
        pool=pool,
        journal=journal,
        environment=episode.environment,
        task=episode.full_task,
        settings=episode.settings,
        id=episode.id,
        token=episode.token,
    )
