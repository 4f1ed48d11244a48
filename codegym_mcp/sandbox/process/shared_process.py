"""Many episodes of one environment in one confined process, for those who hold ten thousand idle ones.

It promises less than a process for each episode: a call that runs away, or uses up the memory, ends the
process for all episodes in it, and code that gets past the language policy reaches the state of the others.
Two environments are never in one process, and neither is a reference answer.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from codegym_mcp.errors import CodegymError, LimitError, WorkerLostError
from codegym_mcp.limits import Limits
from codegym_mcp.sandbox.process.environment_program import EnvironmentProgram, Role
from codegym_mcp.sandbox.process.worker import ConfinedProcess

EPISODES_A_PROCESS = 1000
"""So many share one process at most, so that not all of an environment are lost with it."""


class ToolProcess(Protocol):
    """An opened environment that serves its tools."""

    @property
    def alive(self) -> bool:
        """Whether it can still answer."""

    def call(self, name: str, arguments: dict[str, Any], *, seconds: float) -> Awaitable[Any]:
        """Calls a tool; see `ConfinedProcess.call`."""

    def kill(self) -> None:
        """Ends it at once; safe to call again."""


class SharedProcess:
    """A confined process that serves many episodes, one request at a time.

    Attributes:
        episodes: those that it holds, by number.
        full: it takes no more of them.
    """

    def __init__(self, worker: ConfinedProcess) -> None:
        self._worker = worker
        self._turn = asyncio.Lock()
        self._numbers = itertools.count()
        self.episodes: set[int] = set()
        self.full = False

    @property
    def alive(self) -> bool:
        """Whether it can still answer."""
        return self._worker.alive

    async def open(self, config: dict[str, Any], *, seconds: float) -> "SharedToolProcess":
        """Opens an episode in it.

        Raises:
            EnvironmentFaultError, LimitError, WorkerLostError: as `request`.
        """
        episode = next(self._numbers)
        self.episodes.add(episode)
        self.full = self.full or len(self.episodes) >= EPISODES_A_PROCESS
        tools = SharedToolProcess(self, episode)
        try:
            await self.request("open", episode, config, seconds=seconds)
        except BaseException:
            tools.kill()
            raise
        return tools

    async def request(self, *parts: Any, seconds: float) -> Any:
        """Sends a request in its turn.

        Raises:
            CodegymError: as `ConfinedProcess.call`; that the memory is used up is a `WorkerLostError`, since it is not
                known who has used it.
        """
        async with self._turn:
            try:
                number = self._worker.request(*parts)
                return self._worker.outcome(await self._worker.receive(seconds), number)
            except LimitError as error:
                if error.limit != "memory_bytes":
                    raise
                self.full = True
                raise WorkerLostError("The memory of a shared process is used up.") from None
            except CodegymError:
                raise
            except BaseException:
                # The answer that nobody waits for any more would be taken for the next one.
                self._worker.kill()
                raise

    def close(self, episode: int) -> None:
        """Ends one episode; the process, with the last one."""
        if episode not in self.episodes:
            return
        self.episodes.discard(episode)
        if not self.episodes:
            self._worker.kill()
        elif self.alive:
            self._worker.tell("close", episode)


class SharedToolProcess:
    """One episode in a shared process. It is `ToolProcess`."""

    def __init__(self, process: SharedProcess, episode: int) -> None:
        self._process = process
        self._episode = episode

    @property
    def alive(self) -> bool:
        """Whether it can still answer."""
        return self._process.alive and self._episode in self._process.episodes

    async def call(self, name: str, arguments: dict[str, Any], *, seconds: float) -> Any:
        """Calls a tool; the seconds are counted from its turn on.

        Raises:
            CodegymError: as `SharedProcess.request`.
        """
        try:
            return await self._process.request("call", self._episode, name, arguments, seconds=seconds)
        except WorkerLostError:
            # Also where the process goes on, since it is not known how far the call came.
            self.kill()
            raise

    def kill(self) -> None:
        """Ends the episode; the process goes on for the others."""
        self._process.close(self._episode)


class SharedProcesses:
    """The shared processes of a pool: one environment in each, and as many of them as its episodes need.

    Args:
        start: starts a confined process for a role, as `Pool.start` does.
    """

    def __init__(
        self, start: Callable[[EnvironmentProgram, Role, Limits], Awaitable[ConfinedProcess]]
    ) -> None:
        self._start = start
        self._open: dict[tuple[EnvironmentProgram, int], SharedProcess] = {}
        self._starting = asyncio.Lock()

    async def open(
        self, program: EnvironmentProgram, limits: Limits, config: dict[str, Any]
    ) -> SharedToolProcess:
        """Opens an episode in a process with others of its environment and its limit of memory.

        Raises:
            CodegymError: as `Pool.serve`.
        """
        process = await self._process(program, limits)
        return await process.open(config, seconds=limits.start_seconds)

    async def _process(self, program: EnvironmentProgram, limits: Limits) -> SharedProcess:
        key = (program, limits.memory_bytes)
        async with self._starting:
            process = self._open.get(key)
            if process is None or process.full or not process.alive:
                worker = await self._start(program, Role.SHARED, limits)
                try:
                    worker.outcome(await worker.receive(limits.start_seconds))
                except BaseException:
                    worker.kill()
                    raise
                self._open = {known: each for known, each in self._open.items() if each.alive}
                process = self._open[key] = SharedProcess(worker)
            return process
