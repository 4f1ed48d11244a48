"""Processes that have their time however busy the machine is, and that serve one task after another."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import pytest

from codegym_mcp.errors import LimitError
from codegym_mcp.limits import Limits
from codegym_mcp.sandbox.process.environment_program import EnvironmentProgram, Role
from codegym_mcp.sandbox.process.frames import pack
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.sandbox.process.worker import ConfinedProcess
from codegym_mcp.sandbox.process.zygote_client import _processor_clock

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


@asynccontextmanager
async def a_worker() -> AsyncIterator[tuple[ConfinedProcess, socket.socket, list[str]]]:
    """A worker, the end of its channel where its process would be, and what has become of that."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    fate: list[str] = []
    with theirs:
        worker = await ConfinedProcess.connect("tools", ours, lambda: fate.append("killed"))
        yield worker, theirs, fate
        worker.kill()


def clock(*seconds: float, then: Callable[[], object] = lambda: None) -> Callable[[], float]:
    """A clock that shows one time after another, the last one for ever; with that, something happens."""
    times: Iterator[float] = iter(seconds)
    last = seconds[-1]

    def read() -> float:
        now = next(times, last)
        if now == last:
            then()
        return now

    return read


async def test_a_process_that_had_no_processor_time_may_still_answer() -> None:
    async with a_worker() as (worker, theirs, fate):
        worker.be_patient(1000, clock(0, 0.001, then=lambda: theirs.send(pack(b'[1,"ok",5]'))))
        assert await worker.receive(SECONDS) == [1, "ok", 5]
        assert not fate


async def test_a_process_that_had_its_processor_time_is_ended() -> None:
    async with a_worker() as (worker, _, fate):
        worker.be_patient(1000, clock(3, 3 + SECONDS))
        with pytest.raises(LimitError, match=r"longer than 0\.02 seconds"):
            await worker.receive(SECONDS)
        assert fate == ["killed"]


async def test_patience_has_an_end() -> None:
    async with a_worker() as (worker, _, fate):
        worker.be_patient(2, clock(0))
        with pytest.raises(LimitError):
            await worker.receive(SECONDS)
        assert fate == ["killed"]


async def test_without_patience_the_clock_on_the_wall_counts() -> None:
    async with a_worker() as (worker, _, fate):
        worker.be_patient(1, clock(0))
        with pytest.raises(LimitError):
            await worker.receive(SECONDS)
        assert fate == ["killed"]


async def test_all_that_a_process_used_before_its_first_answer_was_for_that() -> None:
    async with a_worker() as (worker, theirs, fate):
        worker.be_patient(1000, clock(SECONDS, SECONDS, then=lambda: theirs.send(pack(b'[0,"ok",5]'))))
        with pytest.raises(LimitError):
            await worker.receive(SECONDS)
        assert fate == ["killed"]


async def test_what_a_process_used_for_earlier_answers_is_not_held_against_it() -> None:
    async with a_worker() as (worker, theirs, fate):
        worker.be_patient(1000, clock(5, 5.001, then=lambda: theirs.send(pack(b'[2,"ok",6]'))))
        theirs.send(pack(b'[1,"ok",5]'))
        assert await worker.receive(5) == [1, "ok", 5]
        assert await worker.receive(SECONDS) == [2, "ok", 6]
        assert not fate


def test_the_clock_of_a_process_shows_the_processor_time_that_it_used() -> None:
    pidfd = os.pidfd_open(os.getpid())
    try:
        used = _processor_clock(pidfd)
        assert used is not None
        before = time.process_time()
        assert before <= used() <= time.process_time()
    finally:
        os.close(pidfd)


def test_the_clock_of_a_process_that_has_ended_shows_nothing() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pidfd = os.pidfd_open(process.pid)
    try:
        used = _processor_clock(pidfd)
        assert used is not None
        with pytest.raises(ProcessLookupError):
            used()
    finally:
        os.close(pidfd)


async def order_under(hash_seed: int) -> list[str]:
    async with SandboxPool.open(hash_seed=hash_seed) as pool:
        worker = await pool.start(PROGRAM, Role.TOOLS, Limits(), config={"start": 0})
        worker.outcome(await worker.receive(5))
        order: list[str] = await worker.call("order", {}, seconds=5)
        return order


async def test_the_hash_seed_and_nothing_else_decides_the_order_of_a_set() -> None:
    first = await order_under(0)
    assert await order_under(0) == first
    assert await order_under(1) != first


async def test_tools_can_be_opened_for_another_task_in_the_same_process(pool: SandboxPool) -> None:
    worker = await pool.start(PROGRAM, Role.TOOLS, Limits(), config={"start": 1})
    worker.outcome(await worker.receive(5))
    assert await worker.call("add", {"number": 2}, seconds=5) == 3
    await worker.reopen({"start": 10}, seconds=5)
    assert await worker.call("add", {"number": 2}, seconds=5) == 12


async def test_calls_can_be_asked_for_all_at_once(pool: SandboxPool) -> None:
    worker = await pool.start(PROGRAM, Role.TOOLS, Limits(), config={"start": 0})
    worker.outcome(await worker.receive(5))
    worker.expect(20)
    numbers = [worker.request("add", {"number": 1}) for _ in range(20)]
    assert [worker.outcome(await worker.receive(5), number) for number in numbers] == list(range(1, 21))


async def test_a_role_can_be_played_again_for_another_task(pool: SandboxPool) -> None:
    worker = await pool.start(PROGRAM, Role.REFERENCE, Limits(), config={"start": 2})
    assert worker.outcome(await worker.receive(5)) == 4
    worker.send(b'{"config": {"start": 5}}')
    assert worker.outcome(await worker.receive(5)) == 10
