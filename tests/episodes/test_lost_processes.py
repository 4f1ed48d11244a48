"""Processes that are lost between calls and during a call."""

import os
import signal
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.episode_protocol import CallResult
from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_outcome import EpisodeState
from codegym_mcp.episodes.events import CallEvent
from codegym_mcp.episodes.journal import Journal
from codegym_mcp.episodes.lost_process_replay import ReplayableEnvironment
from codegym_mcp.errors import SandboxError
from codegym_mcp.sandbox.process.pool import SandboxPool
from tests.conftest import Declare, OpenEpisode
from tests.episodes.episode_reading import count, kept, successor
from tests.episodes.troubled_environment import SECRET, broken


def descendants(pid: int) -> set[int]:
    found = set()
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        if Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
            found |= {int(child)} | descendants(int(child))
    return found


def kill_processes(pool: SandboxPool) -> None:
    """Kills, as the system might, the processes at the end of a pool's line: those that run environments."""
    assert pool._zygote is not None
    killed = [pid for pid in descendants(pool._zygote._process.pid) if not descendants(pid)]
    assert killed
    for pid in killed:
        os.kill(pid, signal.SIGKILL)


async def test_a_process_killed_between_calls_is_rebuilt_with_the_same_state(
    episode: Episode, pool: SandboxPool
) -> None:
    for turn in range(5):
        assert await count(episode) == turn * 2
        assert (await episode.call("refuse", {})).text == f"count is {turn * 2 + 2}"
        kill_processes(pool)
    assert await count(episode) == 10
    assert episode.state is EpisodeState.OPEN


MOVES: list[tuple[str, dict[str, Any]]] = [
    ("step", {}),
    ("refuse", {}),
    ("crash", {}),
    ("guess", {"word": "a"}),
    ("chatter", {"length": 3}),
]
NO_MOVES: list[tuple[str, dict[str, Any]]] = [
    ("chatter", {"length": 800}),
    ("step", {"more": 1}),
    ("nothing", {}),
    ("suspend", {}),
]


@given(st.lists(st.sampled_from(MOVES + NO_MOVES), max_size=12))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_the_state_is_that_of_the_calls_that_had_an_effect_whatever_was_lost_or_refused(
    trouble: Environment, open_episode: OpenEpisode, calls: list[tuple[str, dict[str, Any]]]
) -> None:
    episode = await open_episode(trouble, {"label": "a", "secret": SECRET}, result_bytes=1000)
    made = 0
    for name, arguments in calls:
        if name == "suspend":
            episode.suspend()
            continue
        result = await episode.call(name, arguments)
        assert not result.over
        made += (name, arguments) in MOVES
        if name == "refuse":
            assert result.text == f"count is {made}"
    assert await count(episode) == made


async def test_a_process_killed_during_a_call_is_rebuilt_and_the_call_made_once(
    declare: Declare, open_episode: OpenEpisode, pool: SandboxPool
) -> None:
    slow = declare(
        broken("self.x = 0", more="for _ in range(10 ** 6): pass\n        self.x += 1\n        return self.x")
    )
    episode = await open_episode(slow, {"x": 3}, call_seconds=60)
    assert (await episode.call("look", {})).value == 1
    results: list[CallResult] = []

    async def look() -> None:
        results.append(await episode.call("look", {}))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(look)
        await anyio.lowlevel.checkpoint()
        await anyio.lowlevel.checkpoint()
        kill_processes(pool)
    assert [result.value for result in results] == [2]
    assert (await episode.call("look", {})).value == 3


async def test_a_call_that_ends_its_process_every_time_fails_the_episode(
    declare: Declare, open_episode: OpenEpisode, monkeypatch: pytest.MonkeyPatch
) -> None:
    episode = await open_episode(declare(broken(more="return 1")), {"x": 3})
    original = ReplayableEnvironment._ready

    async def doomed(runner: Any) -> Any:
        worker = await original(runner)
        worker.kill()
        return worker

    # Nothing that an environment may write is known to end its process, so the test does it.
    monkeypatch.setattr(ReplayableEnvironment, "_ready", doomed)
    result = await episode.call("look", {})
    assert result.over
    assert episode.state is EpisodeState.FAILED
    assert "process" in episode.reason


async def test_a_replay_with_another_outcome_fails_the_episode(
    episode: Episode, journal: Journal, pool: SandboxPool
) -> None:
    await count(episode)
    await count(episode)
    events = journal.events(episode.id)
    assert isinstance(events[1], CallEvent)
    events[1] = events[1].model_copy(update={"digest": "0" * 32})
    again = successor(episode, pool, journal)
    await again.resume(events)
    result = await again.call("step", {})
    assert result.over
    assert again.state is EpisodeState.FAILED
    assert "The replay of step had another outcome than the call" in again.reason
    assert kept(journal, episode)[-2:] == [("call", "failed"), ("ended", "failed")]


async def test_a_zygote_that_ends_while_it_starts_is_started_again(
    episode: Episode, pool: SandboxPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await count(episode) == 0
    start = pool._start_zygote
    failures = iter([SandboxError("The zygote did not start: it ended.")] * 2)

    async def start_late() -> Any:
        for failure in failures:
            raise failure
        return await start()

    monkeypatch.setattr(pool, "_start_zygote", start_late)
    assert pool.zygote_pid is not None
    os.kill(pool.zygote_pid, signal.SIGKILL)
    episode.suspend()
    assert await count(episode) == 1
    assert next(failures, None) is None
