"""Episodes in a process beside this one, for agents that this process plays itself.

To an agent a protocol between would make no difference, and an MCP client would take longer than all else.
In this process itself, episodes would take its processor from the agents' requests.
"""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from subprocess import DEVNULL, PIPE
from typing import Any

import anyio

from codegym_harness.episode_sources.episode_worker import (
    EpisodeWorkerOptions,
    EpisodeWorkerReady,
    WorkerEpisodeInfo,
)
from codegym_harness.episode_sources.sources import Assignment, OpenEpisode
from codegym_harness.processes.json_channel import JsonChannel
from codegym_mcp.episode_interface import CallResult, TaskView, ToolView
from codegym_mcp.errors import CodegymError, ConnectionFailedError, RemoteError, RunHaltedError
from codegym_mcp.limits import Limits
from codegym_mcp.policies.tool_schemas import answer_parameter
from codegym_mcp.server.control_plane import EpisodeInfo

_CLOSE_SECONDS = 5
_STOP_SECONDS = 15
_KEPT = ("HOME", "LANG", "LC_ALL", "PATH", "TMPDIR")


class WorkerEpisodes:
    """Episodes of a host. Use `WorkerEpisodes.start`.

    Attributes:
        ready: what the host said of its environments.
        process: the host.
    """

    def __init__(
        self, process: asyncio.subprocess.Process, host: "_Host", ready: EpisodeWorkerReady, limits: Limits
    ) -> None:
        self.process = process
        self.ready = ready
        self._host = host
        self._limits = limits

    @classmethod
    @asynccontextmanager
    async def start(
        cls, options: EpisodeWorkerOptions, limits: Limits | None = None
    ) -> AsyncIterator["WorkerEpisodes"]:
        """Starts a host, which ends when the block is left.

        Raises:
            ConnectionFailedError: it does not start.
            RemoteError: it cannot hold episodes here.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                process = await _start_process(theirs)
            except BaseException:
                ours.close()
                raise
        try:
            host = await _Host.connect(ours)
            try:
                assert process.stdin is not None
                process.stdin.write(options.model_dump_json().encode())
                process.stdin.close()
                yield cls(process, host, await host.ready(), limits or Limits())
            finally:
                host.close()
        finally:
            await _wait_for(process)

    @asynccontextmanager
    async def open(self, assignment: Assignment) -> AsyncIterator[OpenEpisode]:
        request = assignment.request(self._limits)
        opening = self._host.begin("open", request.model_dump(mode="json", exclude_defaults=True))
        try:
            opened = WorkerEpisodeInfo.model_validate(await asyncio.shield(opening))
        except asyncio.CancelledError:
            opening.add_done_callback(self._give_up)
            raise

        async def standing() -> EpisodeInfo:
            return EpisodeInfo.model_validate(await self._host.begin("standing", opened.id))

        try:
            yield OpenEpisode(opened.id, _HostedEpisode(self._host, opened), standing)
        finally:
            with anyio.move_on_after(_CLOSE_SECONDS, shield=True), suppress(CodegymError):
                await self._host.begin("close", opened.id)

    def _give_up(self, opening: asyncio.Future[Any]) -> None:
        """Closes an episode that nobody waits for any more, should it have been opened."""
        if not opening.cancelled() and opening.exception() is None:
            with suppress(CodegymError):
                self._host.begin("close", opening.result()["id"])


class _HostedEpisode:
    """An episode of a host. It is a `Playable`."""

    def __init__(self, host: "_Host", opened: WorkerEpisodeInfo) -> None:
        self._host = host
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
        """Calls a tool; see `Playable.call`. Once asked for it is made, also when its caller is cancelled.

        Raises:
            ConnectionFailedError: the host is no longer there.
        """
        answer = self._host.begin("call", self._opened.id, name, arguments)
        try:
            return CallResult.model_validate(await asyncio.shield(answer))
        except asyncio.CancelledError:
            # Whoever looks at the episode next finds it made.
            with anyio.CancelScope(shield=True):
                await asyncio.wait([answer], timeout=_CLOSE_SECONDS)
            raise

    async def submit(self, answer: Any) -> CallResult:
        """Submits the answer; see `Playable.submit`."""
        return await self.call(self.submission.name, {answer_parameter(self.submission): answer})


class _Host:
    """This end of the line to a host. Use `_Host.connect`."""

    _line: JsonChannel

    def __init__(self) -> None:
        self._lives = True
        self._answers: dict[int, asyncio.Future[Any]] = {0: asyncio.get_running_loop().create_future()}
        self._number = 0

    @classmethod
    async def connect(cls, connection: socket.socket) -> "_Host":
        """Takes over the socket to a host that is starting."""
        host = cls()
        host._line = await JsonChannel.open(connection, host._receive, host._lose)
        return host

    def close(self) -> None:
        """Lets the host end."""
        self._line.close()

    async def ready(self) -> EpisodeWorkerReady:
        """What it says first.

        Raises:
            ConnectionFailedError: it does not start.
            RemoteError: it cannot hold episodes here.
        """
        try:
            return EpisodeWorkerReady.model_validate(await self._answers[0])
        except ConnectionFailedError:
            raise ConnectionFailedError("The process that holds the episodes did not start.") from None

    def begin(self, name: str, *arguments: Any) -> asyncio.Future[Any]:
        """Asks the host for something; returns where the answer will be.

        The answer may be an error: `ConnectionFailedError` where the host ended before it answered,
        `RemoteError` where it refuses.

        Raises:
            RunHaltedError: it has ended.
        """
        if not self._lives:
            raise RunHaltedError(_ENDED, hint=_GO_ON)
        self._number += 1
        self._line.send([self._number, name, *arguments])
        answer = self._answers[self._number] = asyncio.get_running_loop().create_future()
        return answer

    def _receive(self, message: list[Any]) -> None:
        number, status, value = message
        answer = self._answers.pop(number)
        if answer.cancelled():
            return
        if status == "ok":
            answer.set_result(value)
        else:
            answer.set_exception(RemoteError(**value))
            answer.exception()  # Nobody may be waiting for it any more.

    def _lose(self) -> None:
        self._lives = False
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(ConnectionFailedError(_ENDED, hint=_GO_ON))
                answer.exception()


_ENDED = "The process that holds the episodes has ended."
_GO_ON = "Go on with --resume."


async def _start_process(connection: socket.socket) -> asyncio.subprocess.Process:
    """Starts a host at the other end of a connection."""
    try:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            # -P: nothing in the working directory shadows a module.
            *("-P", "-m", "codegym_harness.episode_sources.episode_worker", str(connection.fileno())),
            pass_fds=[connection.fileno()],
            env=_environ(),
            stdin=PIPE,
            stdout=DEVNULL,
            # What a terminal sends to all its processes is for this one, which ends its own.
            start_new_session=True,
        )
    except OSError as error:
        raise ConnectionFailedError(f"No process can be started: {error.strerror}.") from None


def _environ() -> dict[str, str]:
    """What a host is told of the surroundings: nothing that could be a secret, whatever its name."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


async def _wait_for(process: asyncio.subprocess.Process) -> None:
    """Waits for a host that is ending, and makes it end if it does not."""
    with anyio.CancelScope(shield=True):
        with anyio.move_on_after(_STOP_SECONDS):
            await process.wait()
        if process.returncode is None:
            process.kill()
            await process.wait()
