"""A runtime of the Python API that lives on the caller's event loop."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from codegym_mcp.catalog.catalog import Catalog, Source
from codegym_mcp.environment_definition.environment import Task
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episodes.episode_manager import EpisodeManager
from codegym_mcp.errors import ClosedError
from codegym_mcp.runtime.async_episode import AsyncEpisode
from codegym_mcp.runtime.current_loop import call_directly, start_on
from codegym_mcp.runtime.episode_opening import EnvironmentRef, check_choice, find_environment, open_local
from codegym_mcp.runtime.in_process_episode import InProcessEpisode
from codegym_mcp.runtime.open_file_limit import raise_open_file_limit
from codegym_mcp.runtime.runtime_assembly import RuntimeOptions, assemble
from codegym_mcp.sandbox.confinement.confinement_layers import Layer, LayerState
from codegym_mcp.sandbox.process.pool import Isolation

T = TypeVar("T")
OPEN_EPISODES = 10_000


class AsyncRuntime:
    """Runs episodes on the event loop of the caller.

    Its processes start with the first need, or when it is entered with `async with`, and end when it is
    closed.

    Args:
        environments: where environments come from: "bundled", paths, environments, catalogs.
        isolation: "process" gives each episode a process of its own; "shared" puts episodes of one
            environment into one process, which takes less memory and promises less.
        limits: the limits of an episode that was opened without limits of its own.
        data: the folder of a journal that outlives the process: open episodes of an earlier process continue.
        open_limit: how many episodes may be open at once.
        expire_idle: whether an episode that is not used for `limits.idle_seconds` ends.
        allow_unconfined: whether environments run on a system that cannot confine them.

    Raises:
        SourceError: a path does not exist, or two environments share a name.
    """

    def __init__(
        self,
        environments: Source | Sequence[Source] = "bundled",
        *,
        isolation: Isolation = "process",
        limits: Limits | None = None,
        data: str | os.PathLike[str] | None = None,
        open_limit: int = OPEN_EPISODES,
        expire_idle: bool = False,
        allow_unconfined: bool = False,
    ) -> None:
        self.catalog = Catalog.of(environments)
        self.limits = limits or Limits()
        self._options = RuntimeOptions(
            isolation=isolation,
            limits=self.limits,
            data=Path(data) if data is not None else None,
            open_limit=open_limit,
            expire_idle=expire_idle,
            allow_unconfined=allow_unconfined,
        )
        self._episodes: EpisodeManager | None = None
        self._host: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready: asyncio.Future[EpisodeManager] | None = None
        self._stop = asyncio.Event()
        self._closed = False

    @property
    def open_count(self) -> int:
        """Number of open episodes."""
        return self._episodes.open_count if self._episodes is not None else 0

    @property
    def layers(self) -> Mapping[Layer, LayerState]:
        """The layers of confinement and whether each is active; empty before the first process started."""
        return self._episodes.pool.layers if self._episodes is not None else {}

    async def open_episode(
        self,
        environment: EnvironmentRef,
        *,
        task: str | Task | None = None,
        difficulty: int | None = None,
        seed: int | None = None,
        limits: Limits | None = None,
        key: str | None = None,
    ) -> AsyncEpisode:
        """Opens an episode.

        Args:
            environment: its name in the catalog, the path of its file, or the environment itself.
            task: the id of a fixed task, or a task of your own.
            difficulty: generates a task of this difficulty (1 to 5) instead.
            seed: chooses among the generated tasks; 0 without it.
            limits: the limits of the episode, in place of the runtime's as a whole.
            key: idempotency key: a second opening with the same key returns the same episode.

        Raises:
            NotFoundError: the environment or the task does not exist.
            SourceError, TaskError: the environment cannot be used, or the task does not fit it.
            LimitError: too many episodes or files are open.
            EnvironmentFaultError, SandboxError, JournalError: the episode cannot be opened.
            ClosedError: the runtime is closed.
        """
        return self._handle(
            await self.open_backend(
                environment, task=task, difficulty=difficulty, seed=seed, limits=limits, key=key
            )
        )

    async def open_backend(
        self,
        environment: EnvironmentRef,
        *,
        task: str | Task | None,
        difficulty: int | None,
        seed: int | None,
        limits: Limits | None,
        key: str | None = None,
    ) -> InProcessEpisode:
        """Opens an episode for a handle of another kind; see `open_episode`."""
        found = find_environment(self.catalog, environment)
        check_choice(found, task, difficulty, seed)
        episodes = await self.start()
        return await open_local(
            episodes,
            found,
            task=task,
            difficulty=difficulty,
            seed=seed,
            limits=limits or self.limits,
            key=key,
        )

    async def find_backend(self, episode_id: str) -> InProcessEpisode:
        """Finds an episode for a handle of another kind; see `episode`."""
        episodes = await self.start()
        return InProcessEpisode(episodes, episodes.by_id(episode_id))

    async def episode(self, id: str) -> AsyncEpisode:
        """Returns a handle of an episode by its id, with `data` also of an earlier process.

        Raises:
            NotFoundError: there is no such episode.
        """
        return self._handle(await self.find_backend(id), owner=False)

    async def make_task(self, environment: EnvironmentRef, difficulty: int, seed: int = 0) -> Task:
        """Generates the task of a difficulty (1 to 5) and a seed; it is the same everywhere.

        Raises:
            NotFoundError, SourceError, TaskError: see `open_episode`.
            EnvironmentFaultError: the environment's generator failed.
        """
        return await self.select_task(environment, difficulty=difficulty, seed=seed)

    async def select_task(
        self,
        environment: EnvironmentRef,
        *,
        task: str | None = None,
        difficulty: int | None = None,
        seed: int | None = None,
    ) -> Task:
        """Returns the task that `open_episode` opens with the same arguments.

        Raises:
            NotFoundError, SourceError, TaskError: see `open_episode`.
            EnvironmentFaultError: the environment's generator failed.
        """
        found = find_environment(self.catalog, environment)
        check_choice(found, task, difficulty, seed)
        episodes = await self.start()
        return await episodes.select_task(found, task=task, difficulty=difficulty, seed=seed)

    @property
    def curriculum(self) -> Path | None:
        """The file of adaptive difficulties; see `RuntimeOptions.curriculum`."""
        return self._options.curriculum

    async def start(self) -> EpisodeManager:
        """Starts the processes; returns the episode manager, for the server and for tests.

        Raises:
            ClosedError: the runtime is closed.
            SandboxError, JournalError: it cannot start here.
        """
        if self._closed:
            raise ClosedError("The runtime is closed.", hint="Open a new one.")
        if self._ready is None:
            raise_open_file_limit()
            self._loop = asyncio.get_running_loop()
            self._ready = self._loop.create_future()
            # One task enters and leaves everything, whoever starts and closes the runtime.
            self._host = asyncio.ensure_future(self._run(self._ready))
        return await asyncio.shield(self._ready)

    async def close(self) -> None:
        """Ends the processes. Open episodes are abandoned. May be called any number of times."""
        self._closed = True
        self._stop.set()
        if self._host is not None:
            await asyncio.shield(self._host)

    def abandon(self) -> None:
        """Releases what the parent process holds, in a forked child, where the event loop does not run."""
        self._closed = True
        if self._episodes is not None:
            self._episodes.pool.abandon()

    async def _run(self, ready: "asyncio.Future[EpisodeManager]") -> None:
        try:
            async with assemble(self.catalog, self._options) as episodes:
                self._episodes = episodes
                if not ready.done():
                    ready.set_result(episodes)
                await self._stop.wait()
        except Exception as error:
            if ready.done():
                raise
            self._ready = None
            ready.set_exception(error)

    def _handle(self, backend: InProcessEpisode, *, owner: bool = True) -> AsyncEpisode:
        return AsyncEpisode(backend, call_directly, self._notify, owner=owner)

    def _notify(self, action: Callable[[], Awaitable[object]]) -> bool:
        return not self._closed and start_on(self._loop, action)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
