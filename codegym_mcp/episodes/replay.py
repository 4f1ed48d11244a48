"""An environment that acts: its process can be lost at any time and is rebuilt by replay.

Environments are deterministic, so the same actions in a fresh process lead to the same state; a digest of
every outcome shows whether they really did.
"""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, TypeVar

from codegym_mcp.episodes.journal import digest
from codegym_mcp.errors import (
    BrokenContractError,
    EnvironmentFaultError,
    LimitError,
    ToolError,
    WorkerLostError,
)
from codegym_mcp.limits import Limits
from codegym_mcp.sandbox.process.environment_program import EnvironmentProgram, Role
from codegym_mcp.sandbox.process.pool import SandboxPool, retry_lost_process
from codegym_mcp.sandbox.process.shared_process import ToolProcess

T = TypeVar("T")
_REPLAY_PATIENCE = 4
"""How many times as long as at first an action may take when it is replayed."""


class ActionOutcome(NamedTuple):
    """What an action came to within the environment."""

    status: str
    """"ok"; "refused" by the tool, in words for the agent; "fault", described for people."""
    value: Any
    """The result, as plain data, or the words."""


class Action(NamedTuple):
    """An action that the environment has performed and that is part of its state."""

    name: str
    arguments: dict[str, Any]
    digest: str


class ReplayableEnvironment:
    """An environment in a confined process.

    Where episodes share a process, one that met a limit there, or lost it twice at the same action, goes on
    in a process of its own, so that its neighbours suffer from it once.

    Attributes:
        actions: what makes its state; an action that was performed and is not kept here is undone by
            `suspend`.
    """

    def __init__(
        self, pool: SandboxPool, program: EnvironmentProgram, config: dict[str, Any], limits: Limits
    ) -> None:
        self._pool = pool
        self._program = program
        self._config = config
        self._limits = limits
        self._worker: ToolProcess | None = None
        self._alone = False
        self.actions: list[Action] = []

    async def start(self) -> None:
        """Starts the process, and replays what was done before.

        Raises:
            EnvironmentFaultError: the environment cannot be opened, or a replay went another way.
            LimitError, WorkerLostError, SandboxError, SourceError: it cannot be opened.
        """
        await self._persist(self._ready)

    async def perform(self, name: str, arguments: dict[str, Any]) -> ActionOutcome:
        """Performs an action, in another process where the first is lost with it.

        Raises:
            BrokenContractError: what came of it is not JSON data.
            LimitError: it met a limit; it is undone once `suspend` is called.
            EnvironmentFaultError, WorkerLostError, SandboxError: the environment cannot go on.
        """

        async def act() -> ActionOutcome:
            return await self._outcome(await self._ready(), name, arguments, self._limits.call_seconds)

        return await self._persist(act)

    def suspend(self) -> None:
        """Gives up the process; the next action rebuilds it."""
        if self._worker is not None:
            self._worker.kill()
            self._worker = None

    async def _persist(self, action: Callable[[], Awaitable[T]]) -> T:
        """Performs an action, again where its process is lost."""
        losses = 0

        async def attempt() -> T:
            nonlocal losses
            try:
                return await action()
            except LimitError:
                self._alone = True
                raise
            except WorkerLostError:
                # Once may be the fault of a neighbour in the same process.
                losses += 1
                self._alone = self._alone or losses > 1
                raise

        return await retry_lost_process(attempt)

    async def _ready(self) -> ToolProcess:
        if self._worker is not None and self._worker.alive:
            return self._worker
        worker = await self._pool.serve(self._program, self._limits, self._config, alone=self._alone)
        try:
            for action in self.actions:
                # It is known to end; how long it takes depends on what else the machine does.
                seconds = _REPLAY_PATIENCE * self._limits.call_seconds
                outcome = await self._outcome(worker, action.name, action.arguments, seconds)
                if digest(outcome) != action.digest:
                    raise EnvironmentFaultError(
                        Role.TOOLS, f"A replay of {action.name} gave another result: it is not deterministic."
                    )
        except BaseException:
            worker.kill()
            raise
        self._worker = worker
        return worker

    async def _outcome(
        self, worker: ToolProcess, name: str, arguments: dict[str, Any], seconds: float
    ) -> ActionOutcome:
        try:
            return ActionOutcome("ok", await worker.call(name, arguments, seconds=seconds))
        except ToolError as error:
            return ActionOutcome("refused", error.message)
        except BrokenContractError:
            raise
        except EnvironmentFaultError as error:
            return ActionOutcome("fault", error.message)
