"""The time that an agent has, which stands still while it is made to wait."""

import asyncio
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

import anyio


class Deadline:
    """The time that an agent has left. Without a limit it has all the time there is.

    It stops and starts with every turn of every episode, so the timer does not move with it: one that comes
    too early is set again.
    """

    def __init__(self, seconds: float = math.inf, scope: anyio.CancelScope | None = None) -> None:
        self._left = seconds
        self._scope = scope or anyio.CancelScope()
        self._since: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._start()

    @classmethod
    @contextmanager
    def after(cls, seconds: float) -> Iterator["Deadline"]:
        """Breaks the block off when so much time has run; `passed` then says so."""
        with anyio.CancelScope() as scope:
            deadline = cls(seconds, scope)
            try:
                yield deadline
            finally:
                if deadline._timer is not None:
                    deadline._timer.cancel()

    @property
    def left(self) -> float:
        """In seconds."""
        return self._left - (0.0 if self._since is None else time.monotonic() - self._since)

    @property
    def passed(self) -> bool:
        """Whether the block was broken off."""
        return self._scope.cancelled_caught

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Time stands still until the block is left."""
        self._stop(self.left)
        try:
            yield
        finally:
            self._start()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Within `stopped`, time runs until the block is left; if the block fails, it is given back."""
        left = self._left
        self._start()
        try:
            yield
            left = self.left
        finally:
            self._stop(left)

    def _start(self) -> None:
        self._since = time.monotonic()
        if self._timer is None and math.isfinite(self._left):
            self._timer = asyncio.get_running_loop().call_later(self._left, self._look)

    def _stop(self, left: float) -> None:
        self._left, self._since = left, None

    def _look(self) -> None:
        self._timer = None
        if self._since is None:
            return  # It is set when time runs on.
        left = self.left
        if left <= 0:
            self._scope.cancel()
        else:
            self._timer = asyncio.get_running_loop().call_later(left, self._look)
