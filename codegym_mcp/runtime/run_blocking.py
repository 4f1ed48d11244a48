"""Runs one coroutine, or one asynchronous iterator, for a caller that blocks."""

import asyncio
import queue
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TypeVar

from codegym_mcp.runtime.loop_thread import LoopThread
from codegym_mcp.runtime.process_lifetime import register

T = TypeVar("T")
_STOP_SECONDS = 60.0
"""Longest time in seconds that an interrupted coroutine has to end its processes and to write its files."""


async def _serve(announce: Callable[[], None], stop: asyncio.Event) -> None:
    announce()
    await stop.wait()


def run_blocking(name: str, action: Callable[[], Awaitable[T]]) -> T:
    """Runs a coroutine on a thread of its own, so that it works inside a running event loop too.

    An exception that interrupts the waiting, for example KeyboardInterrupt, cancels the coroutine; it is
    raised after the coroutine has ended.

    Args:
        name: names the thread.

    Raises:
        Exception: what the coroutine raised.
    """
    thread = LoopThread(name, _serve)
    register(thread)
    try:
        return thread.run(action)
    finally:
        thread.close(_STOP_SECONDS)


def iterate_blocking(name: str, results: Callable[[], AsyncIterator[T]]) -> Iterator[T]:
    """Yields what an asynchronous iterator yields. Leaving the loop early cancels it.

    Raises:
        Exception: what the iterator raised.
    """
    received: queue.SimpleQueue[tuple[T] | None] = queue.SimpleQueue()

    async def produce() -> None:
        try:
            async for result in results():
                received.put((result,))
        finally:
            received.put(None)

    thread = LoopThread(name, _serve)
    register(thread)
    try:
        future = thread.submit(produce)
        while (item := received.get()) is not None:
            yield item[0]
        future.result()
    finally:
        thread.close(_STOP_SECONDS)
