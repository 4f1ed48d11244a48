"""Episodes of a worker process, for agents whose calls this process makes itself.

The agent does not notice a difference to MCP, but an MCP client would take more time than everything else.
In this process, the episodes would compete for the processor with the requests of the agents.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from subprocess import DEVNULL, PIPE
from typing import Any

import anyio

from codegym_harness.episode_sources.episode_source import Assignment, OpenEpisode
from codegym_harness.episode_sources.episode_worker import (
    READY,
    EpisodeWorkerOptions,
    EpisodeWorkerReady,
    Operation,
    ResponseStatus,
    WorkerEpisodeInfo,
    WorkerError,
)
from codegym_harness.processes.environment_variables import server_environment
from codegym_harness.processes.json_channel import JsonChannel
from codegym_mcp.control_plane_messages import EpisodeInfo
from codegym_mcp.episode_interface import CallResult, TaskView, ToolView
from codegym_mcp.episode_limits import Limits
from codegym_mcp.errors import CodegymError, ConnectionFailedError, RemoteError, RunHaltedError
from codegym_mcp.policies.tool_schemas import submission_arguments
from codegym_mcp.python_process import python_command

_CLOSE_SECONDS = 5
_STOP_SECONDS = 15


class WorkerEpisodes:
    """Episodes of a worker process. Use `WorkerEpisodes.start`.

    Attributes:
        ready: the environments of the worker.
        process: the worker.
    """

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        client: "_WorkerClient",
        ready: EpisodeWorkerReady,
        limits: Limits,
    ) -> None:
        self.process = process
        self.ready = ready
        self._client = client
        self._limits = limits

    @classmethod
    @asynccontextmanager
    async def start(
        cls, options: EpisodeWorkerOptions, limits: Limits | None = None
    ) -> AsyncIterator["WorkerEpisodes"]:
        """Starts a worker, which ends when the block is left.

        Raises:
            ConnectionFailedError: the worker does not start.
            RemoteError: the worker cannot serve episodes on this system.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                process = await _start_process(theirs)
            except BaseException:
                ours.close()
                raise
        try:
            client = await _WorkerClient.connect(ours)
            try:
                assert process.stdin is not None
                process.stdin.write(options.model_dump_json().encode())
                process.stdin.close()
                yield cls(process, client, await client.ready(), limits or Limits())
            finally:
                client.close()
        finally:
            await _wait_for(process)

    @asynccontextmanager
    async def open(self, assignment: Assignment) -> AsyncIterator[OpenEpisode]:
        """Opens an episode; see `EpisodeSource.open`."""
        request = assignment.request(self._limits)
        opening = self._client.send(Operation.OPEN, request.model_dump(mode="json", exclude_defaults=True))
        try:
            opened = WorkerEpisodeInfo.model_validate(await asyncio.shield(opening))
        except asyncio.CancelledError:
            opening.add_done_callback(self._close_opened)
            raise

        async def read_status() -> EpisodeInfo:
            return EpisodeInfo.model_validate(await self._client.send(Operation.STATUS, opened.id))

        try:
            episode = _WorkerEpisode(self._client, opened)
            yield OpenEpisode(opened.id, episode, read_status, self._limits.calls)
        finally:
            with anyio.move_on_after(_CLOSE_SECONDS, shield=True), suppress(CodegymError):
                await self._client.send(Operation.CLOSE, opened.id)

    def _close_opened(self, opening: asyncio.Future[Any]) -> None:
        """Closes an episode whose opening was cancelled, if the worker has opened it."""
        if not opening.cancelled() and opening.exception() is None:
            with suppress(CodegymError):
                self._client.send(Operation.CLOSE, opening.result()["id"])


class _WorkerEpisode:
    """An episode of a worker. It is an `EpisodeProtocol`."""

    def __init__(self, client: "_WorkerClient", opened: WorkerEpisodeInfo) -> None:
        self._client = client
        self._opened = opened

    @property
    def task(self) -> TaskView:
        return self._opened.task

    @property
    def tools(self) -> Sequence[ToolView]:
        return self._opened.tools

    @property
    def submission(self) -> ToolView:
        return self._opened.submission

    async def call(self, name: str, arguments: dict[str, Any]) -> CallResult:
        """Calls a tool; see `EpisodeProtocol.call`. A call that was sent is executed even if cancelled.

        Raises:
            ConnectionFailedError: the worker has ended.
        """
        response = self._client.send(Operation.CALL, self._opened.id, name, arguments)
        try:
            return CallResult.model_validate(await asyncio.shield(response))
        except asyncio.CancelledError:
            # The next request about the episode must find the call executed.
            with anyio.CancelScope(shield=True):
                await asyncio.wait([response], timeout=_CLOSE_SECONDS)
            raise

    async def submit(self, answer: Any = None) -> CallResult:
        """Submits the answer; see `EpisodeProtocol.submit`."""
        return await self.call(self.submission.name, submission_arguments(self.submission, answer))


class _WorkerClient:
    """The run's end of the channel to a worker. Use `_WorkerClient.connect`."""

    _channel: JsonChannel

    def __init__(self) -> None:
        self._alive = True
        self._responses: dict[int, asyncio.Future[Any]] = {READY: asyncio.get_running_loop().create_future()}
        self._number = READY

    @classmethod
    async def connect(cls, connection: socket.socket) -> "_WorkerClient":
        """Returns a client that uses the socket to a worker that is starting."""
        client = cls()
        client._channel = await JsonChannel.open(connection, client._receive, client._disconnected)
        return client

    def close(self) -> None:
        """Closes the channel, upon which the worker ends."""
        self._channel.close()

    async def ready(self) -> EpisodeWorkerReady:
        """Returns the first message of the worker.

        Raises:
            ConnectionFailedError: the worker does not start.
            RemoteError: the worker cannot serve episodes on this system.
        """
        try:
            return EpisodeWorkerReady.model_validate(await self._responses[READY])
        except ConnectionFailedError:
            raise ConnectionFailedError("The worker process for the episodes did not start.") from None

    def send(self, operation: Operation, *arguments: Any) -> asyncio.Future[Any]:
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


_ENDED = "The worker process for the episodes has ended."
_RESUME = "Continue the run with --resume."


async def _start_process(connection: socket.socket) -> asyncio.subprocess.Process:
    """Starts a worker at the other end of a connection."""
    try:
        return await asyncio.create_subprocess_exec(
            *python_command("codegym_harness.episode_sources.episode_worker", str(connection.fileno())),
            pass_fds=[connection.fileno()],
            env=server_environment(),
            stdin=PIPE,
            stdout=DEVNULL,
            # Signals sent to the process group reach only this process; it stops its own children.
            start_new_session=True,
        )
    except OSError as error:
        raise ConnectionFailedError(f"The worker process cannot be started: {error.strerror}.") from None


async def _wait_for(process: asyncio.subprocess.Process) -> None:
    """Waits for a worker that is ending, and kills it if it does not end."""
    with anyio.CancelScope(shield=True):
        with anyio.move_on_after(_STOP_SECONDS):
            await process.wait()
        if process.returncode is None:
            process.kill()
            await process.wait()
