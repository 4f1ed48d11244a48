"""The time that an agent has for an episode. The clock can be paused, for example while a model waits."""

import asyncio
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

import anyio


class Deadline:
    """The remaining time of an agent; infinite by default.

    The clock is paused and resumed with every turn of every episode, so the timer is not moved each time: a
    timer that fires too early is set again.
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
        """Cancels the block when the clock has run for that many seconds; `passed` is then true."""
        with anyio.CancelScope() as scope:
            deadline = cls(seconds, scope)
            try:
                yield deadline
            finally:
                if deadline._timer is not None:
                    deadline._timer.cancel()

    @property
    def remaining(self) -> float:
        """Remaining time in seconds."""
        return self._left - (0.0 if self._since is None else time.monotonic() - self._since)

    @property
    def passed(self) -> bool:
        """Whether the block was cancelled since no time was left."""
        return self._scope.cancelled_caught

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Pauses the clock until the block is left."""
        self._stop(self.remaining)
        try:
            yield
        finally:
            self._start()

    @contextmanager
    def resumed(self) -> Iterator[None]:
        """Resumes a paused clock until the block is left. If the block raises, its time is not counted."""
        left = self._left
        self._start()
        try:
            yield
            left = self.remaining
        finally:
            self._stop(left)

    def _start(self) -> None:
        self._since = time.monotonic()
        if self._timer is None and math.isfinite(self._left):
            self._timer = asyncio.get_running_loop().call_later(self._left, self._check)

    def _stop(self, left: float) -> None:
        self._left, self._since = left, None

    def _check(self) -> None:
        self._timer = None
        if self._since is None:
            return  # Set again when the clock is resumed.
        left = self.remaining
        if left <= 0:
            self._scope.cancel()
        else:
            self._timer = asyncio.get_running_loop().call_later(left, self._check)
