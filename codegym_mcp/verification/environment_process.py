"""An environment's process without an episode around it, for looking at single calls.

It says of each call exactly what it came to; nothing is journalled, undone or counted.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from codegym_mcp.episodes.journal import digest
from codegym_mcp.errors import (
    BrokenContractError,
    EnvironmentFaultError,
    InvalidArgumentsError,
    LimitError,
    ToolError,
    WorkerLostError,
)
from codegym_mcp.limits import Limits
from codegym_mcp.sandbox.process.environment_program import Role
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.sandbox.process.worker import ConfinedProcess
from codegym_mcp.spec.environment import Environment
from codegym_mcp.spec.tools import result_text


@dataclass(frozen=True)
class CallOutcome:
    """What a call came to.

    Attributes:
        status: "ok", "refused" (in words for the agent), "fault" (an exception that is no refusal), "broken"
            (not JSON data, or not of the declared type), "limit" or "lost" (the process ended).
        value: the result of a call that is ok, else the words.
    """

    status: str
    value: Any

    @property
    def digest(self) -> str:
        """As the journal of an episode has it."""
        return digest([self.status, self.value]) if self.status in ("ok", "refused", "fault") else ""


class EnvironmentProcess:
    """A process that serves the tools of one task after another."""

    def __init__(self, worker: ConfinedProcess, environment: Environment, limits: Limits) -> None:
        self._worker = worker
        self._environment = environment
        self._limits = limits

    @classmethod
    @asynccontextmanager
    async def start(
        cls, pool: SandboxPool, environment: Environment, config: dict[str, Any], limits: Limits
    ) -> AsyncIterator["EnvironmentProcess"]:
        """A process that serves a task until the block is left.

        Raises:
            EnvironmentFaultError, LimitError, WorkerLostError: the environment cannot be opened.
            SandboxError, SourceError: no process can be started.
        """
        worker = await pool.start(environment.program, Role.TOOLS, limits, config=config)
        try:
            worker.outcome(await worker.receive(limits.start_seconds))
            yield cls(worker, environment, limits)
        finally:
            worker.kill()

    async def reopen(self, config: dict[str, Any]) -> None:
        """Opens another task in the same process, where whatever earlier ones have left behind still is.

        Raises:
            EnvironmentFaultError, LimitError, WorkerLostError: it cannot be opened.
        """
        await self._worker.reopen(config, seconds=self._limits.start_seconds)

    @property
    def alive(self) -> bool:
        """Whether it can be called again."""
        return self._worker.alive

    async def call(self, name: str, arguments: dict[str, Any]) -> CallOutcome:
        """Calls a tool with arguments that fit its schema."""
        (outcome,) = await self.call_all([(name, arguments)])
        if outcome.status not in ("ok", "refused"):
            return outcome
        size, allowed = len(result_text(outcome.value).encode()), self._limits.result_bytes
        if size > allowed:
            return CallOutcome("limit", f"Its result has {size} bytes, {allowed} are allowed.")
        if outcome.status == "ok":
            try:
                self._environment.tool(name).structure(outcome.value)
            except InvalidArgumentsError as error:
                return CallOutcome("broken", f"It is not of its declared type. {error.message}")
        return outcome

    async def call_all(self, calls: Sequence[tuple[str, dict[str, Any]]]) -> list[CallOutcome]:
        """Makes calls one after another without waiting in between.

        Returns:
            What they came to, as far as the process got; results are not checked against their types.
        """
        self._worker.expect(len(calls))
        outcomes: list[CallOutcome] = []
        try:
            numbers = [self._worker.request(name, arguments) for name, arguments in calls]
            for number in numbers:
                outcomes.append(await self._outcome(number))
        except LimitError as error:
            outcomes.append(CallOutcome("limit", error.message))
        except WorkerLostError as error:
            outcomes.append(CallOutcome("lost", error.message))
        return outcomes

    async def _outcome(self, number: int) -> CallOutcome:
        """What a call came to; raises LimitError and WorkerLostError as `ConfinedProcess.receive`."""
        frame = await self._worker.receive(self._limits.call_seconds)
        try:
            return CallOutcome("ok", self._worker.outcome(frame, number))
        except ToolError as error:
            return CallOutcome("refused", error.message)
        except BrokenContractError as error:
            return CallOutcome("broken", error.message)
        except EnvironmentFaultError as error:
            return CallOutcome("fault", error.message)
        except LimitError as error:
            # Its result was too large, or its memory not enough: it can go on.
            return CallOutcome("limit", error.message)
