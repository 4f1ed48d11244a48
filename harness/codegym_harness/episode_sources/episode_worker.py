"""The process that holds the episodes of a run: `python -m codegym_harness.episode_sources.episode_worker DESCRIPTOR`, its options on stdin.

The run asks over a line (`codegym_harness.processes.json_channel`), any number of things at once: `[number, name, *arguments]` is
answered by `[number, "ok", value]` or `[number, "error", {"kind", "message", "hint"}]`. Number 0 is answered
without being asked, when the episodes can be played. It ends when the run closes its end.
"""

import asyncio
import socket
import sys
import traceback
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
from pydantic import BaseModel

from codegym_harness.processes.garbage_collection import rare_collections
from codegym_harness.processes.json_channel import JsonChannel
from codegym_mcp.episode_interface import TaskView, ToolView
from codegym_mcp.episodes.episode import EpisodeSettings
from codegym_mcp.episodes.episode_manager import EpisodeManager
from codegym_mcp.episodes.journal import Journal
from codegym_mcp.errors import CodegymError
from codegym_mcp.runtime.open_file_limit import raise_open_file_limit
from codegym_mcp.sandbox.confinement.linux_calls import interrupt_nobody
from codegym_mcp.sandbox.process.pool import BUSY_PATIENCE, SandboxPool
from codegym_mcp.server.control_plane import EnvironmentInfo, EpisodeInfo, OpenRequest
from codegym_mcp.spec.catalog import Catalog


class EpisodeWorkerOptions(BaseModel):
    """What a host is started with."""

    paths: tuple[Path, ...]
    """Where environments come from; the bundled ones without any."""
    open_limit: int
    allow_unconfined: bool


class EpisodeWorkerReady(BaseModel):
    """What a host says when it can be asked."""

    environments: list[EnvironmentInfo]
    problems: list[str]
    """Of the environments that cannot be used."""


class WorkerEpisodeInfo(BaseModel):
    """An episode that a host has opened."""

    id: str
    task: TaskView
    tools: list[ToolView]
    submission: ToolView


class EpisodeWorker:
    """Answers what is asked of its episodes. Use `EpisodeWorker.connect`."""

    line: JsonChannel

    def __init__(self, episodes: EpisodeManager) -> None:
        self._episodes = episodes
        self._answering: set[asyncio.Task[None]] = set()

    @classmethod
    async def connect(cls, connection: socket.socket, episodes: EpisodeManager) -> "EpisodeWorker":
        """A host that answers over a connected socket."""
        host = cls(episodes)
        host.line = await JsonChannel.open(connection, host._receive)
        return host

    def _receive(self, request: list[Any]) -> None:
        task = asyncio.get_running_loop().create_task(self._answer(*request))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _answer(self, number: int, name: str, *arguments: Any) -> None:
        try:
            value = await self._do(name, *arguments)
            self.line.send([number, "ok", value.model_dump(mode="json")])
        except CodegymError as error:
            self.line.send([number, "error", describe(error)])
        except Exception as error:
            # Whatever went wrong here: who asked would otherwise wait for ever.
            traceback.print_exc()
            self.line.send([number, "error", describe(error)])

    async def _do(self, name: str, *arguments: Any) -> BaseModel:
        match name, arguments:
            case "open", [request]:
                return await self._open(OpenRequest.model_validate(request))
            case "call", [episode, tool, given]:
                return await self._episodes.by_id(episode).call(tool, given)
            case "standing", [episode]:
                return EpisodeInfo.of(self._episodes.by_id(episode))
            case "close", [episode]:
                return await self._close(episode)
        raise ValueError(f"the host does not know {name}")

    async def _open(self, request: OpenRequest) -> WorkerEpisodeInfo:
        environment = self._episodes.catalog.get(request.environment)
        task = await self._episodes.find_task(environment, request.task, request.difficulty, request.seed)
        episode = await self._episodes.open(environment, task, EpisodeSettings(limits=request.limits))
        return WorkerEpisodeInfo(
            id=episode.id, task=episode.task, tools=list(episode.tools), submission=episode.submission
        )

    async def _close(self, episode_id: str) -> EpisodeInfo:
        """Ends an episode that nobody will ask for any more."""
        episode = self._episodes.by_id(episode_id)
        await episode.close("Whoever played it has left.")
        self._episodes.forget(episode)
        return EpisodeInfo.of(episode)


def describe(error: Exception) -> dict[str, str]:
    """An error as it is sent."""
    kind = type(error).__name__
    if isinstance(error, CodegymError):
        return {"kind": kind, "message": error.message, "hint": error.hint}
    return {"kind": kind, "message": f"{kind}: {error}.", "hint": ""}


async def serve_episodes(connection: socket.socket, options: EpisodeWorkerOptions) -> None:
    """Holds episodes until the other end of the connection is closed."""
    try:
        async with _episodes(options) as (catalog, episodes):
            host = await EpisodeWorker.connect(connection, episodes)
            ready = EpisodeWorkerReady(
                environments=[EnvironmentInfo.of(each) for each in catalog.usable()],
                problems=[str(problem) for problem in catalog.problems()],
            )
            with rare_collections():
                host.line.send([0, "ok", ready.model_dump(mode="json")])
                await host.line.ended.wait()
    except _CannotBeginError as error:
        line = await JsonChannel.open(connection, lambda _: None)
        line.send([0, "error", describe(error.reason)])
        line.close()
        await line.ended.wait()


@asynccontextmanager
async def _episodes(options: EpisodeWorkerOptions) -> AsyncIterator[tuple[Catalog, EpisodeManager]]:
    async with AsyncExitStack() as stack:
        try:
            catalog = Catalog.load(options.paths)
            pool = await stack.enter_async_context(
                SandboxPool.open(allow_unconfined=options.allow_unconfined, patience=BUSY_PATIENCE)
            )
            journal = stack.enter_context(Journal.open())
            episodes = await stack.enter_async_context(
                EpisodeManager.serve(catalog, pool, journal, open_limit=options.open_limit)
            )
        except CodegymError as error:
            raise _CannotBeginError(error) from None
        yield catalog, episodes


class _CannotBeginError(Exception):
    def __init__(self, reason: CodegymError) -> None:
        self.reason = reason


def main() -> None:
    """Serves the descriptor named on the command line."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    connection.set_inheritable(False)
    options = EpisodeWorkerOptions.model_validate_json(sys.stdin.buffer.read())
    raise_open_file_limit()
    # The agents' own requests go first: what is held here is waited for in between.
    with suppress(OSError):
        interrupt_nobody()
    anyio.run(serve_episodes, connection, options, backend_options={"use_uvloop": sys.platform != "win32"})


if __name__ == "__main__":
    main()
