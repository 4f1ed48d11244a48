"""Workers on the nodes of a Ray cluster, as the process that started them uses them."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
from pydantic import BaseModel

from codegym_harness.ray_cluster.cluster_connection import connect_to_cluster, processor_count
from codegym_harness.ray_cluster.worker_handle import RayWorker, WorkerLostOnNodeError
from codegym_harness.ray_cluster.worker_host import OpenService
from codegym_mcp.errors import ConnectionFailedError, RemoteError, RunHaltedError

_ATTEMPTS = 5
"""How often an operation is sent, each time to another worker, if workers are lost while they execute it."""
_OPENINGS = 3
"""How often a worker is started in the place of one that was lost before it was ready."""
_PATIENCE_SECONDS = 120.0
"""How long an operation waits for a worker while the cluster has none."""


class RayWorkers:
    """Workers with the same service, one for each processor that is used. Use `RayWorkers.start`.

    A worker that is lost is replaced, and what it was executing is executed again by another one.

    Attributes:
        first_message: the first message of the worker that was ready first.
        most: the maximum number of workers.
    """

    first_message: Any
    most: int

    def __init__(
        self, open_service: OpenService, options: BaseModel, on_notice: Callable[[str], None]
    ) -> None:
        self._open_service = open_service
        self._options = options
        self._on_notice = on_notice
        self._working: dict[RayWorker, int] = {}
        """How many operations each worker executes at the moment."""
        self._starting = 0
        self._failure: RemoteError | ConnectionFailedError | None = None
        self._changed = anyio.Event()

    @classmethod
    @asynccontextmanager
    async def start(
        cls,
        address: str,
        open_service: OpenService,
        options: BaseModel,
        *,
        most: int,
        on_notice: Callable[[str], None] = lambda _: None,
    ) -> AsyncIterator["RayWorkers"]:
        """Connects to a cluster, starts workers and waits for the first one. They end when the block is left.

        Args:
            address: see `connect_to_cluster`.
            open_service: opens the service on a node. It must be importable there.
            options: its argument.
            most: the maximum number of workers. There is at most one for each processor of the cluster.
            on_notice: called with a sentence about a node that cannot be used or was lost.

        Raises:
            CodegymError: the cluster cannot be used.
            RemoteError: the service cannot be opened on any node.
            ConnectionFailedError: no worker starts.
        """
        workers = cls(open_service, options, on_notice)
        async with connect_to_cluster(address), anyio.create_task_group() as tasks:
            workers.most = max(1, min(most, processor_count()))
            try:
                for _ in range(workers.most):
                    workers._starting += 1
                    tasks.start_soon(workers._keep_one_worker)
                await workers._wait_for_worker()
                yield workers
            finally:
                tasks.cancel_scope.cancel()

    async def execute(self, operation: str, *arguments: Any) -> Any:
        """Executes an operation on the worker that executes the fewest.

        Returns:
            The value of the response, as JSON values.

        Raises:
            RemoteError: the operation failed.
            RunHaltedError: the cluster has no worker any more, or the operation ends every worker.
        """
        for _ in range(_ATTEMPTS):
            try:
                await self._wait_for_worker()
            except (RemoteError, ConnectionFailedError) as error:
                raise RunHaltedError(error.message, hint=error.hint) from None
            worker = min(self._working, key=self._working.__getitem__)
            self._working[worker] += 1
            try:
                return await worker.execute(operation, *arguments)
            except WorkerLostOnNodeError:
                worker.lost.set()
                self._working.pop(worker, None)
            finally:
                if worker in self._working:
                    self._working[worker] -= 1
        raise RunHaltedError(
            f"{_ATTEMPTS} workers were lost, one after another, while they executed the same operation.",
            hint="Look at the logs of the Ray nodes: a worker may exceed the memory of its node.",
        )

    async def _keep_one_worker(self) -> None:
        """Keeps one worker running, until none can be started in its place."""
        lost_early = 0
        while lost_early < _OPENINGS:
            worker = RayWorker()
            try:
                message = await worker.open(self._open_service, self._options)
            except WorkerLostOnNodeError as error:
                lost_early += 1
                self._failure = error
                await worker.close()
                continue
            except (RemoteError, ConnectionFailedError) as error:
                self._failure = error
                self._on_notice(f"A worker cannot be used: {error.message}")
                await worker.close()
                break
            except BaseException:
                await worker.close()
                raise
            lost_early = 0
            if not hasattr(self, "first_message"):
                self.first_message = message
            self._working[worker] = 0
            self._starting -= 1
            self._announce()
            try:
                await worker.lost.wait()
            finally:
                await worker.close()
            self._starting += 1
            self._on_notice("A worker was lost with its node or its process; what it played is played again.")
        self._starting -= 1
        self._announce()

    async def _wait_for_worker(self) -> None:
        """Waits until there is a worker.

        Raises:
            RemoteError, ConnectionFailedError: there is none, and none is being started.
        """
        with anyio.move_on_after(_PATIENCE_SECONDS):
            while not self._working and self._starting:
                await self._changed.wait()
        if self._working:
            return
        if self._failure is not None and not self._starting:
            raise self._failure
        raise ConnectionFailedError(
            f"No worker was ready on the Ray cluster within {_PATIENCE_SECONDS:.0f} seconds.",
            hint="Its processors may be in use by others; look at `ray status`.",
        )

    def _announce(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()
