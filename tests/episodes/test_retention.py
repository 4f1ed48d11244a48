"""What a server keeps of episodes that have ended, in memory and in a file."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.episode_protocol import CallResult
from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_manager import EpisodeManager
from codegym_mcp.episodes.episode_outcome import EpisodeState
from codegym_mcp.episodes.events import CallEvent, EndedEvent
from codegym_mcp.episodes.journal import Journal
from codegym_mcp.episodes.retention import Retention
from codegym_mcp.errors import EventsRemovedError, NotFoundError
from codegym_mcp.sandbox.process.pool import SandboxPool
from tests.conftest import FIXTURES


@asynccontextmanager
async def served(journal: Journal, **retention: Any) -> AsyncIterator[EpisodeManager]:
    catalog = Catalog.load([FIXTURES / "counter.py"])
    async with (
        SandboxPool.open(cpu_grace=100) as pool,
        EpisodeManager.serve(catalog, pool, journal, retention=Retention(**retention)) as episodes,
    ):
        yield episodes


async def ended_episode(episodes: EpisodeManager) -> Episode:
    episode = await episodes.open_task("counter", difficulty=1)
    await episode.call("listen", {}, key="first")
    await episode.submit(episode.full_task.config["bell"])
    return episode


@pytest.mark.parametrize("limit", [{"events_count": 2}, {"events_seconds": 1000}], ids=["count", "age"])
async def test_events_leave_memory_before_verdicts(journal: Journal, limit: dict[str, Any]) -> None:
    async with served(journal, **limit) as episodes:
        first, *others = [await ended_episode(episodes) for _ in range(3)]
        if "events_seconds" in limit:
            await episodes.remove_expired(time.monotonic() + 1001)
        assert journal.record(first.id).events == []
        found = episodes.by_token(first.token)
        assert (found.state, found.reward, found.calls) == (EpisodeState.SUBMITTED, 1.0, 1)
        with pytest.raises(EventsRemovedError, match="no longer kept"):
            await found.events()
        assert (await found.call("listen", {}, key="first")).over
        assert found.task.environment == "counter"
        if "events_count" in limit:
            assert all([len(await each.events()) == 4 for each in others])


@pytest.mark.parametrize(
    "limit", [{"events_count": 1, "verdicts_count": 1}, {"events_seconds": 10, "verdicts_seconds": 1000}]
)
async def test_verdicts_leave_memory_too(journal: Journal, limit: dict[str, Any]) -> None:
    async with served(journal, **limit) as episodes:
        first, _, last = [await ended_episode(episodes) for _ in range(3)]
        if "events_seconds" in limit:
            await episodes.remove_expired(time.monotonic() + 100)
            assert episodes.by_id(first.id) is first
            await episodes.remove_expired(time.monotonic() + 1001)
            assert episodes.ended_count == 0
        else:
            assert episodes.by_id(last.id) is last
            assert episodes.ended_count == 2
        with pytest.raises(NotFoundError):
            episodes.by_id(first.id)


async def test_open_episodes_are_kept_whatever_the_retention(journal: Journal) -> None:
    async with served(
        journal, events_seconds=0, events_count=0, verdicts_seconds=0, verdicts_count=0
    ) as episodes:
        episode = await episodes.open_task("counter", difficulty=1)
        await episodes.remove_expired(time.monotonic() + 1e9)
        assert episodes.by_id(episode.id) is episode
        assert len(await episode.events()) == 1


async def test_an_episode_that_left_memory_is_read_from_the_file(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "journal.sqlite") as journal:
        async with served(journal, events_count=1) as episodes:
            first, last = [await ended_episode(episodes) for _ in range(2)]
            again = episodes.by_token(first.token)
            assert again is not first
            assert episodes.by_token(last.token) is last
            assert (again.state, again.verdict, again.calls) == (first.state, first.verdict, first.calls)
            assert [event.kind for event in await again.events()] == ["opened", "call", "submitted", "ended"]


async def test_forgotten_episodes_leave_nothing_in_memory(journal: Journal) -> None:
    async with served(journal) as episodes:
        for _ in range(5):
            episode = await episodes.open_task("counter", difficulty=1)
            await episode.close("The agent gave up.")
            episodes.forget(episode)
        assert (episodes.open_count, episodes.ended_count) == (0, 0)
        assert journal.openings(before=None, limit=10) == []


# --- a journal in a file


def event(number: int, *, at: float, ended: bool) -> CallEvent | EndedEvent:
    if ended:
        return EndedEvent(at=at, state=EpisodeState.CLOSED)
    return CallEvent(at=at, name="t", arguments={"n": number}, result=CallResult(text="x" * 2000))


async def fill(journal: Journal, count: int, *, ended: bool = True) -> None:
    for episode in range(count):
        for number in range(3):
            await journal.append(
                f"{'ended' if ended else 'open'}-{episode:03}",
                number,
                event(number, at=1000.0 + episode, ended=ended and number == 2),
            )


def prune_all(journal: Journal, **limits: Any) -> None:
    for _ in range(100):
        if not journal.prune(**{"ended_before": None, "max_bytes": None, **limits}):
            return
    pytest.fail("The journal is never pruned to its end.")


def ids(journal: Journal) -> list[str]:
    return sorted(opening.episode for opening in journal.openings(before=None, limit=1000))


async def test_episodes_that_ended_long_ago_are_deleted_from_the_file(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "journal.sqlite") as journal:
        await fill(journal, 120)
        await fill(journal, 3, ended=False)
        prune_all(journal, ended_before=1100.0)
        assert ids(journal) == [
            *(f"ended-{n:03}" for n in range(100, 120)),
            *(f"open-{n:03}" for n in range(3)),
        ]
        assert journal.record("ended-000").events == []
        prune_all(journal)
        assert len(ids(journal)) == 23


async def test_a_file_that_is_too_large_loses_its_oldest_ended_episodes_and_shrinks(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with Journal.open(path) as journal:
        await fill(journal, 200)
        await fill(journal, 3, ended=False)
        prune_all(journal, max_bytes=500_000)
        left = ids(journal)
        assert left[-3:] == ["open-000", "open-001", "open-002"]
        assert left[:-3] == [f"ended-{n:03}" for n in range(203 - len(left), 200)]
        assert 10 < len(left) < 150
    assert 100_000 < path.stat().st_size <= 500_000


async def test_a_file_with_only_open_episodes_is_not_pruned(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "journal.sqlite") as journal:
        await fill(journal, 5, ended=False)
        assert not journal.prune(ended_before=1e12, max_bytes=0)
        assert len(ids(journal)) == 5


async def test_the_file_is_pruned_while_it_is_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Journal.open(tmp_path / "journal.sqlite") as journal:
        await fill(journal, 120)
        finished = asyncio.Event()
        prune = journal.prune

        def observed(**limits: Any) -> bool:
            more = prune(**limits)
            if not more:
                finished.set()
            return more

        monkeypatch.setattr(journal, "prune", observed)
        async with served(journal, journal_seconds=3600.0), asyncio.timeout(30):
            await finished.wait()
        assert ids(journal) == []
