"""Verifies and audits many environments on the nodes of a Ray cluster."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

import anyio

from codegym_harness.ray_cluster.verification_worker import (
    Operation,
    VerificationWorker,
    VerificationWorkerOptions,
)
from codegym_harness.ray_cluster.worker_pool import RayWorkers
from codegym_mcp.catalog.catalog_entries import Entry
from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.verification.audit.audit import Audit
from codegym_mcp.verification.audit.audit_files import AuditFiles
from codegym_mcp.verification.batch.audit_many import Unaudited, audit_entry
from codegym_mcp.verification.batch.verify_many import verify_entry
from codegym_mcp.verification.gate_results import Verification
from codegym_mcp.verification.verification_cache import VerificationCache

_PER_WORKER = 2
"""Environments that are sent to a worker at a time. While one is read, the other one is played."""

Result = TypeVar("Result")


class RayVerification:
    """Verifies and audits on the nodes of a cluster. Use `RayVerification.start`."""

    def __init__(self, workers: RayWorkers) -> None:
        self._workers = workers

    @classmethod
    @asynccontextmanager
    async def start(
        cls,
        address: str,
        options: VerificationWorkerOptions,
        *,
        most: int,
        on_notice: Callable[[str], None],
    ) -> AsyncIterator["RayVerification"]:
        """Starts workers, one for each processor of the cluster, which end when the block is left.

        Args:
            address, most, on_notice: see `RayWorkers.start`.

        Raises:
            CodegymError: the cluster cannot be used, or environments cannot be confined there.
        """
        async with RayWorkers.start(
            address, VerificationWorker.open, options, most=most, on_notice=on_notice
        ) as workers:
            yield cls(workers)

    async def verify_environment(self, environment: Environment) -> Verification:
        """Takes an environment through the gates on a node.

        Raises:
            RemoteError: it cannot be verified there.
            RunHaltedError: the cluster has no worker any more.
        """
        return Verification.model_validate(await self._workers.execute(Operation.VERIFY, environment))

    async def audit_environment(self, environment: Environment) -> Audit:
        """Audits an environment on a node.

        Raises:
            RemoteError: it cannot be audited.
            RunHaltedError: the cluster has no worker any more.
        """
        return Audit.model_validate(await self._workers.execute(Operation.AUDIT, environment))

    async def verify(
        self,
        entries: Sequence[Entry],
        *,
        cache: VerificationCache | None,
        on_result: Callable[[Verification], object],
    ) -> list[Verification]:
        """Verifies environments; arguments and result are those of `verify_many`.

        Raises:
            RunHaltedError: the cluster has no worker any more. Results so far are in the cache.
        """

        async def verify_one(entry: Entry) -> Verification:
            return await verify_entry(entry, self.verify_environment, cache)

        return await self._run_all(verify_one, entries, on_result)

    async def audit(
        self,
        entries: Sequence[Entry],
        *,
        files: AuditFiles | None,
        again: bool,
        on_result: Callable[[Audit | Unaudited], object],
    ) -> list[Audit | Unaudited]:
        """Audits environments; arguments and result are those of `audit_many`.

        Raises:
            RunHaltedError: the cluster has no worker any more. Results so far are stored.
            UnwritableError: an audit file cannot be written.
        """

        async def audit_one(entry: Entry) -> Audit | Unaudited:
            return await audit_entry(entry, self.audit_environment, files, again=again)

        return await self._run_all(audit_one, entries, on_result)

    async def _run_all(
        self,
        action: Callable[[Entry], Awaitable[Result]],
        entries: Sequence[Entry],
        on_result: Callable[[Result], object],
    ) -> list[Result]:
        """Runs an action for each entry; returns the results in the order of the entries."""
        results: dict[int, Result] = {}
        limiter = anyio.CapacityLimiter(_PER_WORKER * self._workers.most)

        async def run_one(index: int, entry: Entry) -> None:
            async with limiter:
                results[index] = await action(entry)
                on_result(results[index])

        try:
            async with anyio.create_task_group() as tasks:
                for index, entry in enumerate(entries):
                    tasks.start_soon(run_one, index, entry)
        except ExceptionGroup as group:
            raise group.exceptions[0] from None
        return [results[index] for index in range(len(entries))]
