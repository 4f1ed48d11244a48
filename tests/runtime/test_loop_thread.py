"""The event loop on a thread: results, errors, closing under load, interruption."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar

import pytest

from codegym_mcp.errors import BlockingCallError, ClosedError
from codegym_mcp.runtime.loop_thread import LoopThread


async def serve(announce: Callable[[], None], stop: asyncio.Event) -> None:
    announce()
    await stop.wait()


@pytest.fixture
def thread() -> Iterator[LoopThread]:
    thread = LoopThread("runtime", serve)
    yield thread
    thread.close()


async def double(number: int) -> int:
    await asyncio.sleep(0)
    return 2 * number


def test_a_coroutine_returns_its_result_to_a_blocking_caller(thread: LoopThread) -> None:
    assert thread.run(lambda: double(21)) == 42


def test_nothing_is_started_before_the_first_need(thread: LoopThread) -> None:
    assert not thread.started
    thread.run(lambda: double(1))
    assert thread.started


def test_an_exception_reaches_the_caller(thread: LoopThread) -> None:
    async def fail() -> None:
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        thread.run(fail)


def test_the_coroutine_sees_the_callers_context_variables(thread: LoopThread) -> None:
    variable: ContextVar[str] = ContextVar("variable")
    variable.set("mine")

    async def read() -> str:
        return variable.get()

    assert thread.run(read) == "mine"


def test_a_blocking_call_on_its_own_thread_fails_at_once(thread: LoopThread) -> None:
    async def block() -> int:
        return thread.run(lambda: double(1))

    with pytest.raises(BlockingCallError, match=r"thread of the runtime.*codegym_mcp\.aio"):
        thread.run(block)


async def test_a_blocking_call_inside_a_running_loop_works(thread: LoopThread) -> None:
    assert thread.run(lambda: double(4)) == 8
    assert await thread.run_from_loop(lambda: double(5)) == 10


def test_closing_fails_every_call_that_waits_and_every_later_one(thread: LoopThread) -> None:
    waiting = threading.Semaphore(0)

    async def wait() -> None:
        waiting.release()
        await asyncio.Event().wait()

    with ThreadPoolExecutor(8) as callers:
        calls = [callers.submit(thread.run, wait) for _ in range(8)]
        for _ in calls:
            waiting.acquire()
        thread.close()
        for call in calls:
            with pytest.raises(ClosedError, match="The runtime is closed"):
                call.result(timeout=10)
    with pytest.raises(ClosedError):
        thread.run(lambda: double(1))


def test_closing_twice_and_from_several_threads_is_allowed(thread: LoopThread) -> None:
    thread.run(lambda: double(1))
    with ThreadPoolExecutor(4) as callers:
        for closing in [callers.submit(thread.close) for _ in range(4)]:
            closing.result(timeout=10)
    thread.close()
    assert thread.closed


def test_what_fails_at_the_start_is_raised_by_the_first_call() -> None:
    async def broken(announce: Callable[[], None], stop: asyncio.Event) -> None:
        raise OSError("no room")

    thread = LoopThread("runtime", broken)
    with pytest.raises(OSError, match="no room"):
        thread.start()
    with pytest.raises(ClosedError):
        thread.run(lambda: double(1))


def test_closing_waits_until_what_runs_has_cleaned_up(thread: LoopThread) -> None:
    cleaned = threading.Event()
    running = threading.Event()

    async def hold() -> None:
        running.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.set()

    thread.submit(hold)
    assert running.wait(10)
    thread.close()
    assert cleaned.is_set()
