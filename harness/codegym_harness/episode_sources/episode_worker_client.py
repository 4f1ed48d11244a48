"""Episodes of a worker process, for agents whose calls this process makes itself.

The agent does not notice a difference to MCP, but an MCP client would take more time than everything else.
In this process, the episodes would compete for the processor with the requests of the agents.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import anyio

from codegym_harness.episode_sources.episode_source import Assignment, OpenEpisode
from codegym_harness.episode_sources.episode_worker_service import (
    EpisodeWorkerOptions,
    EpisodeWorkerReady,
    Operation,
    WorkerEpisodeInfo,
)
from codegym_harness.processes.worker_process import WorkerProcess
from codegym_harness.records.trajectory import Transport
from codegym_mcp.control_plane_messages import EpisodeInfo
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episode_protocol import CallResult, TaskView, ToolView
from codegym_mcp.errors import CodegymError
from codegym_mcp.policies.tool_schemas import submission_arguments

_CLOSE_SECONDS = 5
_WORKER = "codegym_harness.episode_sources.episode_worker_service"


class WorkerEpisodes:
    """Episodes of a worker process. Use `WorkerEpisodes.start`.

    Attributes:
        ready: the environments of the worker.
        process: the worker.
    """

    def __init__(self, worker: WorkerProcess, ready: EpisodeWorkerReady, limits: Limits) -> None:
        self.process = worker.process
        self.ready = ready
        self._worker = worker
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
        async with WorkerProcess.start(_WORKER, options) as worker:
            yield cls(worker, EpisodeWorkerReady.model_validate(await worker.ready()), limits or Limits())

    @asynccontextmanager
    async def open(self, assignment: Assignment) -> AsyncIterator[OpenEpisode]:
        """Opens an episode; see `EpisodeSource.open`."""
        request = assignment.request(self._limits)
        opening = self._worker.send(Operation.OPEN, request.model_dump(mode="json", exclude_defaults=True))
        try:
            opened = WorkerEpisodeInfo.model_validate(await asyncio.shield(opening))
        except asyncio.CancelledError:
            opening.add_done_callback(self._close_opened)
            raise

        async def read_status() -> EpisodeInfo:
            return EpisodeInfo.model_validate(await self._worker.send(Operation.STATUS, opened.id))

        try:
            episode = _WorkerEpisode(self._worker, opened)
            yield OpenEpisode(opened.id, episode, Transport.DIRECT, read_status, self._limits.calls)
        finally:
            with anyio.move_on_after(_CLOSE_SECONDS, shield=True), suppress(CodegymError):
                await self._worker.send(Operation.CLOSE, opened.id)

    def _close_opened(self, opening: asyncio.Future[Any]) -> None:
        """Closes an episode whose opening was cancelled, if the worker has opened it."""
        if not opening.cancelled() and opening.exception() is None:
            with suppress(CodegymError):
                self._worker.send(Operation.CLOSE, opening.result()["id"])


class _WorkerEpisode:
    """An episode of a worker. It is an `EpisodeProtocol`."""

    def __init__(self, worker: WorkerProcess, opened: WorkerEpisodeInfo) -> None:
        self._worker = worker
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
        response = self._worker.send(Operation.CALL, self._opened.id, name, arguments)
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
