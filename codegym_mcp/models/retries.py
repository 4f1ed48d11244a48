"""When a failed request is made again."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import anyio

PATIENCE_SECONDS = 900.0


@dataclass
class Retries:
    """Calculates how long to wait before the next attempt.

    Each wait is twice as long as the previous one, up to a maximum, and shortened at random by up to half, so
    that requests that failed together are not repeated together. A wait that the provider asks for is kept
    in full.

    Attributes:
        base_seconds: the first wait.
        longest_seconds: the longest wait that the provider did not ask for.
        patience_seconds: the seconds that one request may lose in failed attempts and waits.
        sleep, now: how time passes; tests replace them.
    """

    base_seconds: float = 1.0
    longest_seconds: float = 60.0
    patience_seconds: float = PATIENCE_SECONDS
    sleep: Callable[[float], Awaitable[object]] = anyio.sleep
    now: Callable[[], float] = anyio.current_time
    _random: random.Random = field(default_factory=random.Random)

    def wait(self, failures: int, retry_after: float | None, lost: float) -> float | None:
        """Returns the seconds to wait before the next attempt, or None if there must not be one.

        Args:
            failures: number of failed attempts, at least 1.
            retry_after: the seconds that the provider asks to wait.
            lost: the seconds that the request has lost already.
        """
        if retry_after is not None:
            wait = retry_after + self._random.uniform(0, self.base_seconds)
        else:
            full = min(self.longest_seconds, self.base_seconds * 2 ** (failures - 1))
            wait = full * self._random.uniform(0.5, 1)
        return wait if lost + wait <= self.patience_seconds else None


class RequestPause:
    """Delays all requests to a provider until the time that it asked for."""

    def __init__(self, retries: Retries) -> None:
        self._retries = retries
        self._until = 0.0

    def extend(self, seconds: float) -> None:
        """Delays all requests by at least this many seconds from now."""
        self._until = max(self._until, self._retries.now() + seconds)

    async def wait(self) -> None:
        """Waits until requests are permitted."""
        while (left := self._until - self._retries.now()) > 0:
            await self._retries.sleep(left)
