"""When a failed request is made again."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import anyio

PATIENCE_SECONDS = 900.0


@dataclass
class Retries:
    """How long to wait before the next attempt.

    Each wait is twice as long as the one before, up to a bound, and shortened at random by up to half, so
    that requests that failed together do not come back together. What the provider asks for is kept in full.

    Attributes:
        base_seconds: the first wait.
        longest_seconds: the bound of a wait that nobody asked for.
        patience_seconds: what one request may lose in all, with attempts that fail and with waiting.
        sleep, now: how time passes; tests have their own.
    """

    base_seconds: float = 1.0
    longest_seconds: float = 60.0
    patience_seconds: float = PATIENCE_SECONDS
    sleep: Callable[[float], Awaitable[object]] = anyio.sleep
    now: Callable[[], float] = anyio.current_time
    _random: random.Random = field(default_factory=random.Random)

    def wait(self, failures: int, retry_after: float | None, lost: float) -> float | None:
        """How long to wait before the next attempt, in seconds; None where that is out of patience.

        Args:
            failures: attempts that failed, at least one.
            retry_after: what the provider asks for, in seconds.
            lost: what the request has lost already, in seconds.
        """
        if retry_after is not None:
            wait = retry_after + self._random.uniform(0, self.base_seconds)
        else:
            full = min(self.longest_seconds, self.base_seconds * 2 ** (failures - 1))
            wait = full * self._random.uniform(0.5, 1)
        return wait if lost + wait <= self.patience_seconds else None


class Pace:
    """Holds back everyone who asks a provider until it takes requests again."""

    def __init__(self, retries: Retries) -> None:
        self._retries = retries
        self._until = 0.0

    def hold(self, seconds: float) -> None:
        """Nobody asks for so long."""
        self._until = max(self._until, self._retries.now() + seconds)

    async def keep(self) -> None:
        """Returns when asking is allowed."""
        while (left := self._until - self._retries.now()) > 0:
            await self._retries.sleep(left)
