"""The worker's side of a worker process: responds to the requests of the process that started it.

Messages are JSON values on a `JsonChannel`. A request is `[number, operation, *arguments]`; its response is
`[number, "ok", value]` or `[number, "error", {"kind", "message", "hint"}]`. Any number of requests may be in
progress. The worker sends response 0 without a request, when it is ready. It ends when the other end of its
channel is closed.
"""

import asyncio
import socket
import sys
import traceback
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from enum import StrEnum
from typing import Any, Protocol, TypeVar

import anyio
from pydantic import BaseModel

from codegym_harness.processes.json_channel import JsonChannel
from codegym_mcp.errors import CodegymError
from codegym_mcp.opentelemetry_tracer import export_traces
from codegym_mcp.runtime.garbage_collector_settings import rare_collections
from codegym_mcp.runtime.open_file_limit import raise_open_file_limit
from codegym_mcp.sandbox.confinement.linux_functions import use_batch_scheduling
from codegym_mcp.sandbox.process.loopback_connection import LoopbackAddress, connect

LOOPBACK = "loopback"
"""The argument of a worker that is not given a descriptor."""
READY = 0
"""The number of the response that a worker sends without a request."""


class ResponseStatus(StrEnum):
    """Whether an operation succeeded."""

    OK = "ok"
    ERROR = "error"


class WorkerError(BaseModel):
    """An error as a worker sends it."""

    kind: str
    """The name of the error's type."""
    message: str
    hint: str = ""

    @classmethod
    def of(cls, error: Exception) -> "WorkerError":
        """Returns the message for an error."""
        kind = type(error).__name__
        if isinstance(error, CodegymError):
            return cls(kind=kind, message=error.message, hint=error.hint)
        return cls(kind=kind, message=f"{kind}: {error}.")


class WorkerService(Protocol):
    """What a worker does."""

    @property
    def ready(self) -> BaseModel:
        """The first message of the worker."""

    async def execute(self, operation: str, *arguments: Any) -> BaseModel | str:
        """Performs an operation and returns the value of its response.

        Raises:
            CodegymError: the operation failed; the error is sent with its kind and its hint.
        """


Options = TypeVar("Options", bound=BaseModel)


def run_worker(
    options_type: type[Options],
    open_service: Callable[[Options], AbstractAsyncContextManager[WorkerService]],
) -> None:
    """Responds until the process that started this one closes the connection.

    The first argument of the command line is the descriptor of the connected socket, or `LOOPBACK`. Then the
    first line of stdin is the address to connect to.

    Args:
        options_type: the type of the options, which are read from stdin.
        open_service: opens what the worker does; it raises `CodegymError` if that is not possible.
    """
    if sys.argv[1] == LOOPBACK:
        connection = connect(LoopbackAddress.model_validate_json(sys.stdin.buffer.readline()))
    else:
        connection = socket.socket(fileno=int(sys.argv[1]))
        connection.set_inheritable(False)
    options = options_type.model_validate_json(sys.stdin.buffer.read())
    raise_open_file_limit()
    export_traces("codegym-mcp worker")
    # The process that started the worker has priority: it waits for models, or writes what workers have done.
    with suppress(OSError):
        use_batch_scheduling()
    anyio.run(
        serve_requests,
        connection,
        open_service(options),
        backend_options={"use_uvloop": sys.platform != "win32"},
    )


async def serve_requests(
    connection: socket.socket, opening: AbstractAsyncContextManager[WorkerService]
) -> None:
    """Opens a service and responds to requests until the other end of the connection is closed."""
    async with AsyncExitStack() as stack:
        try:
            service = await stack.enter_async_context(opening)
        except CodegymError as error:
            await _send_only(connection, error)
            return
        responder = await _Responder.connect(connection, service)
        stack.enter_context(rare_collections())
        responder.channel.send([READY, ResponseStatus.OK, service.ready.model_dump(mode="json")])
        await responder.channel.ended.wait()


async def _send_only(connection: socket.socket, error: CodegymError) -> None:
    """Sends the error because of which the worker cannot start."""
    channel = await JsonChannel.open(connection, lambda _: None)
    channel.send([READY, ResponseStatus.ERROR, WorkerError.of(error).model_dump()])
    channel.close()
    await channel.ended.wait()


class _Responder:
    """Executes requests concurrently. Use `_Responder.connect`."""

    channel: JsonChannel

    def __init__(self, service: WorkerService) -> None:
        self._service = service
        self._in_progress: set[asyncio.Task[None]] = set()

    @classmethod
    async def connect(cls, connection: socket.socket, service: WorkerService) -> "_Responder":
        """Returns a responder to what arrives at a connected socket."""
        responder = cls(service)
        responder.channel = await JsonChannel.open(connection, responder._receive)
        return responder

    def _receive(self, request: list[Any]) -> None:
        task = asyncio.get_running_loop().create_task(self._respond(*request))
        self._in_progress.add(task)
        task.add_done_callback(self._in_progress.discard)

    async def _respond(self, number: int, operation: str, *arguments: Any) -> None:
        try:
            value = await self._service.execute(operation, *arguments)
        except CodegymError as error:
            self._send_error(number, error)
        except Exception as error:
            # Without a response, the other process would wait for ever.
            traceback.print_exc()
            self._send_error(number, error)
        else:
            plain = value if isinstance(value, str) else value.model_dump(mode="json")
            self.channel.send([number, ResponseStatus.OK, plain])

    def _send_error(self, number: int, error: Exception) -> None:
        self.channel.send([number, ResponseStatus.ERROR, WorkerError.of(error).model_dump()])
