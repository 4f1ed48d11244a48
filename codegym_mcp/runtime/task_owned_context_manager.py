"""Keeps an asynchronous context manager open from one call to a later one."""

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import Generic, TypeVar

T = TypeVar("T")


class HeldContext(Generic[T]):
    """A context manager that is entered and left by one task of its own.

    Cancel scopes must be left by the task that entered them, while the functions that open and close
    something may be called by different tasks.
    """

    def __init__(self, context: AbstractAsyncContextManager[T]) -> None:
        self._context = context
        self._leave = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def enter(self) -> T:
        """Enters the context; returns its value.

        Raises:
            Exception: what entering raised.
        """
        entered: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._task = asyncio.ensure_future(self._hold(entered))
        try:
            return await asyncio.shield(entered)
        except asyncio.CancelledError:
            self._leave.set()
            raise

    async def leave(self) -> None:
        """Leaves the context and waits until it has been left. May be called any number of times."""
        self._leave.set()
        if self._task is not None:
            await asyncio.shield(self._task)

    async def _hold(self, entered: "asyncio.Future[T]") -> None:
        try:
            async with self._context as value:
                if not entered.done():
                    entered.set_result(value)
                await self._leave.wait()
        except Exception as error:
            if entered.done():
                raise
            entered.set_exception(error)
