"""Runs coroutines on the event loop of a runtime whose caller is asynchronous itself."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def call_directly(action: Callable[[], Awaitable[T]]) -> T:
    """Runs a coroutine where it is called."""
    return await action()


def start_on(loop: asyncio.AbstractEventLoop | None, action: Callable[[], Awaitable[object]]) -> bool:
    """Starts a coroutine on a loop, from any thread, and does not wait for it.

    Returns:
        False if the loop does not exist or is closed.
    """
    if loop is None or loop.is_closed():
        return False

    async def run() -> None:
        await action()

    loop.call_soon_threadsafe(lambda: asyncio.ensure_future(run()))
    return True
