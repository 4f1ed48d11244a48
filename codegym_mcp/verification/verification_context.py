"""Where environments are tried: two sandboxes that differ in their hash seed, and so many turns at once."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import anyio

from codegym_mcp.limits import Limits
from codegym_mcp.sandbox.process.pool import SandboxPool

_OTHER_HASH_SEED = 1
_PATIENCE = 100.0
"""Verdicts must not depend on how busy the machine is."""

T = TypeVar("T")
Item = TypeVar("Item")


def default_jobs() -> int:
    """How many episodes to play at once: enough to keep the machine busy while processes start and end."""
    return 4 * (os.cpu_count() or 1)


@dataclass(frozen=True)
class VerificationContext:
    """What trying an environment takes. Use `VerificationContext.open()`.

    Attributes:
        pool: processes as they serve.
        other_pool: processes that differ from those in their hash seed alone.
        limits: what a call, and the whole of an episode, may use.
        turns: how many episodes may be played at once.
    """

    pool: SandboxPool
    other_pool: SandboxPool
    limits: Limits
    turns: anyio.CapacityLimiter

    @classmethod
    @asynccontextmanager
    async def open(
        cls, *, jobs: int | None = None, limits: Limits | None = None, allow_unconfined: bool = False
    ) -> AsyncIterator["VerificationContext"]:
        """A bench whose sandboxes run until the block is left.

        Args:
            jobs: how many episodes may be played at once; without it, `default_jobs`.
            limits: those under which environments are to be served.
            allow_unconfined: work even where this system cannot confine environments.

        Raises:
            SandboxError: the sandbox cannot work here.
        """
        async with (
            SandboxPool.open(allow_unconfined=allow_unconfined, patience=_PATIENCE) as pool,
            SandboxPool.open(
                allow_unconfined=allow_unconfined, patience=_PATIENCE, hash_seed=_OTHER_HASH_SEED
            ) as other_pool,
        ):
            turns = anyio.CapacityLimiter(jobs or default_jobs())
            yield cls(pool, other_pool, limits or Limits(), turns)

    async def each(self, action: Callable[[Item], Awaitable[T]], items: Iterable[Item]) -> list[T]:
        """Does something with each item, as much at once as there are turns.

        Returns:
            The results in the order of the items.
        """
        return await _gather(action, items, self.turns)

    async def side_by_side(self, action: Callable[[Item], Awaitable[T]], items: Iterable[Item]) -> list[T]:
        """As `each`, for actions that take their turns themselves."""
        return await _gather(action, items, anyio.CapacityLimiter(self.turns.total_tokens))


async def _gather(
    action: Callable[[Item], Awaitable[T]], items: Iterable[Item], turns: anyio.CapacityLimiter
) -> list[T]:
    results: dict[int, T] = {}

    async def one(place: int, item: Item) -> None:
        async with turns:
            results[place] = await action(item)

    async with anyio.create_task_group() as tasks:
        for place, item in enumerate(items):
            tasks.start_soon(one, place, item)
    return [results[place] for place in sorted(results)]
