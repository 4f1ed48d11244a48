"""Starts the workers, starts one again that has ended, and passes connections to them."""

import logging
import math
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import anyio

from codegym_mcp.episodes.shard import Shard
from codegym_mcp.errors import CodegymError
from codegym_mcp.runtime.runtime_assembly import RuntimeOptions
from codegym_mcp.sandbox.process.process_end import process_end
from codegym_mcp.server.http_options import HttpOptions
from codegym_mcp.server.uvicorn_server import GRACE_SECONDS
from codegym_mcp.server.workers.open_episode_table import OpenEpisodeTable
from codegym_mcp.server.workers.worker_channel import ChannelMessage, MessageKind, WorkerChannel
from codegym_mcp.server.workers.worker_requests import request_worker
from codegym_mcp.server.workers.worker_settings import WorkerSettings

logger = logging.getLogger(__name__)

_START_SECONDS = 120.0
_STOP_SECONDS = GRACE_SECONDS + 5.0
_READY_SECONDS = 20.0
"""How long a request waits for a worker that is being started."""
_MAX_UNSENT = 1000
"""Connections that may wait for a worker to receive them."""
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 10.0
"""Pauses in seconds before a worker is started that has ended while it started."""

ReceiveConnection = Callable[[ChannelMessage], object]


class WorkerProcess:
    """One worker, in one process after another.

    Attributes:
        ready: whether it serves requests now.
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
                    # Signals to the group of a terminal or a service are for the control process, which stops
                    # its workers itself.
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
                self._ready.set()
            case MessageKind.FAILED:
                self.failure = message.content.decode()
            case MessageKind.CONNECTION:
                self._receive(message)


class WorkerSupervisor:
    """All workers of a server. Use `run` beside the server.

    Attributes:
        workers: the workers, by their index.
        table: the open episodes of all workers.
    """

    def __init__(
        self,
        command: Sequence[str],
        paths: Sequence[Path],
        runtime: RuntimeOptions,
        http: HttpOptions,
        *,
        host: str | None,
        table: OpenEpisodeTable,
        lock: int | None,
    ) -> None:
        """
        Args:
            command: starts a worker, which reads its settings from its standard input.
            paths: where the environments are; the bundled ones if there are none.
            runtime: how episodes are run, in all workers together.
            http: the options of the server.
            host: the address that the control process is bound to; None for a Unix socket.
            table: the open episodes of all workers.
            lock: the descriptor of the lock on the data folder, which the workers keep too: if the control
                process is killed, nothing else uses the folder before they have ended.
        """
        self.table = table
        self._inherited = [table.descriptor, *([] if lock is None else [lock])]
        self._keeps_episodes = runtime.data is not None
        self._stopping = False
        self._receive: ReceiveConnection = _close
        self.workers = [
            WorkerProcess(
                WorkerSettings(
                    paths=[*paths],
                    runtime=_part_of(runtime, Shard(index, table.workers)),
                    http=http,
                    host=host,
                    channel=-1,
                    table=table.descriptor,
                ),
                command,
                self._pass_on,
            )
            for index in range(table.workers)
        ]

    @property
    def ready_count(self) -> int:
        """The number of workers that serve requests now."""
        return sum(worker.ready for worker in self.workers)

    async def start(self) -> bool:
        """Starts all workers, and returns once they serve; returns False if they were stopped meanwhile.

        Raises:
            CodegymError: a worker cannot be started; the others are stopped.
        """
        for worker in self.workers:
            worker.start(self._inherited)
        failed: list[WorkerProcess] = []

        async def watch(worker: WorkerProcess) -> None:
            async with anyio.create_task_group() as race:

                async def wait_for_end() -> None:
                    await worker.end()
                    failed.append(worker)
                    tasks.cancel_scope.cancel()

                race.start_soon(wait_for_end)
                await worker.wait_until_ready()
                race.cancel_scope.cancel()

        try:
            with anyio.fail_after(_START_SECONDS):
                async with anyio.create_task_group() as tasks:
                    for worker in self.workers:
                        tasks.start_soon(watch, worker)
        except TimeoutError:
            raise CodegymError(f"The workers did not start within {_START_SECONDS:g} seconds.") from None
        if failed and not self._stopping:
            reason = failed[0].failure or "its messages are above this one"
            raise CodegymError(f"Worker {failed[0].number} did not start: {reason}")
        return not self._stopping

    async def keep_running(self, receive: ReceiveConnection) -> None:
        """Starts workers again that end, until `stop` is called and all have ended.

        Args:
            receive: called with each connection that a worker passes on to the control process.
        """

        self._receive = receive
        async with anyio.create_task_group() as tasks:
            for worker in self.workers:
                tasks.start_soon(self._keep_running, worker)

    def _pass_on(self, message: ChannelMessage) -> None:
        """Passes a connection of one worker to another, or to the control process."""
        assert message.connection is not None
        if message.target < len(self.workers) and self.workers[message.target].ready:
            self.workers[message.target].send_connection(message.connection.detach(), message.content)
        else:
            self._receive(message)

    async def _keep_running(self, worker: WorkerProcess) -> None:
        pause = _FIRST_PAUSE
        while True:
            was_ready = worker.ready
            code = await worker.end()
            self.table.clear(worker.number - 1)
            if self._stopping:
                return
            self._report(worker, code)
            pause = _FIRST_PAUSE if was_ready else min(pause * 2, _LONGEST_PAUSE)
            worker.restarts += 1
            while not self._stopping:
                await anyio.sleep(0 if was_ready else pause)
                try:
                    worker.start(self._inherited)
                    break
                except CodegymError as error:
                    logger.error("%s It is tried again in %g seconds.", error, pause)
                    was_ready = False
            else:
                return

    def _report(self, worker: WorkerProcess, code: int) -> None:
        how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        if worker.failure:
            how += f" ({worker.failure})"
        follows = (
            "It is started again, and its episodes continue."
            if self._keeps_episodes
            else "It is started again. Its episodes are lost, since the server has no --data; they are not "
            "scored."
        )
        logger.warning("Worker %d %s. %s", worker.number, how, follows)

    def stop(self) -> None:
        """Tells all workers to stop; the second time, without waiting for open calls."""
        self._stopping = True
        for worker in self.workers:
            worker.stop()

    async def close(self) -> None:
        """Stops all workers and waits for their end; those that do not end in time are killed."""
        with anyio.CancelScope(shield=True):
            if not self._stopping:
                self.stop()
            for worker in self.workers:
                if worker.pid is None:
                    continue
                with anyio.move_on_after(_STOP_SECONDS):
                    await worker.end()
                    continue
                worker.stop(signal.SIGKILL)
                await worker.end()


def _part_of(runtime: RuntimeOptions, shard: Shard) -> RuntimeOptions:
    """Returns the options of one worker: what is kept is divided among all."""
    keep = runtime.retention
    part = keep.model_copy(
        update={
            "events_count": math.ceil(keep.events_count / shard.count),
            "verdicts_count": math.ceil(keep.verdicts_count / shard.count),
            "journal_bytes": None if keep.journal_bytes is None else keep.journal_bytes // shard.count,
        }
    )
    return replace(runtime, retention=part, shard=shard)


def _close(message: ChannelMessage) -> None:
    if message.connection is not None:
        message.connection.close()
