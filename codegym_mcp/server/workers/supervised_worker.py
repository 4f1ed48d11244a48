"""One worker as the supervisor process sees it: its process, its channel, and whether it serves requests."""

import os
import signal
import socket
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress

import anyio

from codegym_mcp.errors import CodegymError
from codegym_mcp.sandbox.process.process_end import process_end
from codegym_mcp.server.workers.requests_between_processes import request_worker
from codegym_mcp.server.workers.supervisor_channel import ChannelMessage, MessageKind, WorkerChannel
from codegym_mcp.server.workers.worker_settings import WorkerSettings

_READY_SECONDS = 30.0
"""How long a request waits for a worker that is being started."""
_MAX_UNSENT = 1000
"""Connections that may wait for a worker to receive them."""

ReceiveConnection = Callable[[ChannelMessage], object]


class SupervisedWorker:
    """One worker, in one process after another.

    Attributes:
        ready: whether it serves requests now.
        ready_since: when the last process began to serve, in seconds of the loop's clock, or None.
        restarts: how often it was started again.
    """

    def __init__(self, settings: WorkerSettings, command: Sequence[str], receive: ReceiveConnection) -> None:
        """
        Args:
            settings: of the worker; its channel is created with each process.
            command: starts the worker.
            receive: called with each connection that the worker passes on.
        """
        self.restarts = 0
        self.ready_since: float | None = None
        self.failure = ""
        self._settings = settings
        self._command = command
        self._receive = receive
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: WorkerChannel | None = None
        self._ready = anyio.Event()

    @property
    def number(self) -> int:
        """The number of the worker, from 1."""
        return self._settings.runtime.shard.index + 1

    @property
    def ready(self) -> bool:
        """Whether the worker serves requests now."""
        return self._ready.is_set()

    @property
    def pid(self) -> int | None:
        """The id of the process, or None before the first one."""
        return self._process.pid if self._process is not None else None

    def start(self, inherited: Sequence[int]) -> None:
        """Starts a process.

        Args:
            inherited: descriptors that the process inherits besides its channel.

        Raises:
            CodegymError: it cannot be started.
        """
        self.failure = ""
        self.ready_since = None
        ours, theirs = socket.socketpair()
        with theirs:
            settings = self._settings.model_copy(
                update={"channel": theirs.fileno(), "lost_episodes": self._has_lost_episodes}
            )
            try:
                process = subprocess.Popen(
                    self._command,
                    pass_fds=[theirs.fileno(), *inherited],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    # Signals to the group of a terminal or a service are for the supervisor process, which
                    # stops its workers itself.
                    process_group=0,
                )
            except OSError as error:
                ours.close()
                raise CodegymError(f"A worker cannot be started: {error}.") from None
        self._process = process
        self._channel = WorkerChannel(ours, self._on_message, lambda: None)
        assert process.stdin is not None
        # Tokens are among the settings: others can read the arguments of a process.
        with suppress(BrokenPipeError), process.stdin as pipe:
            pipe.write(settings.model_dump_json().encode())

    @property
    def _has_lost_episodes(self) -> bool:
        return self.restarts > 0 and self._settings.runtime.data is None

    async def end(self) -> int:
        """Waits until the process has ended, and returns its exit code."""
        assert self._process is not None
        assert self._channel is not None
        code = await process_end(self._process)
        # What it said last is read first.
        await anyio.lowlevel.checkpoint()
        self._channel.close()
        if self.ready:
            self._ready = anyio.Event()
        return code

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Sends a signal to the process, if it runs."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    async def wait_until_ready(self) -> None:
        """Waits until the process serves requests."""
        await self._ready.wait()

    async def is_ready(self) -> bool:
        """Waits until requests can be served; returns False if that takes too long."""
        with anyio.move_on_after(_READY_SECONDS):
            while not self.ready:
                await self._ready.wait()
        return self.ready and self._channel is not None and self._channel.unsent < _MAX_UNSENT

    def send_connection(self, descriptor: int, request: bytes) -> None:
        """Passes a connection to the process; it is closed if there is none."""
        if self._channel is None:
            os.close(descriptor)
        else:
            self._channel.send_connection(descriptor, request, self._settings.runtime.shard.index)

    async def request(self, path: str) -> tuple[int, bytes]:
        """Sends a GET request to the worker; see `request_worker`."""
        return await request_worker(self.send_connection, path, self._settings.http.token)

    def _on_message(self, message: ChannelMessage) -> None:
        match message.kind:
            case MessageKind.READY:
                self.ready_since = anyio.current_time()
                self._ready.set()
            case MessageKind.FAILED:
                self.failure = message.content.decode()
            case MessageKind.CONNECTION:
                self._receive(message)
