"""Many episodes of one environment in one confined process, for ten thousand idle episodes.

It guarantees less than one process for each episode: a call that does not end, or that uses up the memory,
ends the process for all its episodes, and code that gets past the language policy can reach their state.
Two environments never share a process, and no shared process computes reference answers.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from codegym_mcp.episode_limits import Limits
from codegym_mcp.errors import CodegymError, LimitError, WorkerLostError
from codegym_mcp.sandbox.process.confined_process import ConfinedProcess
from codegym_mcp.sandbox.process.process_messages import ServeSharedTools
from codegym_mcp.sandbox.process.process_role_code import EnvironmentProgram

EPISODES_PER_PROCESS = 1000
"""Maximum number of episodes that one process serves, so that its loss is bounded."""


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
        episodes: the numbers of its open episodes.
        full: whether it accepts no more episodes.
    """

    def __init__(self, process: ConfinedProcess) -> None:
        self._process = process
        self._request_lock = asyncio.Lock()
        self._numbers = itertools.count()
        self.episodes: set[int] = set()
        self.full = False

    @property
    def alive(self) -> bool:
        """Whether it can still answer."""
        return self._process.alive

    async def open(self, config: dict[str, Any], *, seconds: float) -> "SharedToolProcess":
        """Opens an episode in the process.

        Raises:
            CodegymError: as `call`.
        """
        episode = next(self._numbers)
        self.episodes.add(episode)
        self.full = self.full or len(self.episodes) >= EPISODES_PER_PROCESS
        tools = SharedToolProcess(self, episode)
        try:
            await self._request(lambda: self._process.send_open(config, episode=episode), seconds)
        except BaseException:
            tools.kill()
            raise
        return tools

    async def call(self, episode: int, name: str, arguments: dict[str, Any], *, seconds: float) -> Any:
        """Calls a tool of an episode, after the requests that were made before.

        Raises:
            CodegymError: as `ConfinedProcess.call`, except that memory that is used up is a
                `WorkerLostError`, since it is not known which episode has used it.
        """
        return await self._request(lambda: self._process.send_call(name, arguments, episode=episode), seconds)

    async def _request(self, send: Callable[[], int], seconds: float) -> Any:
        async with self._request_lock:
            try:
                return await self._process.result(send(), seconds=seconds)
            except LimitError as error:
                if error.limit != "memory_bytes":
                    raise
                self.full = True
                raise WorkerLostError("The memory of a shared process is used up.") from None
            except CodegymError:
                raise
            except BaseException:
                # The result that is no longer awaited would be taken for the next one.
                self._process.kill()
                raise

    def close(self, episode: int) -> None:
        """Ends one episode; ends the process with its last episode."""
        if episode not in self.episodes:
            return
        self.episodes.discard(episode)
        if not self.episodes:
            self._process.kill()
        elif self.alive:
            self._process.send_close(episode)


class SharedToolProcess:
    """One episode in a shared process; implements `ToolProcess`."""

    def __init__(self, process: SharedProcess, episode: int) -> None:
        self._process = process
        self._episode = episode

    @property
    def alive(self) -> bool:
        """Whether it can still answer."""
        return self._process.alive and self._episode in self._process.episodes

    async def call(self, name: str, arguments: dict[str, Any], *, seconds: float) -> Any:
        """Calls a tool; the seconds are counted from when its turn begins.

        Raises:
            CodegymError: as `SharedProcess.call`.
        """
        try:
            return await self._process.call(self._episode, name, arguments, seconds=seconds)
        except WorkerLostError:
            # Even if the process continues: it is not known whether the call took effect.
            self.kill()
            raise

    def kill(self) -> None:
        """Ends the episode; the process continues for the others."""
        self._process.close(self._episode)


class SharedProcesses:
    """The shared processes of a pool: each serves one environment, and an environment can have several.

    Args:
        start: starts a confined process, as `SandboxPool.start` does.
    """

    def __init__(
        self,
        start: Callable[[EnvironmentProgram, ServeSharedTools, Limits], Awaitable[ConfinedProcess]],
    ) -> None:
        self._start = start
        self._open: dict[tuple[EnvironmentProgram, int], SharedProcess] = {}
        self._start_lock = asyncio.Lock()

    async def open(
        self, program: EnvironmentProgram, limits: Limits, config: dict[str, Any]
    ) -> SharedToolProcess:
        """Opens an episode in a process with other episodes of its environment and memory limit.

        Raises:
            CodegymError: as `SandboxPool.serve`.
        """
        process = await self._process(program, limits)
        return await process.open(config, seconds=limits.start_seconds)

    async def _process(self, program: EnvironmentProgram, limits: Limits) -> SharedProcess:
        key = (program, limits.memory_bytes)
        async with self._start_lock:
            shared = self._open.get(key)
            if shared is None or shared.full or not shared.alive:
                process = await self._start(program, ServeSharedTools(), limits)
                try:
                    await process.result(seconds=limits.start_seconds)
                except BaseException:
                    process.kill()
                    raise
                self._open = {known: each for known, each in self._open.items() if each.alive}
                shared = self._open[key] = SharedProcess(process)
            return shared
