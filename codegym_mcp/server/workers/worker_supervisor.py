"""Starts the workers, starts one again that has ended, and passes connections to them."""

import logging
import math
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import anyio

from codegym_mcp.episodes.episode_shards import Shard
from codegym_mcp.errors import CodegymError
from codegym_mcp.runtime.runtime_assembly import RuntimeOptions
from codegym_mcp.server.http_options import HttpOptions
from codegym_mcp.server.uvicorn_server import GRACE_SECONDS
from codegym_mcp.server.workers.open_episode_table import OpenEpisodeTable
from codegym_mcp.server.workers.supervised_worker import ReceiveConnection, SupervisedWorker
from codegym_mcp.server.workers.supervisor_channel import ChannelMessage
from codegym_mcp.server.workers.worker_settings import WorkerSettings

logger = logging.getLogger(__name__)

_START_SECONDS = 120.0
_STOP_SECONDS = GRACE_SECONDS + 5.0
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 10.0
"""Pauses in seconds before a worker is started again that has ended while it started, or soon after."""
_LONG_LIFE = 2.0
"""A worker that has served for so many seconds has started well."""
_MAX_FAILED_STARTS = 8
"""Failed starts of a worker, in a row, after which the server ends. They take about 30 seconds."""


class WorkerSupervisor:
    """All workers of a server. Use `run` beside the server.

    Attributes:
        workers: the workers, by their index.
        table: the open episodes of all workers.
        failure: why the server ends although it was not told to stop, or None.
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
            host: the address that the supervisor process is bound to; None for a Unix socket.
            table: the open episodes of all workers.
            lock: the descriptor of the lock on the data folder, which the workers keep too: if the control
                process is killed, nothing else uses the folder before they have ended.
        """
        self.table = table
        self._inherited = [table.descriptor, *([] if lock is None else [lock])]
        self._keeps_episodes = runtime.data is not None
        self._stopping = False
        self._give_up: Callable[[], object] = lambda: None
        self.failure: CodegymError | None = None
        self._receive: ReceiveConnection = _close
        self.workers = [
            SupervisedWorker(
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
        failed: list[SupervisedWorker] = []

        async def watch(worker: SupervisedWorker) -> None:
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

    async def keep_running(self, receive: ReceiveConnection, give_up: Callable[[], object]) -> None:
        """Starts workers again that end, until `stop` is called and all have ended.

        Args:
            receive: called with each connection that a worker passes on to the supervisor process.
            give_up: called when a worker fails to start again and again; `failure` says why.
        """
        self._receive, self._give_up = receive, give_up
        async with anyio.create_task_group() as tasks:
            for worker in self.workers:
                tasks.start_soon(self._keep_running, worker)

    def _pass_on(self, message: ChannelMessage) -> None:
        """Passes a connection of one worker to another, or to the supervisor process."""
        assert message.connection is not None
        if message.target < len(self.workers) and self.workers[message.target].ready:
            self.workers[message.target].send_connection(message.connection.detach(), message.content)
        else:
            self._receive(message)

    async def _keep_running(self, worker: SupervisedWorker) -> None:
        failed_starts = 0
        while True:
            code = await worker.end()
            self.table.clear(worker.number - 1)
            how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
            if worker.failure:
                how += f" ({worker.failure})"
            failed_starts = 0 if _has_served(worker) else failed_starts + 1
            worker.restarts += 1
            while not self._stopping:
                if failed_starts == _MAX_FAILED_STARTS:
                    self._stop_for(worker, how)
                    return
                self._report(worker, how)
                if failed_starts:
                    await anyio.sleep(min(_FIRST_PAUSE * 2**failed_starts, _LONGEST_PAUSE))
                try:
                    worker.start(self._inherited)
                    break
                except CodegymError as error:
                    how = f"could not be started again ({error})"
                    failed_starts += 1
            else:
                return

    def _stop_for(self, worker: SupervisedWorker, how: str) -> None:
        """Ends the server because of a worker that does not start: its episodes cannot be served."""
        self.failure = CodegymError(
            f"Worker {worker.number} did not start {_MAX_FAILED_STARTS} times in a row. "
            f"The last time it {how}. The server has ended.",
            hint="Correct the cause and start the server again."
            + (" Its episodes continue then." if self._keeps_episodes else ""),
        )
        self._give_up()

    def _report(self, worker: SupervisedWorker, how: str) -> None:
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


def _has_served(worker: SupervisedWorker) -> bool:
    return worker.ready_since is not None and anyio.current_time() - worker.ready_since > _LONG_LIFE


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
