"""A journal that fails, and episodes that resume from it."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from codegym_mcp.environment_definition.environment import Environment, Task
from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_outcome import EpisodeState
from codegym_mcp.episodes.episode_settings import EpisodeSettings
from codegym_mcp.episodes.journal import Journal
from codegym_mcp.errors import (
    JournalError,
)
from codegym_mcp.sandbox.process.pool import SandboxPool
from tests.conftest import OpenEpisode
from tests.episodes.episode_reading import count, kept, successor


class Full:
    """A journal on a disk that can be full."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fill(self, condition: str = "1") -> None:
        self._execute(
            f"CREATE TRIGGER full BEFORE INSERT ON events WHEN {condition} "
            "BEGIN SELECT RAISE(ABORT, 'disk full'); END"
        )

    def free(self) -> None:
        self._execute("DROP TRIGGER full")

    def _execute(self, statement: str) -> None:
        connection = sqlite3.connect(self.path)
        connection.execute(statement)
        connection.commit()
        connection.close()


@pytest.fixture
def disk(tmp_path: Path) -> Full:
    return Full(tmp_path / "journal.sqlite")


@pytest.fixture
def journal(disk: Full) -> Iterator[Journal]:
    with Journal.open(disk.path) as opened:
        yield opened


async def test_a_call_that_cannot_be_recorded_was_not_made(episode: Episode, disk: Full) -> None:
    await count(episode)
    disk.fill()
    for name in ("step", "no such tool"):
        with pytest.raises(JournalError):
            await episode.call(name, {})
    assert (episode.state, episode.calls) == (EpisodeState.OPEN, 1)
    disk.free()
    assert await count(episode) == 1
    assert episode.calls == 2


async def test_a_submission_that_cannot_be_recorded_was_not_made(
    counter: Environment, open_episode: OpenEpisode, disk: Full
) -> None:
    episode = await open_episode(counter, {"start": 1, "bell": 3})
    disk.fill()
    with pytest.raises(JournalError):
        await episode.submit(4)
    assert (episode.state, episode.verdict) == (EpisodeState.OPEN, None)
    disk.free()
    await episode.submit(3)
    assert episode.verdict is not None
    assert episode.verdict.correct


async def test_a_submission_whose_end_cannot_be_recorded_is_final(
    counter: Environment, open_episode: OpenEpisode, disk: Full
) -> None:
    episode = await open_episode(counter, {"start": 1, "bell": 3})
    disk.fill("new.kind = 'ended'")
    assert (await episode.submit(4)).over
    disk.free()
    assert (await episode.submit(3)).is_error
    assert episode.state is EpisodeState.SUBMITTED
    assert episode.verdict is not None
    assert not episode.verdict.correct


async def test_an_opening_that_cannot_be_recorded_fails_the_episode(
    counter: Environment, open_episode: OpenEpisode, journal: Journal, pool: SandboxPool, disk: Full
) -> None:
    disk.fill()
    episode = Episode(
        pool=pool,
        journal=journal,
        environment=counter,
        task=Task(id="task", config={"start": 1, "bell": 3}),
        settings=EpisodeSettings(),
    )
    with pytest.raises(JournalError):
        await episode.open()
    assert episode.state is EpisodeState.FAILED
    assert (await episode.call("listen", {})).over


async def test_an_episode_is_recalled_from_its_events(
    counter: Environment, open_episode: OpenEpisode, journal: Journal, pool: SandboxPool
) -> None:
    episode = await open_episode(counter, {"start": 1, "bell": 3})
    await episode.call("move", {"floors": 1})
    await episode.call("move", {"floors": 11})
    await episode.call("no such tool", {})
    again = successor(episode, pool, journal)
    await again.resume(journal.events(episode.id))
    assert (again.state, again.calls) == (EpisodeState.OPEN, 3)
    assert (await again.call("listen", {})).structured == {"floor": 2, "sound": "above"}
    await again.submit(3)
    last = successor(episode, pool, journal)
    await last.resume(journal.events(episode.id))
    assert (last.state, last.calls, last.verdict) == (again.state, again.calls, again.verdict)
    assert (await last.call("listen", {})).over


async def test_an_episode_whose_submission_was_recorded_but_not_its_end_is_ended_when_it_resumes(
    counter: Environment, open_episode: OpenEpisode, journal: Journal, pool: SandboxPool, disk: Full
) -> None:
    episode = await open_episode(counter, {"start": 1, "bell": 3})
    disk.fill("new.kind = 'ended'")
    await episode.submit(3)
    disk.free()
    again = successor(episode, pool, journal)
    await again.resume(journal.events(episode.id))
    assert (again.state, again.verdict) == (EpisodeState.SUBMITTED, episode.verdict)
    assert kept(journal, episode)[-1] == ("ended", "submitted")


async def test_an_episode_whose_failed_call_was_recorded_but_not_its_end_is_ended_when_it_resumes(
    episode: Episode, journal: Journal, pool: SandboxPool, disk: Full
) -> None:
    disk.fill("new.kind = 'ended'")
    await episode.call("wrong_type", {})
    disk.free()
    again = successor(episode, pool, journal)
    await again.resume(journal.events(episode.id))
    assert (again.state, again.reason) == (EpisodeState.FAILED, episode.reason)
