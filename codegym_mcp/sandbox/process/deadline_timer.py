"""A timer for deadlines that nearly always are met."""

import asyncio
from collections.abc import Callable


class DeadlineTimer:
    """Calls a function when a deadline passes that was not removed before.

    The loop's timer is kept from one deadline to the next: it is set again when it fires, not when a deadline
    is set or removed. A process that answers ten thousand calls within their deadlines needs one timer.

    Args:
        on_passed: called without arguments; it may set another deadline.
    """

    def __init__(self, on_passed: Callable[[], object]) -> None:
        self._on_passed = on_passed
        self._deadline: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._fires_at = 0.0

    def set(self, deadline: float) -> None:
        """Sets the deadline, in seconds of the running loop's clock, in place of an earlier one."""
        self._deadline = deadline
        if self._timer is None or self._fires_at > deadline:
            self._start(deadline)

    def remove(self) -> None:
        """Removes the deadline."""
        self._deadline = None

    def stop(self) -> None:
        """Removes the deadline and the timer."""
        self._deadline = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _start(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._fires_at = at
        self._timer = asyncio.get_running_loop().call_at(at, self._fire)

    def _fire(self) -> None:
        self._timer = None
        if self._deadline is None:
            return
        if self._deadline > self._fires_at:
            self._start(self._deadline)
            return
        self._deadline = None
        self._on_passed()
