"""Performs the actions of an episode one after another, each to its end."""

import asyncio
import math
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
        self._running: dict[asyncio.Task[Any], asyncio.Future[None]] = {}

    @property
    def busy(self) -> bool:
        """Whether an action is in progress or waits for its turn."""
        return bool(self._running)

    async def run(self, action: Callable[[], Awaitable[T]]) -> T:
        """Performs an action after those before it, and returns its result or raises its exception."""
        loop = asyncio.get_running_loop()
        # The action has a task of its own; a cancelled caller cancels only this future.
        ended = loop.create_future()
        running = loop.create_task(self._perform(action, ended))
        self._running[running] = ended
        running.add_done_callback(self._note_end)
        try:
            await ended
        except asyncio.CancelledError:
            if running.done() or not _is_cancelled_by_anyio():
                raise
            # anyio cancels again and again until its scope is left. Nearly every action ends undisturbed, so
            # the shield is made only now.
            with anyio.CancelScope(shield=True):
                await asyncio.wait([running])
        return running.result()

    async def _perform(self, action: Callable[[], Awaitable[T]], ended: asyncio.Future[None]) -> T:
        try:
            async with self._lock:
                return await action()
        finally:
            # The task ends with this step, so the caller need not wait for the callback.
            if not ended.done():
                ended.set_result(None)

    def _note_end(self, running: asyncio.Task[Any]) -> None:
        ended = self._running.pop(running)
        if not ended.done():
            # It was cancelled before it began.
            ended.set_result(None)
        elif not running.cancelled():
            # If the caller is gone, asyncio would log an exception that was never retrieved.
            running.exception()

    async def cancel(self) -> None:
        """Cancels the actions in progress, and waits until they have stopped."""
        running = list(self._running)
        for action in running:
            action.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _is_cancelled_by_anyio() -> bool:
    """Whether a cancel scope around this task was cancelled, not the task itself."""
    return anyio.current_effective_deadline() == -math.inf
