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
from subprocess import DEVNULL
from typing import Any

import anyio

from codegym_mcp.errors import CodegymError, ConnectionFailedError, RunHaltedError
from codegym_mcp.limits import Limits
from codegym_mcp.playable import CallResult, TaskView, ToolView
from codegym_mcp.players.schemas import answer_parameter
from codegym_mcp.server.control import EpisodeInfo
from harness.host import HostedEpisodeInfo, HostOptions, HostReady
from harness.line import Line
from harness.sources import Assignment, OpenEpisode

_START_SECONDS = 60
_STOP_SECONDS = 15
_KEPT = ("HOME", "LANG", "LC_ALL", "PATH", "TMPDIR")


class HostedEpisodes:
    """Episodes of a host. Use `HostedEpisodes.start`.

    Attributes:
        ready: what the host said of its environments.
        process: the host.
    """

    def __init__(
        self, process: asyncio.subprocess.Process, host: "_Host", ready: HostReady, limits: Limits
    ) -> None:
        self.process = process
        self.ready = ready
        self._host = host
        self._limits = limits

    @classmethod
    @asynccontextmanager
    async def start(
        cls, options: HostOptions, limits: Limits | None = None
    ) -> AsyncIterator["HostedEpisodes"]:
        """Starts a host, which ends when the block is left.

        Raises:
            ConnectionFailedError: it does not start.
            CodegymError: it cannot hold episodes here.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                process = await _start_process(theirs, options)
            except BaseException:
                ours.close()
                raise
        try:
            host = await _Host.connect(ours)
            try:
                yield cls(process, host, await host.ready(), limits or Limits())
            finally:
                host.close()
        finally:
            await _wait_for(process)

    @asynccontextmanager
    async def open(self, assignment: Assignment) -> AsyncIterator[OpenEpisode]:
        request = assignment.request(self._limits)
        asked = request.model_dump(mode="json", exclude_defaults=True)
        opened = HostedEpisodeInfo.model_validate(await self._host.ask("open", asked))

        async def standing() -> EpisodeInfo:
            return EpisodeInfo.model_validate(await self._host.ask("standing", opened.id))

        try:
            yield OpenEpisode(opened.id, _HostedEpisode(self._host, opened), standing)
        finally:
            with anyio.CancelScope(shield=True), suppress(CodegymError):
                await self._host.ask("close", opened.id)


class _HostedEpisode:
    """An episode of a host. It is a `Playable`."""

    def __init__(self, host: "_Host", opened: HostedEpisodeInfo) -> None:
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
        """Calls a tool; see `Playable.call`. Once made, it is waited for, also by who is cancelled.

        Raises:
            ConnectionFailedError: the host is no longer there.
        """
        with anyio.CancelScope(shield=True):
            made = await self._host.ask("call", self._opened.id, name, arguments)
        return CallResult.model_validate(made)

    async def submit(self, answer: Any) -> CallResult:
        """Submits the answer; see `Playable.submit`."""
        return await self.call(self.submission.name, {answer_parameter(self.submission): answer})


class _Host:
    """This end of the line to a host. Use `_Host.connect`."""

    _line: Line

    def __init__(self) -> None:
        self._lives = True
        self._answers: dict[int, asyncio.Future[Any]] = {0: asyncio.get_running_loop().create_future()}
        self._number = 0

    @classmethod
    async def connect(cls, connection: socket.socket) -> "_Host":
        """Takes over the socket to a host that is starting."""
        host = cls()
        host._line = await Line.open(connection, host._receive, host._lose)
        return host

    def close(self) -> None:
        """Lets the host end."""
        self._line.close()

    async def ready(self) -> HostReady:
        """What it says first.

        Raises:
            ConnectionFailedError: it does not start.
            CodegymError: it cannot hold episodes here.
        """
        try:
            with anyio.fail_after(_START_SECONDS):
                return HostReady.model_validate(await self._answers[0])
        except (ConnectionFailedError, TimeoutError):
            raise ConnectionFailedError("The process that holds the episodes did not start.") from None

    async def ask(self, name: str, *arguments: Any) -> Any:
        """Asks the host for something.

        Raises:
            RunHaltedError: it has ended.
            ConnectionFailedError: it ended before it answered.
            CodegymError: it refuses.
        """
        if not self._lives:
            raise RunHaltedError(_ENDED, hint=_GO_ON)
        self._number += 1
        answer = self._answers[self._number] = asyncio.get_running_loop().create_future()
        self._line.send([self._number, name, *arguments])
        return await answer

    def _receive(self, message: list[Any]) -> None:
        number, status, value = message
        answer = self._answers.pop(number)
        if answer.cancelled():
            return
        if status == "ok":
            answer.set_result(value)
        else:
            answer.set_exception(CodegymError(**value))

    def _lose(self) -> None:
        self._lives = False
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(ConnectionFailedError(_ENDED, hint=_GO_ON))
                # Nobody may be waiting for it any more.
                answer.exception()


_ENDED = "The process that holds the episodes has ended."
_GO_ON = "Its last words are above. Go on with --resume."


async def _start_process(connection: socket.socket, options: HostOptions) -> asyncio.subprocess.Process:
    """Starts a host at the other end of a connection."""
    try:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            # -P: nothing in the working directory shadows a module.
            *("-P", "-m", "harness.host", str(connection.fileno()), options.model_dump_json()),
            pass_fds=[connection.fileno()],
            env=_environ(),
            stdin=DEVNULL,
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
