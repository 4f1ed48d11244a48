"""Turns a coroutine that reports results through a callback into an asynchronous iterator."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


async def stream_results(
    produce: Callable[[Callable[[T], object]], Coroutine[Any, Any, None]],
) -> AsyncGenerator[T, None]:
    """Runs a producer in a task of its own and yields each result as soon as it is reported.

    Closing the iterator early cancels the producer and waits for it. The producer has its own task, so that
    no cancel scope is open across a `yield`.

    Args:
        produce: called with the function that reports a result.

    Raises:
        Exception: whatever the producer raised, after the results that it had reported.
    """
    results: asyncio.Queue[tuple[T] | None] = asyncio.Queue()

    async def run() -> None:
        try:
            await produce(lambda result: results.put_nowait((result,)))
        finally:
            results.put_nowait(None)

    task = asyncio.create_task(run())
    try:
        while (item := await results.get()) is not None:
            yield item[0]
        await task
    finally:
        if not task.done():
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
