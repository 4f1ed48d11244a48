"""The time limit of a confined process on a busy machine, and processes that are used for several tasks."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from codegym_mcp.episode_limits import Limits
from codegym_mcp.errors import LimitError
from codegym_mcp.sandbox.process.confined_process import ConfinedProcess
from codegym_mcp.sandbox.process.forked_process import ForkedProcess
from codegym_mcp.sandbox.process.message_frames import pack
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.sandbox.process.process_messages import ComputeReference, Reply, ReplyStatus, ServeTools
from codegym_mcp.sandbox.process.process_role_code import EnvironmentProgram

SECONDS = 0.02
PROGRAM = EnvironmentProgram(
    "shelf.py",
    """
NAMES = [f"name {number}" for number in range(50)]

class Environment:
    def __init__(self, start: int):
        self.count = start

    def add(self, number: int) -> int:
        self.count += number
        return self.count

    def order(self) -> list[str]:
        return list(set(NAMES))

def reference(start: int) -> int:
    return start * 2

def solve(tools, start):
    return tools.add(number=start)
""",
)


class FakeProcess(ForkedProcess):
    """A process whose channel and CPU clock belong to the test."""

    def __init__(self, connection: socket.socket, readings: Callable[[], float]) -> None:
        super().__init__(connection, lambda pidfd: self.events.append("killed"))
        self.events: list[str] = []
        self.cpu_seconds = readings  # type: ignore[method-assign]


@asynccontextmanager
async def connected(
    cpu_grace: float, *seconds: float, reply: bytes = b""
) -> AsyncIterator[tuple[ConfinedProcess, socket.socket, list[str]]]:
    """A confined process, the other end of its channel, and what happened to it.

    Args:
        seconds: the readings of its CPU clock; the last one repeats.
        reply: sent as a frame with the last reading.
    """
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    readings = iter(seconds)

    def read_clock() -> float:
        now = next(readings, seconds[-1])
        if now == seconds[-1] and reply:
            theirs.send(pack(reply))
        return now

    with theirs:
        forked = FakeProcess(ours, read_clock)
        process = await ConfinedProcess.connect("tools", forked, cpu_grace=cpu_grace)
        yield process, theirs, forked.events
        process.kill()


FIVE, SIX = Reply(1, ReplyStatus.OK, 5), Reply(2, ReplyStatus.OK, 6)


async def test_a_process_that_had_no_processor_time_may_still_answer() -> None:
    async with connected(1000, 0, 0.001, reply=b'[1,"ok",5]') as (process, _, events):
        assert await process.receive(SECONDS) == FIVE
        assert not events


async def test_a_process_that_had_its_processor_time_is_killed() -> None:
    async with connected(1000, 3, 3 + SECONDS) as (process, _, events):
        with pytest.raises(LimitError, match=r"longer than 0\.02 seconds"):
            await process.receive(SECONDS)
        assert events == ["killed"]


async def test_cpu_grace_is_bounded() -> None:
    async with connected(2, 0) as (process, _, events):
        with pytest.raises(LimitError):
            await process.receive(SECONDS)
        assert events == ["killed"]


async def test_without_cpu_grace_only_wall_time_counts() -> None:
    async with connected(1, 0) as (process, _, events):
        with pytest.raises(LimitError):
            await process.receive(SECONDS)
        assert events == ["killed"]


async def test_processor_time_before_the_first_answer_counts_towards_it() -> None:
    async with connected(1000, SECONDS, reply=b'[0,"ok",5]') as (process, _, events):
        with pytest.raises(LimitError):
            await process.receive(SECONDS)
        assert events == ["killed"]


async def test_processor_time_of_earlier_answers_does_not_count() -> None:
    async with connected(1000, 5, 5.001, reply=b'[2,"ok",6]') as (process, theirs, events):
        theirs.send(pack(b'[1,"ok",5]'))
        assert await process.receive(5) == FIVE
        assert await process.receive(SECONDS) == SIX
        assert not events


def test_the_cpu_clock_of_a_process_shows_the_processor_time_that_it_used() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        forked = ForkedProcess(ours, lambda _: None, os.pidfd_open(os.getpid()))
        before = time.process_time()
        used = forked.cpu_seconds()
        assert used is not None
        assert before <= used <= time.process_time()
        forked.kill()


def test_the_cpu_clock_of_a_process_that_has_ended_raises() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        with subprocess.Popen([sys.executable, "-c", ""]) as process:
            forked = ForkedProcess(ours, lambda _: None, os.pidfd_open(process.pid))
        with pytest.raises(ProcessLookupError):
            forked.cpu_seconds()
        forked.kill()


async def order_under(hash_seed: int) -> list[str]:
    async with SandboxPool.open(hash_seed=hash_seed) as pool:
        worker = await pool.start(PROGRAM, ServeTools({"start": 0}), Limits())
        await worker.result(seconds=5)
        order: list[str] = await worker.call("order", {}, seconds=5)
        return order


async def test_only_the_hash_seed_decides_the_order_of_a_set_of_strings() -> None:
    first = await order_under(0)
    assert await order_under(0) == first
    assert await order_under(1) != first


async def test_tools_can_be_opened_for_another_task_in_the_same_process(pool: SandboxPool) -> None:
    worker = await pool.start(PROGRAM, ServeTools({"start": 1}), Limits())
    await worker.result(seconds=5)
    assert await worker.call("add", {"number": 2}, seconds=5) == 3
    await worker.reopen({"start": 10}, seconds=5)
    assert await worker.call("add", {"number": 2}, seconds=5) == 12


async def test_many_calls_can_be_sent_at_once(pool: SandboxPool) -> None:
    worker = await pool.start(PROGRAM, ServeTools({"start": 0}), Limits())
    await worker.result(seconds=5)
    worker.expect(20)
    numbers = [worker.send_call("add", {"number": 1}) for _ in range(20)]
    assert [await worker.result(number, seconds=5) for number in numbers] == list(range(1, 21))


async def test_a_process_accepts_another_assignment_of_its_role(pool: SandboxPool) -> None:
    worker = await pool.start(PROGRAM, ComputeReference({"start": 2}), Limits())
    assert await worker.result(seconds=5) == 4
    worker.assign_again(ComputeReference({"start": 5}))
    assert await worker.result(seconds=5) == 10
