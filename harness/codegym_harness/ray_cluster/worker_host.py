"""What runs on a node of a Ray cluster: an actor that holds one service and executes its operations.

Ray imports this module on the nodes, so that it must not import Ray itself.
"""

import asyncio
import os
import platform
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from codegym_harness.processes.worker_service import ResponseStatus, WorkerError, WorkerService
from codegym_mcp.errors import CodegymError
from codegym_mcp.runtime.open_file_limit import raise_open_file_limit
from codegym_mcp.runtime.task_owned_context_manager import HeldContext
from codegym_mcp.version import VERSION

OpenService = Callable[[Any], AbstractAsyncContextManager[WorkerService]]


class HostResponse(BaseModel):
    """The response of an actor to the process that started it."""

    status: ResponseStatus
    value: Any = None
    """The value of the operation, as JSON values; None after an error."""
    error: WorkerError | None = None


class WorkerHost:
    """Holds one service. Its methods are called from another node, any number at the same time."""

    def __init__(self) -> None:
        self._service: WorkerService | None = None
        self._opened: HeldContext[WorkerService] | None = None
        self._closed = asyncio.Event()

    async def open(
        self, open_service: OpenService, options: BaseModel, version: str, directory: Path
    ) -> HostResponse:
        """Opens the service.

        Args:
            open_service: opens the service with the options.
            version: the version of this project where the run was started.
            directory: the working directory there, to which relative paths refer. A node without it keeps its
                own.

        Returns:
            The service's first message.
        """
        if version != VERSION:
            message = f"The node {platform.node()} has version {VERSION} of codegym-mcp, and not {version}."
            hint = "Install the same version on all nodes."
            return _failure(WorkerError(kind="CodegymError", message=message, hint=hint))
        raise_open_file_limit()
        with suppress(OSError):
            os.chdir(directory)
        self._opened = HeldContext(open_service(options))
        try:
            self._service = await self._opened.enter()
        except CodegymError as error:
            return _failure(WorkerError.of(error))
        return HostResponse(status=ResponseStatus.OK, value=self._service.ready.model_dump(mode="json"))

    async def execute(self, operation: str, *arguments: Any) -> HostResponse:
        """Executes an operation; see `WorkerService.execute`. Errors are part of the response."""
        assert self._service is not None
        try:
            value = await self._service.execute(operation, *arguments)
        except Exception as error:
            return _failure(WorkerError.of(error))
        plain = value if isinstance(value, str) else value.model_dump(mode="json")
        return HostResponse(status=ResponseStatus.OK, value=plain)

    async def wait_until_closed(self) -> None:
        """Returns when the service was closed. If the call fails earlier, the host was lost."""
        await self._closed.wait()

    async def close(self) -> None:
        """Closes the service and ends its processes."""
        if self._opened is not None:
            await self._opened.leave()
        self._closed.set()


def _failure(error: WorkerError) -> HostResponse:
    return HostResponse(status=ResponseStatus.ERROR, error=error)
