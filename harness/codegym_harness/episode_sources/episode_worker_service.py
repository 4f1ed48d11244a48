"""The worker process that holds the episodes of a run; see `processes.worker_service`.

It is started as `python -m codegym_harness.episode_sources.episode_worker_service DESCRIPTOR` with its
options on stdin.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from codegym_harness.episode_sources.in_process_episodes import close_episode, open_episode
from codegym_harness.processes.worker_service import run_worker
from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.catalog.environment_query import chosen_environments
from codegym_mcp.control_plane_messages import EpisodeInfo, OpenRequest
from codegym_mcp.environment_definition.environment_info import EnvironmentInfo
from codegym_mcp.episode_protocol import TaskView, ToolView
from codegym_mcp.episodes.episode_manager import EpisodeManager
from codegym_mcp.runtime.runtime_assembly import RuntimeOptions, assemble


class Operation(StrEnum):
    """What a worker can be asked to do."""

    OPEN = "open"
    CALL = "call"
    STATUS = "status"
    CLOSE = "close"


class EpisodeWorkerOptions(BaseModel):
    """The settings of a worker."""

    paths: tuple[Path, ...]
    """Files, folders and sets of environments; the bundled environments if empty."""
    globs: tuple[str, ...] = ("*",)
    """Which environments the run may play."""
    open_limit: int
    allow_unconfined: bool


class EpisodeWorkerReady(BaseModel):
    """The first message of a worker."""

    environments: list[EnvironmentInfo]
    problems: list[str]
    """Why some environments cannot be used."""

    @classmethod
    def of(cls, catalog: Catalog, options: EpisodeWorkerOptions) -> "EpisodeWorkerReady":
        """Describes the environments that a run may play."""
        return cls(
            environments=chosen_environments(catalog, options.globs),
            problems=[str(problem) for problem in catalog.problems()],
        )


class WorkerEpisodeInfo(BaseModel):
    """An episode that a worker has opened."""

    id: str
    task: TaskView
    tools: list[ToolView]
    submission: ToolView


class EpisodeWorker:
    """Opens episodes and makes their calls for a run. It is a `WorkerService`."""

    def __init__(self, episodes: EpisodeManager, ready: EpisodeWorkerReady) -> None:
        self._episodes = episodes
        self.ready: BaseModel = ready

    @classmethod
    @asynccontextmanager
    async def open(cls, options: EpisodeWorkerOptions) -> AsyncIterator["EpisodeWorker"]:
        """Opens what episodes need until the block is left.

        Raises:
            CodegymError: the environments cannot be read, or not be confined here.
        """
        async with worker_episodes(options) as episodes:
            yield cls(episodes, EpisodeWorkerReady.of(episodes.catalog, options))

    async def execute(self, operation: str, *arguments: Any) -> BaseModel:
        """Performs an operation of `Operation`; see `WorkerService.execute`."""
        match operation, arguments:
            case Operation.OPEN, [request]:
                return await self._open(OpenRequest.model_validate(request))
            case Operation.CALL, [episode, tool, tool_arguments]:
                return await self._episodes.by_id(episode).call(tool, tool_arguments)
            case Operation.STATUS, [episode]:
                return EpisodeInfo.of(self._episodes.by_id(episode))
            case Operation.CLOSE, [episode]:
                return await self._close(episode)
        raise ValueError(f"{operation} does not take {len(arguments)} arguments")

    async def _open(self, request: OpenRequest) -> WorkerEpisodeInfo:
        episode = await open_episode(self._episodes, request)
        return WorkerEpisodeInfo(
            id=episode.id, task=episode.task, tools=list(episode.tools), submission=episode.submission
        )

    async def _close(self, episode_id: str) -> EpisodeInfo:
        episode = self._episodes.by_id(episode_id)
        await close_episode(self._episodes, episode)
        return EpisodeInfo.of(episode)


@asynccontextmanager
async def worker_episodes(options: EpisodeWorkerOptions) -> AsyncIterator[EpisodeManager]:
    """Opens the episodes of a worker process, with a journal in memory."""
    runtime = RuntimeOptions(open_limit=options.open_limit, allow_unconfined=options.allow_unconfined)
    async with assemble(Catalog.load(options.paths), runtime) as episodes:
        yield episodes


if __name__ == "__main__":
    run_worker(EpisodeWorkerOptions, EpisodeWorker.open)
