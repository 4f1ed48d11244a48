"""Performs the actions of an episode one after another, each to its end."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import anyio

T = TypeVar("T")


class ActionQueue:
    """Performs actions one after another, in the order in which they arrive.

    An action is completed even if its caller is cancelled: a call and its record belong together.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._running: set[asyncio.Future[Any]] = set()

    @property
    def busy(self) -> bool:
        """Whether an action is in progress or waits for its turn."""
        return bool(self._running)

    async def run(self, action: Callable[[], Awaitable[T]]) -> T:
        """Performs an action after those before it, and returns its result or raises its exception."""

        async def perform() -> T:
            async with self._lock:
                return await action()

        running = asyncio.ensure_future(perform())
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        # The scope shields against cancellation by anyio, asyncio.shield against cancellation by asyncio.
        with anyio.CancelScope(shield=True):
            await asyncio.shield(running)
        return running.result()

    async def cancel(self) -> None:
        """Cancels the actions in progress, and waits until they have stopped."""
        running = list(self._running)
        for action in running:
            action.cancel()
        await asyncio.gather(*running, return_exceptions=True)
