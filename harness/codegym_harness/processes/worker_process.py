"""A worker process, as the process that started it uses it: requests and their responses."""

import asyncio
import errno
import os
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from subprocess import DEVNULL, PIPE
from typing import Any

import anyio
from pydantic import BaseModel

from codegym_harness.processes.environment_variables import server_environment
from codegym_harness.processes.json_channel import JsonChannel
from codegym_harness.processes.worker_service import LOOPBACK, READY, ResponseStatus, WorkerError
from codegym_mcp.errors import ConnectionFailedError, RemoteError, RunHaltedError
from codegym_mcp.python_process import python_command
from codegym_mcp.sandbox.process.loopback_connection import accept, listen

PASSES_DESCRIPTORS = sys.platform != "win32"
"""Whether a process can be started with the descriptors of this one."""
_START_SECONDS = 60.0
_STOP_SECONDS = 15
_ENDED = "The worker process for the episodes has ended."
_RESUME = "Continue the run with --resume."


class WorkerProcess:
    """A worker process. Use `WorkerProcess.start`.

    Attributes:
        process: the process.
    """

    process: asyncio.subprocess.Process
    _channel: JsonChannel

    def __init__(self) -> None:
        self._alive = True
        self._ready: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._responses = {READY: self._ready}
        self._number = READY

    @classmethod
    @asynccontextmanager
    async def start(cls, module: str, options: BaseModel) -> AsyncIterator["WorkerProcess"]:
        """Starts a worker, which ends when the block is left. `ready` waits until it has started.

        Args:
            module: the module that the worker runs, which calls `worker_service.run_worker`.
            options: the worker's options.

        Raises:
            ConnectionFailedError: the process cannot be started.
        """
        worker = cls()
        worker.process, connection = await _start_connected(module, options.model_dump_json().encode())
        try:
            worker._channel = await JsonChannel.open(connection, worker._receive, worker._disconnected)
            try:
                yield worker
            finally:
                worker._channel.close()
        finally:
            await _wait_for(worker.process)

    async def ready(self) -> Any:
        """Returns the first message of the worker.

        Raises:
            ConnectionFailedError: the worker does not start.
            RemoteError: the worker cannot do its work on this system.
        """
        try:
            return await self._ready
        except ConnectionFailedError:
            raise ConnectionFailedError("The worker process for the episodes did not start.") from None

    def send(self, operation: str, *arguments: Any) -> asyncio.Future[Any]:
        """Sends a request and returns the future of its response.

        The future fails with `ConnectionFailedError` if the worker ends before it responds, and with
        `RemoteError` if the operation fails.

        Raises:
            RunHaltedError: the worker has ended.
        """
        if not self._alive:
            raise RunHaltedError(_ENDED, hint=_RESUME)
        self._number += 1
        self._channel.send([self._number, operation, *arguments])
        response = self._responses[self._number] = asyncio.get_running_loop().create_future()
        return response

    def _receive(self, message: list[Any]) -> None:
        number, status, value = message
        response = self._responses.pop(number)
        if response.cancelled():
            return
        if status == ResponseStatus.OK:
            response.set_result(value)
        else:
            error = WorkerError.model_validate(value)
            response.set_exception(RemoteError(error.kind, error.message, hint=error.hint))
            response.exception()  # Marks it as read: the request may have been cancelled.

    def _disconnected(self) -> None:
        self._alive = False
        for response in self._responses.values():
            if not response.done():
                response.set_exception(ConnectionFailedError(_ENDED, hint=_RESUME))
                response.exception()


async def _start_connected(module: str, options: bytes) -> tuple[asyncio.subprocess.Process, socket.socket]:
    """Starts a worker and returns it with this process's end of the connection to it."""
    if PASSES_DESCRIPTORS:
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                process = await _start_process(module, str(theirs.fileno()), pass_fds=[theirs.fileno()])
            except BaseException:
                ours.close()
                raise
        _write_stdin(process, options)
        return process, ours
    listener, address = listen()
    with listener:
        process = await _start_process(module, LOOPBACK)
        _write_stdin(process, address.model_dump_json().encode() + b"\n" + options)
        try:
            async with asyncio.timeout(_START_SECONDS):
                return process, await accept(listener, address.secret)
        except TimeoutError:
            process.kill()
            raise ConnectionFailedError("The worker process did not connect in time.") from None
        except BaseException:
            process.kill()
            raise


def _write_stdin(process: asyncio.subprocess.Process, data: bytes) -> None:
    assert process.stdin is not None
    process.stdin.write(data)
    process.stdin.close()


async def _start_process(
    module: str, argument: str, *, pass_fds: Sequence[int] = ()
) -> asyncio.subprocess.Process:
    """Starts a worker with an argument for `worker_service.run_worker`."""
    try:
        return await asyncio.create_subprocess_exec(
            *python_command(module, argument),
            pass_fds=pass_fds,
            env=server_environment(),
            stdin=PIPE,
            stdout=DEVNULL,
            # Signals sent to the process group reach only this process; it stops its own children.
            start_new_session=True,
        )
    except OSError as error:
        raise ConnectionFailedError(
            f"The worker process {sys.executable} cannot be started: {error.strerror}.",
            hint=_start_hint(error),
        ) from None


def _start_hint(error: OSError) -> str:
    """Returns what to do about a process that cannot be started; an empty text if that is not known."""
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return "Raise the limit of open files, for example with ulimit -n 1024."
    if error.errno in (errno.EAGAIN, errno.ENOMEM):
        return "The system has no more processes or memory to give. Lower --concurrency, or close programs."
    if error.errno == errno.EACCES:
        return "This user must be allowed to run it."
    try:
        os.getcwd()
    except OSError:
        return "The current folder does not exist any more. Change to another."
    return ""


async def _wait_for(process: asyncio.subprocess.Process) -> None:
    """Waits for a worker that is ending, and kills it if it does not end."""
    with anyio.CancelScope(shield=True):
        with anyio.move_on_after(_STOP_SECONDS):
            await process.wait()
        if process.returncode is None:
            process.kill()
            await process.wait()
