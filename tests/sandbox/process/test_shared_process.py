"""Episodes that share a confined process: what they share, and what they do not."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_outcome import EpisodeState
from codegym_mcp.errors import EnvironmentFaultError, LimitError, ToolError, WorkerLostError
from codegym_mcp.sandbox.confinement.confinement_layers import Layer
from codegym_mcp.sandbox.process import shared_process
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.sandbox.process.process_role_code import EnvironmentProgram
from codegym_mcp.sandbox.process.shared_process import ToolProcess
from tests.conftest import Declare, OpenEpisode

SOURCE = '''
"""Count."""
META = {"title": "Counting", "public": ["first"]}
SEEN = []
class Environment:
    def __init__(self, first: int):
        if first < 0:
            raise ValueError("there is nothing below zero")
        self.count = first
    def step(self) -> int:
        """Count one more."""
        self.count += 1
        SEEN.append(self.count)
        return self.count
    def seen(self) -> list[int]:
        """All that was counted by whoever shares this module."""
        return SEEN
    def refuse(self) -> int:
        """Refuse."""
        raise ValueError("no")
    def fail(self) -> int:
        """Fail."""
        return {}[self.count]
    def loop(self) -> int:
        """Never return."""
        while True:
            try:
                while True:
                    pass
            except Exception:
                pass
    def swell(self) -> int:
        """Take all memory."""
        return len([0] * 10 ** 11)
    def keep(self, size: int) -> int:
        """Take some memory and keep it.

        Args:
            size: how much.
        """
        SEEN.append([0] * size)
        return size
    def much(self) -> str:
        """Say more than a frame carries."""
        return "x" * 2_000_000
def reference(first: int) -> int:
    return first
def solve(tools, first):
    return first
'''
PROGRAM = EnvironmentProgram("counting.py", SOURCE)
OTHER = EnvironmentProgram("other.py", SOURCE + "\nMORE = 1\n")
LIMITS = Limits(start_seconds=60)


@pytest.fixture
async def pool() -> AsyncIterator[SandboxPool]:
    async with SandboxPool.open(isolation="shared", cpu_grace=100) as opened:
        yield opened


async def opened(
    pool: SandboxPool, first: int = 0, program: EnvironmentProgram = PROGRAM, **limits: Any
) -> ToolProcess:
    return await pool.serve(program, LIMITS.model_copy(update=limits), {"first": first})


async def call(tools: ToolProcess, name: str, **arguments: Any) -> Any:
    return await tools.call(name, arguments, seconds=60)


def processes(pool: SandboxPool) -> int:
    return len(pool._processes)


# --- one process, many episodes


async def test_episodes_of_one_environment_share_a_process_and_nothing_else(pool: SandboxPool) -> None:
    one, other = await opened(pool, 10), await opened(pool, 20)
    assert processes(pool) == 1
    assert [await call(one, "step"), await call(other, "step"), await call(one, "step")] == [11, 21, 12]
    assert await call(one, "seen") == [11, 12]
    assert await call(other, "seen") == [21]


async def test_two_environments_are_never_in_one_process(pool: SandboxPool) -> None:
    one, other = await opened(pool), await opened(pool, program=OTHER)
    assert processes(pool) == 2
    one.kill()
    assert await call(other, "step") == 1


async def test_episodes_with_another_limit_of_memory_are_in_another_process(pool: SandboxPool) -> None:
    held = [await opened(pool), await opened(pool, memory_bytes=64 << 20)]
    assert processes(pool) == 2
    assert all(tools.alive for tools in held)


async def test_a_process_takes_only_so_many(pool: SandboxPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_process, "EPISODES_PER_PROCESS", 2)
    held = [await opened(pool, first) for first in range(5)]
    assert processes(pool) == 3
    assert [await call(tools, "step") for tools in held] == [1, 2, 3, 4, 5]


async def test_episodes_opened_at_once_find_one_process(pool: SandboxPool) -> None:
    held = await asyncio.gather(*(opened(pool, first) for first in range(10)))
    assert processes(pool) == 1
    assert [await call(tools, "step") for tools in held] == list(range(1, 11))


async def test_one_alone_has_a_process_of_its_own(pool: SandboxPool) -> None:
    await opened(pool)
    alone = await pool.serve(PROGRAM, LIMITS, {"first": 5}, alone=True)
    assert processes(pool) == 2
    assert await call(alone, "step") == 6


# --- their ends


async def test_one_that_is_closed_is_gone_and_the_others_go_on(pool: SandboxPool) -> None:
    one, other = await opened(pool), await opened(pool)
    one.kill()
    one.kill()
    assert (one.alive, other.alive) == (False, True)
    with pytest.raises(EnvironmentFaultError):
        await call(one, "step")
    assert await call(other, "step") == 1


async def test_with_the_last_one_the_process_ends(pool: SandboxPool) -> None:
    held = [await opened(pool) for _ in range(3)]
    (worker,) = pool._processes
    for tools in held:
        assert worker.alive
        tools.kill()
    assert not worker.alive
    await worker.ended()
    assert await call(await opened(pool), "step") == 1


async def test_what_was_closed_leaves_no_memory_behind(pool: SandboxPool) -> None:
    held = await opened(pool, memory_bytes=64 << 20)
    # Together they would be ten times too large for the process.
    for _ in range(80):
        tools = await opened(pool, memory_bytes=64 << 20)
        await call(tools, "keep", size=1 << 20)
        tools.kill()
    assert processes(pool) == 1
    assert await call(held, "step") == 1


async def test_one_that_cannot_be_opened_leaves_the_others_alone(pool: SandboxPool) -> None:
    one = await opened(pool)
    with pytest.raises(EnvironmentFaultError, match="nothing below zero"):
        await opened(pool, -1)
    assert await call(one, "step") == 1
    one.kill()
    with pytest.raises(EnvironmentFaultError, match="nothing below zero"):
        await opened(pool, -1)
    for worker in list(pool._processes):
        await worker.ended()
    assert processes(pool) == 0


# --- what one does to the others


async def test_what_a_tool_does_wrong_stays_with_it(pool: SandboxPool) -> None:
    one, other = await opened(pool), await opened(pool)
    with pytest.raises(ToolError, match="no"):
        await call(one, "refuse")
    with pytest.raises(EnvironmentFaultError, match="KeyError"):
        await call(one, "fail")
    with pytest.raises(LimitError) as caught:
        await call(one, "much")
    assert caught.value.limit == "frame_bytes"
    assert [await call(one, "step"), await call(other, "step")] == [1, 1]


async def test_a_call_that_runs_away_ends_the_process_for_all(pool: SandboxPool) -> None:
    one, other = await opened(pool), await opened(pool)
    looping = asyncio.create_task(one.call("loop", {}, seconds=0.05))
    await asyncio.sleep(0)
    behind = asyncio.create_task(call(other, "step"))
    with pytest.raises(LimitError):
        await looping
    with pytest.raises(WorkerLostError):
        await behind
    assert (one.alive, other.alive) == (False, False)


async def test_the_result_of_a_cancelled_call_is_not_taken_for_the_next_result(pool: SandboxPool) -> None:
    one, other = await opened(pool), await opened(pool)
    asked = asyncio.create_task(call(one, "step"))
    await asyncio.sleep(0)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert (one.alive, other.alive) == (False, False)
    with pytest.raises(WorkerLostError):
        await call(other, "step")


async def test_only_the_episode_that_used_up_the_memory_is_moved(pool: SandboxPool) -> None:
    one, other = await opened(pool), await opened(pool)
    await call(other, "step")
    with pytest.raises(WorkerLostError, match="memory of a shared process"):
        await call(one, "swell")
    assert (one.alive, other.alive) == (False, True)
    assert await call(other, "step") == 2
    # Nobody is put where there is no room.
    await opened(pool)
    assert processes(pool) == 2


async def test_a_call_cancelled_before_its_turn_does_not_affect_others(pool: SandboxPool) -> None:
    one, other = await opened(pool), await opened(pool)
    first = asyncio.create_task(call(one, "step"))
    second = asyncio.create_task(call(other, "step"))
    await asyncio.sleep(0)
    second.cancel()
    assert await first == 1
    with pytest.raises(asyncio.CancelledError):
        await second
    assert [await call(one, "step"), await call(other, "step")] == [2, 1]


# --- episodes: what is lost is rebuilt


@pytest.fixture
def counting(declare: Declare) -> Environment:
    return declare(SOURCE)


async def three(open_episode: OpenEpisode, counting: Environment, **limits: Any) -> list[Episode]:
    episodes = [await open_episode(counting, {"first": first}, **limits) for first in (10, 20, 30)]
    for episode in episodes:
        await episode.call("step", {})
    return episodes


async def test_a_runaway_episode_costs_the_others_a_rebuilding_and_no_more(
    counting: Environment, open_episode: OpenEpisode, pool: SandboxPool
) -> None:
    episodes = await three(open_episode, counting)
    assert processes(pool) == 1
    runaway = await open_episode(counting, {"first": 0}, call_seconds=0.05)
    result = await runaway.call("loop", {})
    assert "The call had no effect. It took longer than 0.05 seconds." in result.text
    assert [(await episode.call("step", {})).value for episode in episodes] == [12, 22, 32]
    assert [(await episode.call("seen", {})).value for episode in episodes] == [[11, 12], [21, 22], [31, 32]]
    # From now on it harms nobody but itself.
    together = [worker for worker in pool._processes if worker.alive]
    await runaway.call("loop", {})
    assert all(worker.alive for worker in together)
    assert [(await episode.call("step", {})).value for episode in episodes] == [13, 23, 33]
    assert (await runaway.call("step", {})).value == 1
    assert [episode.state for episode in (*episodes, runaway)] == [EpisodeState.OPEN] * 4


async def test_an_episode_that_uses_up_the_memory_gets_an_error_and_its_own_process(
    counting: Environment, open_episode: OpenEpisode, pool: SandboxPool
) -> None:
    episodes = await three(open_episode, counting)
    (together,) = pool._processes
    result = await episodes[0].call("swell", {})
    assert "The call had no effect. It needed more memory than is allowed." in result.text
    assert together.alive
    assert [(await episode.call("step", {})).value for episode in episodes] == [12, 22, 32]
    assert together.alive


async def test_a_shared_process_that_is_killed_is_rebuilt_for_all(
    counting: Environment, open_episode: OpenEpisode, pool: SandboxPool
) -> None:
    episodes = await three(open_episode, counting)
    zygote = _zygote(pool)
    for pid in Path(f"/proc/{zygote}/task/{zygote}/children").read_text().split():
        os.kill(int(pid), signal.SIGKILL)
    together = await asyncio.gather(*(episode.call("step", {}) for episode in episodes))
    assert [result.value for result in together] == [12, 22, 32]


def _zygote(pool: SandboxPool) -> int:
    """The process that forks."""
    assert pool._zygote is not None
    pid = pool._zygote._process.pid
    below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    # With a pid namespace it is the first process in there.
    return int(below[0]) if pool.layers[Layer.PID_NAMESPACE].active else pid
