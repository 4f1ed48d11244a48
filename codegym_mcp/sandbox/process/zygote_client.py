"""The server's end of the zygote: starts it, requests processes from it, and ends it."""

import asyncio
import contextlib
import functools
import json
import os
import signal
import socket
from collections import deque
from collections.abc import Collection
from typing import Any

from pydantic import TypeAdapter, ValidationError

from codegym_mcp.errors import SandboxError
from codegym_mcp.sandbox.confinement.confinement_layers import Layer, Layers
from codegym_mcp.sandbox.process.forked_process import ForkedProcess
from codegym_mcp.sandbox.process.message_frames import FrameReader, pack
from codegym_mcp.sandbox.process.zygote_start import ZygoteProcess

_START_SECONDS = 30.0
_END_SECONDS = 5.0
_MAX_PENDING_FORKS = 32
"""Requests on their way; more would only fill the socket's buffer."""

_layers_type = TypeAdapter(Layers)


class ZygoteClient:
    """A running zygote. Use `ZygoteClient.start()`.

    Attributes:
        layers: the state of each layer of confinement, as the zygote reported it.
        alive: whether it accepts requests.
    """

    def __init__(self, process: ZygoteProcess, control: socket.socket) -> None:
        self.layers: Layers = {}
        self.alive = True
        self._process = process
        self._control = control
        self._reader = FrameReader()
        self._descriptors: deque[int] = deque()
        self._responses: deque[asyncio.Future[Any]] = deque()
        self._pending_connections: set[socket.socket] = set()
        self._fork_slots = asyncio.Semaphore(_MAX_PENDING_FORKS)
        asyncio.get_running_loop().add_reader(control, self._read_responses)

    @classmethod
    async def start(cls, disabled: Collection[Layer] = (), *, hash_seed: int = 0) -> "ZygoteClient":
        """Starts a zygote and waits until it is confined.

        The kernel kills the zygote when the thread that runs this loop ends.

        Args:
            disabled: layers to leave out; only tests do this.
            hash_seed: decides in which order processes iterate over sets of strings.

        Raises:
            SandboxError: it cannot be started.
        """
        try:
            client = cls._exec(disabled, hash_seed)
        except OSError as error:
            raise SandboxError(f"The zygote cannot be started: {error}") from None
        try:
            async with asyncio.timeout(_START_SECONDS):
                client.layers = _layers_type.validate_python(await client._next_response())
        except (SandboxError, ValidationError, TimeoutError) as error:
            reason = await client.close() or str(error) or "it took too long"
            raise SandboxError(f"The zygote did not start: {reason}.") from None
        except BaseException:
            await client.close()
            raise
        return client

    @classmethod
    def _exec(cls, disabled: Collection[Layer], hash_seed: int) -> "ZygoteClient":
        ours, theirs = socket.socketpair()
        with theirs:
            ours.setblocking(False)
            try:
                process = ZygoteProcess(theirs, disabled, hash_seed)
            except BaseException:
                ours.close()
                raise
        return cls(process, ours)

    @property
    def pid(self) -> int:
        """The process id of the zygote; with a pid namespace, of the process outside it."""
        return self._process.pid

    async def fork(self, memory: int) -> ForkedProcess:
        """Forks a confined process.

        Args:
            memory: address space that it may use, in bytes.

        Raises:
            SandboxError: no process was forked; `alive` says whether another attempt can succeed.
        """
        async with self._fork_slots:
            try:
                ours, theirs = socket.socketpair()
            except OSError as error:
                raise SandboxError(
                    f"No process could be started: {error.strerror}.",
                    hint="Raise the limit of open files (ulimit -n), or keep fewer episodes open.",
                ) from None
            with theirs:
                ours.setblocking(False)
                self._pending_connections.add(ours)
                response = self._request({"fork": memory}, theirs.fileno())
            try:
                forked = await asyncio.shield(response)
                return self._forked_process(ours, forked)
            except BaseException:
                ours.close()
                response.add_done_callback(self._kill_unclaimed)
                raise
            finally:
                self._pending_connections.discard(ours)

    def _forked_process(self, connection: socket.socket, response: dict[str, Any]) -> ForkedProcess:
        kill = functools.partial(self._kill, response["pid"])
        return ForkedProcess(connection, kill, response.get("pidfd"))

    def _request(self, request: dict[str, int], *descriptors: int) -> asyncio.Future[Any]:
        if self.alive:
            try:
                socket.send_fds(self._control, [pack(json.dumps(request).encode())], descriptors)
            except OSError:
                self._end("The zygote does not accept requests.")
        return self._next_response()

    def _next_response(self) -> asyncio.Future[Any]:
        response: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self.alive:
            self._responses.append(response)
        else:
            response.set_exception(SandboxError("The zygote has ended."))
        return response

    def _read_responses(self) -> None:
        try:
            data, descriptors, _, _ = socket.recv_fds(self._control, 65536, 16)
        except BlockingIOError:
            return
        except OSError:
            data, descriptors = b"", []
        self._descriptors.extend(descriptors)
        if not data:
            self._end("The zygote ended.")
            return
        for body in self._reader.feed(data):
            self._settle(self._responses.popleft(), json.loads(body))

    def _settle(self, response: asyncio.Future[Any], message: dict[str, Any]) -> None:
        if "error" in message:
            response.set_exception(SandboxError(f"No process could be started: {message['error']}."))
        elif "pid" not in message or not self.layers[Layer.PIDFD].active:
            response.set_result(message)
        elif self._descriptors:
            response.set_result(message | {"pidfd": self._descriptors.popleft()})
        else:
            self._request_kill(message["pid"])
            response.set_exception(
                SandboxError(
                    "No process could be started: there are too many open files.",
                    hint="Raise the limit of open files (ulimit -n), or keep fewer episodes open.",
                )
            )

    def _kill_unclaimed(self, response: asyncio.Future[Any]) -> None:
        if not response.cancelled() and response.exception() is None:
            pidfd = response.result().get("pidfd")
            self._kill(response.result()["pid"], pidfd)
            if pidfd is not None:
                os.close(pidfd)

    def _kill(self, pid: int, pidfd: int | None) -> None:
        if pidfd is None:
            self._request_kill(pid)
            return
        try:
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        except ProcessLookupError:
            pass
        except PermissionError:
            # The process is no longer root, and this one is root without the right to kill.
            self._request_kill(pid)

    def _request_kill(self, pid: int) -> None:
        """Requests the zygote to kill a child; a zygote that has ended has no children left."""
        if self.alive:
            with contextlib.suppress(OSError):
                self._control.send(pack(json.dumps({"kill": pid}).encode()))

    def _end(self, reason: str) -> None:
        if self.alive:
            self.alive = False
            asyncio.get_running_loop().remove_reader(self._control)
            self._control.close()
            while self._descriptors:
                os.close(self._descriptors.popleft())
            while self._responses:
                response = self._responses.popleft()
                if not response.done():
                    response.set_exception(SandboxError(reason))

    async def close(self) -> str:
        """Ends the zygote and all processes that it forked, and waits for that.

        Returns:
            The last line that the zygote wrote to stderr.
        """
        self._end("The sandbox is closed.")
        try:
            # It notices that its socket is closed, kills its children, reaps them and ends.
            async with asyncio.timeout(_END_SECONDS):
                await self._process.ended()
        except TimeoutError:
            self._process.kill()
            await self._process.ended()
        return self._process.close()

    def close_descriptors(self) -> None:
        """Closes the zygote's descriptors in a child after `os.fork`; the parent's zygote is not affected.

        The event loop is not touched: its selector is shared with the parent.
        """
        self._process.close_descriptors()
        self.alive = False
        sockets = [self._control, *self._pending_connections]
        for descriptor in [*self._descriptors, *(each.detach() for each in sockets)]:
            with contextlib.suppress(OSError):
                os.close(descriptor)
        self._descriptors.clear()
        self._pending_connections.clear()
