import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.environment_definition.environment import Environment, Task
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episodes.episode_manager import EpisodeManager
from codegym_mcp.episodes.episode_outcome import EpisodeOutcome, EpisodeState
from codegym_mcp.episodes.episode_settings import EpisodeSettings
from codegym_mcp.episodes.events import EndedEvent, SubmittedEvent
from codegym_mcp.episodes.journal import Journal
from codegym_mcp.errors import (
    EnvironmentFaultError,
    LimitError,
    NotFoundError,
    TaskError,
)
from codegym_mcp.sandbox.process.pool import SandboxPool
from tests.conftest import FIXTURES

SETTINGS = EpisodeSettings()
COUNTER = (FIXTURES / "counter.py").read_text()


def task(bell: int = 3) -> Task:
    return Task(id=f"bell-{bell}", config={"start": 1, "bell": bell})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "counter.py").write_text(COUNTER)
    return tmp_path


@pytest.fixture
async def episodes(folder: Path, pool: SandboxPool, journal: Journal) -> AsyncIterator[EpisodeManager]:
    async with EpisodeManager.serve(Catalog.load([folder]), pool, journal, open_limit=3) as served:
        yield served


async def opened(episodes: EpisodeManager, bell: int = 3, **limits: Any) -> Any:
    settings = EpisodeSettings(limits=Limits(**limits))
    return await episodes.open(episodes.catalog.get("counter"), task(bell), settings)


# --- opening and finding


async def test_an_episode_is_found_by_id_and_by_token_before_and_after_its_end(
    episodes: EpisodeManager,
) -> None:
    episode = await opened(episodes)
    assert episodes.by_id(episode.id) is episode
    assert episodes.by_token(episode.token) is episode
    assert episodes.open_count == 1
    await episode.submit(3)
    assert episodes.by_id(episode.id) is episode
    assert episodes.by_token(episode.token) is episode
    assert episodes.open_count == 0


async def test_an_id_is_not_a_token_and_a_token_is_not_an_id(episodes: EpisodeManager) -> None:
    episode = await opened(episodes)
    with pytest.raises(NotFoundError):
        episodes.by_token(episode.id)
    with pytest.raises(NotFoundError):
        episodes.by_id(episode.token)


async def test_an_unknown_token_is_not_repeated(episodes: EpisodeManager) -> None:
    with pytest.raises(NotFoundError) as caught:
        episodes.by_token("zq93")
    assert "zq93" not in str(caught.value)
    with pytest.raises(NotFoundError, match="'zq93'"):
        episodes.by_id("zq93")


async def test_the_number_of_open_episodes_is_limited(episodes: EpisodeManager) -> None:
    held = [await opened(episodes) for _ in range(3)]
    with pytest.raises(LimitError) as caught:
        await opened(episodes)
    assert (caught.value.limit, caught.value.value) == ("open_episodes", 3)
    await held[0].close("Enough.")
    await opened(episodes)


async def test_episodes_that_are_opened_concurrently_respect_the_limit(episodes: EpisodeManager) -> None:
    refused = []

    async def open_one() -> None:
        try:
            await opened(episodes)
        except LimitError as error:
            refused.append(error)

    async with anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(open_one)
    assert (episodes.open_count, len(refused)) == (3, 5)


async def test_an_episode_that_cannot_be_opened_does_not_stay_open(
    episodes: EpisodeManager, declare: Any
) -> None:
    broken = declare(COUNTER.replace("self.bell = bell", "self.bell = {}[bell]"))
    for _ in range(5):
        with pytest.raises(EnvironmentFaultError):
            await episodes.open(broken, task(), SETTINGS)
    assert episodes.open_count == 0


async def test_a_forgotten_episode_is_not_found(episodes: EpisodeManager) -> None:
    episode = await opened(episodes)
    await episode.close("over")
    assert episodes.by_id(episode.id) is episode
    episodes.forget(episode)
    with pytest.raises(NotFoundError):
        episodes.by_id(episode.id)


async def test_episodes_that_are_open_when_the_server_stops_are_abandoned_without_a_journal_in_a_file(
    folder: Path, pool: SandboxPool, journal: Journal
) -> None:
    async with EpisodeManager.serve(Catalog.load([folder]), pool, journal) as episodes:
        episode = await opened(episodes)
    assert (episode.state, episode.outcome, episode.reward) == (
        EpisodeState.ABANDONED,
        EpisodeOutcome.ABANDONED,
        None,
    )


async def test_episodes_are_opened_by_the_names_of_their_environment_and_task(
    episodes: EpisodeManager, counter: Environment
) -> None:
    generated = await episodes.open_task("counter", difficulty=2, seed=7)
    assert generated.full_task.id == "d2-s7"
    given = await episodes.open_task(counter, task=task(4), settings=EpisodeSettings(reveal=True))
    assert (given.full_task, given.settings.reveal) == (task(4), True)
    with pytest.raises(NotFoundError, match=r"Did you mean counter\?"):
        await episodes.open_task("countr")
    with pytest.raises(TaskError):
        await episodes.open_task(counter, task=Task(id="odd", config={"start": 1}))


# --- expiry


async def test_an_idle_episode_expires_and_a_used_one_does_not(episodes: EpisodeManager) -> None:
    idle = await opened(episodes, idle_seconds=100)
    used = await opened(episodes, idle_seconds=1000)
    await episodes.expire_idle(time.monotonic())
    assert (idle.state, used.state) == (EpisodeState.OPEN, EpisodeState.OPEN)
    await episodes.expire_idle(time.monotonic() + 101)
    assert (idle.state, used.state) == (EpisodeState.EXPIRED, EpisodeState.OPEN)
    assert idle.reason == "No call was made for 100 seconds."
    assert "expired" in (await idle.call("listen", {})).text
    assert episodes.open_count == 1


