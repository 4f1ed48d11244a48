"""The worker process that holds the episodes of a run.

It is started as `python -m codegym_harness.episode_sources.episode_worker DESCRIPTOR` with its options on
stdin, and ends when the other end of its channel is closed.

Messages are JSON values on a `JsonChannel`. A request is `[number, operation, *arguments]`; its response is
`[number, "ok", value]` or `[number, "error", {"kind", "message", "hint"}]`. Any number of requests may be in
progress. The worker sends response 0 without a request, when episodes can be opened.
"""

import asyncio
import socket
import sys
import traceback
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import Any

import anyio
from pydantic import BaseModel

from codegym_harness.processes.json_channel import JsonChannel
from codegym_harness.processes.python_garbage_collector import rare_collections
from codegym_mcp.control_plane_messages import EpisodeInfo, OpenRequest
from codegym_mcp.episode_interface import TaskView, ToolView
from codegym_mcp.episodes.episode_manager import EpisodeManager
from codegym_mcp.episodes.episode_settings import EpisodeSettings
from codegym_mcp.episodes.journal import Journal
from codegym_mcp.errors import CodegymError
from codegym_mcp.runtime.open_file_limit import raise_open_file_limit
from codegym_mcp.sandbox.confinement.linux_functions import use_batch_scheduling
from codegym_mcp.sandbox.process.pool import SERVING_CPU_GRACE, SandboxPool
from codegym_mcp.spec.catalog import Catalog
from codegym_mcp.spec.environment_info import EnvironmentInfo
from codegym_mcp.spec.environment_query import chosen_environments

READY = 0
"""The number of the response that the worker sends without a request."""


class Operation(StrEnum):
    """What a worker can be asked to do."""

    OPEN = "open"
    CALL = "call"
    STATUS = "status"
    CLOSE = "close"


class ResponseStatus(StrEnum):
    """Whether an operation succeeded."""

    OK = "ok"
    ERROR = "error"


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


class WorkerEpisodeInfo(BaseModel):
    """An episode that a worker has opened."""

    id: str
    task: TaskView
    tools: list[ToolView]
    submission: ToolView


class WorkerError(BaseModel):
    """An error as a worker sends it."""

    kind: str
    """The name of the error's type."""
    message: str
    hint: str = ""

    @classmethod
    def of(cls, error: Exception) -> "WorkerError":
        """Returns the message for an error."""
        kind = type(error).__name__
        if isinstance(error, CodegymError):
            return cls(kind=kind, message=error.message, hint=error.hint)
        return cls(kind=kind, message=f"{kind}: {error}.")


class EpisodeWorker:
    """Executes the requests of a run. Use `EpisodeWorker.connect`."""

    channel: JsonChannel

    def __init__(self, episodes: EpisodeManager) -> None:
        self._episodes = episodes
        self._in_progress: set[asyncio.Task[None]] = set()

    @classmethod
    async def connect(cls, connection: socket.socket, episodes: EpisodeManager) -> "EpisodeWorker":
        """Returns a worker that responds over a connected socket."""
        worker = cls(episodes)
        worker.channel = await JsonChannel.open(connection, worker._receive)
        return worker

    def _receive(self, request: list[Any]) -> None:
        task = asyncio.get_running_loop().create_task(self._respond(*request))
        self._in_progress.add(task)
        task.add_done_callback(self._in_progress.discard)

    async def _respond(self, number: int, operation: str, *arguments: Any) -> None:
        try:
            value = await self._execute(Operation(operation), *arguments)
            self.channel.send([number, ResponseStatus.OK, value.model_dump(mode="json")])
        except CodegymError as error:
            self._send_error(number, error)
        except Exception as error:
            # Without a response, the run would wait for ever.
            traceback.print_exc()
            self._send_error(number, error)

    def _send_error(self, number: int, error: Exception) -> None:
        self.channel.send([number, ResponseStatus.ERROR, WorkerError.of(error).model_dump()])

    async def _execute(self, operation: Operation, *arguments: Any) -> BaseModel:
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
        episode = await self._episodes.open_task(
            request.environment,
            task=request.task,
            difficulty=request.difficulty,
            seed=request.seed,
            settings=EpisodeSettings(limits=request.limits),
        )
        return WorkerEpisodeInfo(
            id=episode.id, task=episode.task, tools=list(episode.tools), submission=episode.submission
        )

    async def _close(self, episode_id: str) -> EpisodeInfo:
        """Closes an episode and forgets it."""
        episode = self._episodes.by_id(episode_id)
        await episode.close("The agent has ended.")
        self._episodes.forget(episode)
        return EpisodeInfo.of(episode)


async def serve_episodes(connection: socket.socket, options: EpisodeWorkerOptions) -> None:
    """Serves episodes until the other end of the connection is closed."""
    try:
        async with _episodes(options) as (catalog, episodes):
            worker = await EpisodeWorker.connect(connection, episodes)
            ready = EpisodeWorkerReady(
                environments=chosen_environments(catalog, options.globs),
                problems=[str(problem) for problem in catalog.problems()],
            )
            with rare_collections():
                worker.channel.send([READY, ResponseStatus.OK, ready.model_dump(mode="json")])
                await worker.channel.ended.wait()
    except _StartError as error:
        channel = await JsonChannel.open(connection, lambda _: None)
        channel.send([READY, ResponseStatus.ERROR, WorkerError.of(error.reason).model_dump()])
        channel.close()
        await channel.ended.wait()


@asynccontextmanager
async def _episodes(options: EpisodeWorkerOptions) -> AsyncIterator[tuple[Catalog, EpisodeManager]]:
    async with AsyncExitStack() as stack:
        try:
            catalog = Catalog.load(options.paths)
            pool = await stack.enter_async_context(
                SandboxPool.open(allow_unconfined=options.allow_unconfined, cpu_grace=SERVING_CPU_GRACE)
            )
            journal = stack.enter_context(Journal.open())
            episodes = await stack.enter_async_context(
                EpisodeManager.serve(catalog, pool, journal, open_limit=options.open_limit)
            )
        except CodegymError as error:
            raise _StartError(error) from None
        yield catalog, episodes


class _StartError(Exception):
    """Episodes cannot be served; `reason` is the error to report."""

    def __init__(self, reason: CodegymError) -> None:
        super().__init__(str(reason))
        self.reason = reason


def main() -> None:
    """Serves episodes over the socket whose descriptor is the first argument of the command line."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    connection.set_inheritable(False)
    options = EpisodeWorkerOptions.model_validate_json(sys.stdin.buffer.read())
    raise_open_file_limit()
    # The requests of agents to their models have priority over the episodes.
    with suppress(OSError):
        use_batch_scheduling()
    anyio.run(serve_episodes, connection, options, backend_options={"use_uvloop": sys.platform != "win32"})


if __name__ == "__main__":
    main()
