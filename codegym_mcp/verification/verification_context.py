"""The sandboxes, limits and concurrency that verification and audit share."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import anyio

from codegym_mcp.episode_limits import Limits
from codegym_mcp.errors import CodegymError
from codegym_mcp.sandbox.process.pool import SandboxPool

_OTHER_HASH_SEED = 1
_CPU_GRACE = 100.0
"""Wall-clock seconds allowed for each second of processor time, so that verdicts do not depend on load."""

T = TypeVar("T")
Item = TypeVar("Item")


def default_jobs() -> int:
    """Returns how many episodes to play at once: four for each processor."""
    return 4 * (os.cpu_count() or 1)


@dataclass(frozen=True)
class VerificationContext:
    """The resources that trying an environment needs. Use `VerificationContext.open()`.

    Attributes:
        pool: sandboxed processes as a server uses them.
        other_pool: sandboxed processes that differ only in their hash seed.
        limits: the limits of a call and of an episode.
        episode_slots: limits how many episodes are played at once.
    """

    pool: SandboxPool
    other_pool: SandboxPool
    limits: Limits
    episode_slots: anyio.CapacityLimiter

    @classmethod
    @asynccontextmanager
    async def open(
        cls, *, jobs: int | None = None, limits: Limits | None = None, allow_unconfined: bool = False
    ) -> AsyncIterator["VerificationContext"]:
        """Opens a context whose sandboxes run until the block is left.

        Args:
            jobs: how many episodes are played at once; `default_jobs` if None.
            limits: the limits under which environments will be served; the defaults if None.
            allow_unconfined: continue where this system cannot confine environments.

        Raises:
            SandboxError: the sandbox cannot be started.
        """
        async with (
            SandboxPool.open(allow_unconfined=allow_unconfined, cpu_grace=_CPU_GRACE) as pool,
            SandboxPool.open(
                allow_unconfined=allow_unconfined, cpu_grace=_CPU_GRACE, hash_seed=_OTHER_HASH_SEED
            ) as other_pool,
        ):
            episode_slots = anyio.CapacityLimiter(jobs or default_jobs())
            yield cls(pool, other_pool, limits or Limits(), episode_slots)

    async def run_all(self, action: Callable[[Item], Awaitable[T]], items: Iterable[Item]) -> list[T]:
        """Runs an action for each item; each action occupies one episode slot.

        Returns:
            The results in the order of the items.

        Raises:
            CodegymError: the first one that an action raised; the other actions are cancelled.
        """
        return await _run_all(action, items, self.episode_slots)

    async def run_waves(
        self,
        action: Callable[[Item], Awaitable[T]],
        items: Sequence[Item],
        *,
        stop: Callable[[T], bool],
    ) -> list[T]:
        """Runs an action for each item in waves of 1, 2, 4, … items, until a wave has a result that stops it.

        An environment that exceeds its time limit on every task costs only a few times that limit. Which
        items are left out depends on the results alone, not on timing.

        Returns:
            The results of the items that were not left out, in their order.
        """
        results: list[T] = []
        size = 1
        while len(results) < len(items) and not any(map(stop, results)):
            results += await self.run_all(action, items[len(results) : len(results) + size])
            size *= 2
        return results

    async def run_all_nested(self, action: Callable[[Item], Awaitable[T]], items: Iterable[Item]) -> list[T]:
        """Runs an action for each item, as `run_all`, for actions that occupy episode slots themselves."""
        return await _run_all(action, items, anyio.CapacityLimiter(self.episode_slots.total_tokens))


async def _run_all(
    action: Callable[[Item], Awaitable[T]], items: Iterable[Item], limiter: anyio.CapacityLimiter
) -> list[T]:
    results: dict[int, T] = {}

    async def run_one(index: int, item: Item) -> None:
        async with limiter:
            results[index] = await action(item)

    try:
        async with anyio.create_task_group() as tasks:
            for index, item in enumerate(items):
                tasks.start_soon(run_one, index, item)
    except BaseExceptionGroup as group:
        raise _first_error(group) or group from None
    return [results[index] for index in sorted(results)]


def _first_error(group: BaseExceptionGroup[BaseException]) -> CodegymError | None:
    """Returns the first error of this project in a group that holds no error of another kind."""
    leaves = list(_leaves(group))
    found = [error for error in leaves if isinstance(error, CodegymError)]
    return found[0] if found and len(found) == len(leaves) else None


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterable[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
