"""One worker on a node of a Ray cluster, as the process that started it uses it."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
from pydantic import BaseModel

from codegym_harness.processes.worker_service import ResponseStatus, WorkerError
from codegym_harness.ray_cluster.worker_host import HostResponse, OpenService, WorkerHost
from codegym_mcp.errors import ConnectionFailedError, RemoteError
from codegym_mcp.version import VERSION

_CLOSE_SECONDS = 5.0


class WorkerLostOnNodeError(ConnectionFailedError):
    """A worker has ended, or its node cannot be reached."""


class RayWorker:
    """One actor on one node.

    Attributes:
        lost: set when the actor was found to have ended.
    """

    def __init__(self, node: str | None = None, *, close_seconds: float = _CLOSE_SECONDS) -> None:
        """
        Args:
            node: the id of the node that it runs on; any node without it.
            close_seconds: how long its service may take to close.
        """
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        self.lost = anyio.Event()
        self._close_seconds = close_seconds
        strategy = "SPREAD" if node is None else NodeAffinitySchedulingStrategy(node, soft=False)
        actor = ray.remote(num_cpus=1, scheduling_strategy=strategy, max_concurrency=10_000)(WorkerHost)
        self._actor: Any = actor.remote()

    async def open(self, open_service: OpenService, options: BaseModel) -> Any:
        """Opens the service on the node and returns its first message.

        Raises:
            RemoteError: the service cannot be opened there.
            WorkerLostOnNodeError: the node was lost.
            ConnectionFailedError: the node cannot run this project.
        """
        return await _value_of(self._actor.open.remote(open_service, options, VERSION, Path.cwd()))

    async def execute(self, operation: str, *arguments: Any) -> Any:
        """Executes an operation.

        Raises:
            RemoteError: the operation failed.
            WorkerLostOnNodeError: the node was lost.
        """
        return await _value_of(self._actor.execute.remote(operation, *arguments))

    async def wait_until_lost(self) -> None:
        """Waits until the worker has ended, or its node was lost."""
        import ray

        with suppress(ray.exceptions.RayError):
            await _await(self._actor.wait_until_closed.remote())
        self.lost.set()

    async def close(self) -> None:
        """Closes the service, if its node can still be reached, and ends the actor."""
        import ray

        with anyio.CancelScope(shield=True):
            if not self.lost.is_set():
                with anyio.move_on_after(self._close_seconds), suppress(ray.exceptions.RayError):
                    await _await(self._actor.close.remote())
            ray.kill(self._actor)


async def _value_of(reference: Any) -> Any:
    """Waits for a response and returns its value."""
    import ray

    try:
        response: HostResponse = await _await(reference)
    except ray.exceptions.RayError as lost:
        text = str(lost)
        if "No module named" in text:
            missing = text.rpartition("No module named")[2].splitlines()[0].strip(" .")
            raise ConnectionFailedError(
                f"A node of the Ray cluster lacks the package {missing}.",
                hint="Install codegym-mcp, in the same version, on all nodes.",
            ) from None
        raise WorkerLostOnNodeError(f"A worker on the Ray cluster was lost: {text.splitlines()[0]}") from None
    if response.status is ResponseStatus.OK:
        return response.value
    error = response.error or WorkerError(kind="CodegymError", message="The worker reported no reason.")
    raise RemoteError(error.kind, error.message, hint=error.hint)


async def _await(reference: Any) -> Any:
    """Awaits an object of Ray. Ray lets the reference itself be awaited only on some event loops."""
    return await asyncio.wrap_future(reference.future())
