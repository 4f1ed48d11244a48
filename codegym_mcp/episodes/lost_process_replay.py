"""Runs the tools of an environment in a process that can be lost at any time and is rebuilt by replay.

Environments are deterministic, so the same calls in a new process lead to the same state; the digest of every
outcome shows whether they did.
"""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, TypeVar

from codegym_mcp.environment_definition.tool_methods import FINAL_STATE
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episodes.tool_outcome import OutcomeStatus, ToolOutcome
from codegym_mcp.errors import (
    BrokenContractError,
    EnvironmentFaultError,
    LimitError,
    ToolError,
    WorkerLostError,
)
from codegym_mcp.sandbox.process.pool import SandboxPool, retry_lost_process
from codegym_mcp.sandbox.process.process_messages import Role
from codegym_mcp.sandbox.process.process_role_code import EnvironmentProgram
from codegym_mcp.sandbox.process.shared_process import ToolProcess

T = TypeVar("T")
_REPLAY_TIME_FACTOR = 4
"""A replayed call may take this many times as long as the original was allowed to."""


class ReplayableCall(NamedTuple):
    """A call that is part of the environment's state."""

    name: str
    arguments: dict[str, Any]
    digest: str


class ReplayableEnvironment:
    """An environment in a confined process.

    Where episodes share a process, an episode that exceeded a limit there, or lost the process twice at the
    same call, continues in a process of its own, so that other episodes suffer from it once.

    Attributes:
        calls: the calls that lead to the environment's state. A call that was performed and is not in this
            list is undone by `suspend`.
    """

    def __init__(
        self, pool: SandboxPool, program: EnvironmentProgram, config: dict[str, Any], limits: Limits
    ) -> None:
        self._pool = pool
        self._program = program
        self._config = config
        self._limits = limits
        self._process: ToolProcess | None = None
        self._alone = False
        self.calls: list[ReplayableCall] = []

    async def start(self) -> None:
        """Starts the process, and replays the earlier calls.

        Raises:
            EnvironmentFaultError: the environment cannot be opened, or a replayed call had another outcome.
            LimitError, WorkerLostError, SandboxError, SourceError: the environment cannot be opened.
        """
        await self._retry(self._ready)

    async def perform(self, name: str, arguments: dict[str, Any]) -> ToolOutcome:
        """Performs a call; if the process is lost with it, performs it in another process.

        Raises:
            BrokenContractError: the outcome is not JSON data.
            LimitError: the call exceeded a limit; it is undone by `suspend`.
            EnvironmentFaultError, WorkerLostError, SandboxError: the environment cannot continue.
        """

        async def perform() -> ToolOutcome:
            return await self._outcome(await self._ready(), name, arguments, self._limits.call_seconds)

        return await self._retry(perform)

    async def final_state(self) -> Any:
        """Calls the environment's `final_state`; if the process is lost with it, in another process.

        Raises:
            ToolError, EnvironmentFaultError, LimitError: the method failed.
            WorkerLostError, SandboxError: the environment cannot continue.
        """

        async def ask() -> Any:
            process = await self._ready()
            return await process.call(FINAL_STATE, {}, seconds=self._limits.start_seconds)

        return await self._retry(ask)

    def suspend(self) -> None:
        """Ends the process; the next call rebuilds it."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    async def _retry(self, action: Callable[[], Awaitable[T]]) -> T:
        """Performs an action, and repeats it if its process is lost."""
        losses = 0

        async def attempt() -> T:
            nonlocal losses
            try:
                return await action()
            except LimitError:
                self._alone = True
                raise
            except WorkerLostError:
                # Another episode in the same process may have caused the first loss.
                losses += 1
                self._alone = self._alone or losses > 1
                raise

        return await retry_lost_process(attempt)

    async def _ready(self) -> ToolProcess:
        if self._process is not None and self._process.alive:
            return self._process
        process = await self._pool.serve(self._program, self._limits, self._config, alone=self._alone)
        try:
            for call in self.calls:
                # The call is known to end; its duration depends on the load of the machine.
                seconds = _REPLAY_TIME_FACTOR * self._limits.call_seconds
                outcome = await self._outcome(process, call.name, call.arguments, seconds)
                if outcome.digest != call.digest:
                    raise EnvironmentFaultError(
                        Role.TOOLS,
                        f"The replay of {call.name} had another outcome than the call: "
                        "the environment is not deterministic.",
                    )
        except BaseException:
            # Also a cancelled replay must not leave its process behind.
            process.kill()
            raise
        self._process = process
        return process

    async def _outcome(
        self, process: ToolProcess, name: str, arguments: dict[str, Any], seconds: float
    ) -> ToolOutcome:
        try:
            return ToolOutcome(OutcomeStatus.OK, await process.call(name, arguments, seconds=seconds))
        except ToolError as error:
            return ToolOutcome(OutcomeStatus.REFUSED, error.message)
        except BrokenContractError:
            raise
        except EnvironmentFaultError as error:
            return ToolOutcome(OutcomeStatus.FAULT, error.message)
