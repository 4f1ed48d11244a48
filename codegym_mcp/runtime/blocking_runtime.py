"""A runtime of the Python API whose calls block. It has an event loop of its own, on a daemon thread."""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

from codegym_mcp.catalog.catalog import Catalog, Source
from codegym_mcp.environment_definition.environment import Task
from codegym_mcp.episode_limits import Limits
from codegym_mcp.runtime.async_runtime import OPEN_EPISODES, AsyncRuntime
from codegym_mcp.runtime.blocking_episode import Episode
from codegym_mcp.runtime.episode_opening import EnvironmentRef, check_choice, find_environment
from codegym_mcp.runtime.loop_thread import LoopThread
from codegym_mcp.runtime.process_lifetime import register
from codegym_mcp.sandbox.confinement.confinement_layers import Layer, LayerState
from codegym_mcp.sandbox.process.pool import Isolation


class Runtime:
    """Runs episodes on a thread of its own. Use it with `with`, or call `close` at the end.

    Any thread may use it. Its thread and processes start with the first need and end when it is closed, at
    the latest when the interpreter ends.

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

    Example:
        with codegym_mcp.Runtime(isolation="shared", limits=codegym_mcp.Limits(calls=64)) as runtime:
            episodes = [runtime.open_episode("night_courier", difficulty=1, seed=seed) for seed in range(100)]
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
        self.async_runtime = AsyncRuntime(
            environments,
            isolation=isolation,
            limits=limits,
            data=data,
            open_limit=open_limit,
            expire_idle=expire_idle,
            allow_unconfined=allow_unconfined,
        )
        self.thread = LoopThread("runtime", self._serve)
        register(self)

    @property
    def catalog(self) -> Catalog:
        """The environments by name."""
        return self.async_runtime.catalog

    @property
    def limits(self) -> Limits:
        """The limits of an episode that was opened without limits of its own."""
        return self.async_runtime.limits

    @property
    def open_count(self) -> int:
        """Number of open episodes."""
        return self.async_runtime.open_count

    @property
    def layers(self) -> Mapping[Layer, LayerState]:
        """The layers of confinement and whether each is active; empty before the first process started."""
        return self.async_runtime.layers

    def open_episode(
        self,
        environment: EnvironmentRef,
        *,
        task: str | Task | None = None,
        difficulty: int | None = None,
        seed: int | None = None,
        limits: Limits | None = None,
        key: str | None = None,
    ) -> Episode:
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
            BlockingCallError: the caller is on the runtime's own thread.
        """
        # Names and tasks are checked before a thread is started.
        found = find_environment(self.catalog, environment)
        check_choice(found, task, difficulty, seed)
        backend = self.thread.run(
            lambda: self.async_runtime.open_backend(
                found, task=task, difficulty=difficulty, seed=seed, limits=limits, key=key
            )
        )
        return Episode(backend, self.thread)

    def episode(self, id: str) -> Episode:
        """Returns a handle of an episode by its id, with `data` also of an earlier process.

        Raises:
            NotFoundError: there is no such episode.
        """
        backend = self.thread.run(lambda: self.async_runtime.find_backend(id))
        return Episode(backend, self.thread, owner=False)

    def make_task(self, environment: EnvironmentRef, difficulty: int, seed: int = 0) -> Task:
        """Generates the task of a difficulty (1 to 5) and a seed; it is the same everywhere.

        Raises:
            NotFoundError, SourceError, TaskError: see `open_episode`.
            EnvironmentFaultError: the environment's generator failed.
        """
        return self.select_task(environment, difficulty=difficulty, seed=seed)

    def select_task(
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
        # Names and tasks are checked before a thread is started.
        found = find_environment(self.catalog, environment)
        check_choice(found, task, difficulty, seed)
        return self.thread.run(
            lambda: self.async_runtime.select_task(found, task=task, difficulty=difficulty, seed=seed)
        )

    def close(self) -> None:
        """Ends the thread and its processes. Open episodes are abandoned; calls that wait fail.

        May be called any number of times, from any thread.
        """
        self.thread.close()

    def abandon(self) -> None:
        """Releases what the parent process holds, in a forked child. It never affects the parent."""
        self.async_runtime.abandon()
        self.thread.abandon()

    async def _serve(self, announce: Callable[[], None], stop: asyncio.Event) -> None:
        await self.async_runtime.start()
        announce()
        await stop.wait()
        await self.async_runtime.close()

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