async def test_an_episode_is_not_idle_during_a_call(episodes: EpisodeManager, declare: Any) -> None:
    slow = declare(
        COUNTER.replace("self.floor += floors\n", "self.floor += floors\n        while True: pass\n")
    )
    settings = EpisodeSettings(limits=Limits(idle_seconds=0.001, call_seconds=0.2))
    episode = await episodes.open(slow, task(), settings)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(episode.call, "move", {"floors": 1})
        await anyio.lowlevel.checkpoint()
        await episodes.expire_idle(time.monotonic() + 3600)
        assert episode.state is EpisodeState.OPEN
    await episodes.expire_idle(time.monotonic() + 3600)
    assert episode.state is EpisodeState.EXPIRED


async def test_every_idle_episode_expires_even_if_the_journal_fails(
    folder: Path, pool: SandboxPool, tmp_path: Path
) -> None:
    with Journal.open(tmp_path / "journal.sqlite") as journal:
        async with EpisodeManager.serve(Catalog.load([folder]), pool, journal) as episodes:
            both = [await opened(episodes, idle_seconds=1) for _ in range(2)]
            journal._connection.execute("PRAGMA query_only = ON")
            await episodes.expire_idle(time.monotonic() + 10)
            assert [episode.state for episode in both] == [EpisodeState.EXPIRED] * 2
            assert episodes.open_count == 0


# --- continuing in another server


@asynccontextmanager
async def served(path: Path, folder: Path) -> AsyncIterator[EpisodeManager]:
    async with SandboxPool.open(cpu_grace=100) as pool:
        with Journal.open(path) as journal:
            async with EpisodeManager.serve(Catalog.load([folder]), pool, journal) as episodes:
                yield episodes


async def test_open_episodes_continue_in_the_next_server(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    async with served(path, folder) as episodes:
        episode = await opened(episodes, calls=5)
        await episode.call("move", {"floors": 1})
        await episode.call("move", {"floors": 11})
    async with served(path, folder) as episodes:
        again = episodes.by_token(episode.token)
        assert again is not episode
        assert episodes.by_id(episode.id) is again
        assert (again.state, again.calls, again.settings) == (EpisodeState.OPEN, 2, episode.settings)
        assert again.task == episode.task
        assert (await again.call("listen", {})).structured == {"floor": 2, "sound": "above"}
    async with served(path, folder) as episodes:
        last = episodes.by_token(episode.token)
        assert (await last.call("move", {"floors": 1})).value == 3
        await last.submit(3)
        assert last.verdict is not None
        assert last.verdict.correct
    async with served(path, folder) as episodes:
        assert episodes.open_count == 0
        ended = episodes.by_id(episode.id)
        assert (ended.state, ended.calls, ended.verdict) == (EpisodeState.SUBMITTED, 4, last.verdict)
        assert (await ended.call("listen", {})).over


async def test_a_submission_without_a_recorded_end_is_judged_by_the_next_server(
    folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "journal.sqlite"
    async with served(path, folder) as episodes:
        episode = await opened(episodes)
    with Journal.open(path) as journal:
        await journal.append(episode.id, 1, SubmittedEvent(arguments={"answer": 3}))
    async with served(path, folder) as episodes:
        assert episodes.open_count == 0
        again = episodes.by_id(episode.id)
        assert again.state is EpisodeState.SUBMITTED
        assert again.verdict is not None
        assert again.verdict.correct
        assert (await again.submit(4)).is_error
        kinds = [event.kind for event in await again.events()]
        assert kinds == ["opened", "submitted", "ended"]


async def test_an_environment_that_changed_fails_its_open_episodes_and_no_others(
    folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "journal.sqlite"
    (folder / "other.py").write_text(COUNTER)
    (folder / "gone.py").write_text(COUNTER)
    (folder / "broken.py").write_text(COUNTER)
    async with served(path, folder) as episodes:
        by_name = {
            name: await episodes.open(episodes.catalog.get(name), task(), SETTINGS)
            for name in ("counter", "other", "gone", "broken")
        }
    (folder / "other.py").write_text(COUNTER + "\nMORE = 1\n")
    (folder / "gone.py").unlink()
    (folder / "broken.py").write_text("garbage(")
    async with served(path, folder) as episodes:
        assert episodes.open_count == 1
        assert (await episodes.by_token(by_name["counter"].token).call("listen", {})).structured
        changed = episodes.by_id(by_name["other"].id)
        assert (changed.state, changed.verdict) == (EpisodeState.FAILED, None)
        assert changed.reason == "other has changed since the episode was opened."
        assert (await episodes.by_token(by_name["other"].token).call("listen", {})).over
        for name in ("gone", "broken"):
            with pytest.raises(NotFoundError):
                episodes.by_token(by_name[name].token)
    with Journal.open(path) as journal:
        ends = {name: journal.events(by_name[name].id)[-1] for name in ("gone", "broken")}
    reasons = {name: event.reason for name, event in ends.items() if isinstance(event, EndedEvent)}
    assert "There is no environment named 'gone'" in reasons["gone"]
    assert "broken.py:1: not valid Python" in reasons["broken"]


async def test_an_exception_while_episodes_are_served_is_raised_as_it_is(
    folder: Path, pool: SandboxPool, journal: Journal
) -> None:
    with pytest.raises(NotFoundError):
        async with EpisodeManager.serve(Catalog.load([folder]), pool, journal) as episodes:
            episodes.catalog.get("nobody")
