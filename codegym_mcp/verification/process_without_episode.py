"""Calls an environment's tools in a sandboxed process without an episode.

The outcome of each call is reported exactly; nothing is journalled, undone or counted.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.environment_definition.tools import result_text
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episodes.tool_outcome import OutcomeStatus, ToolOutcome
from codegym_mcp.errors import (
    BrokenContractError,
    EnvironmentFaultError,
    InvalidArgumentsError,
    LimitError,
    ToolError,
    WorkerLostError,
)
from codegym_mcp.sandbox.process.confined_process import ConfinedProcess
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.sandbox.process.process_messages import ServeTools

_ANSWERED = (OutcomeStatus.OK, OutcomeStatus.REFUSED)


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
        """Starts a process that serves a task until the block is left.

        Raises:
            EnvironmentFaultError, LimitError, WorkerLostError: the environment cannot be opened.
            SandboxError, SourceError: no process can be started.
        """
        worker = await pool.start(environment.program, ServeTools(config), limits)
        try:
            await worker.result(seconds=limits.start_seconds)
            yield cls(worker, environment, limits)
        finally:
            worker.kill()

    async def reopen(self, config: dict[str, Any]) -> None:
        """Opens another task in the same process, which keeps the module state of earlier tasks.

        Raises:
            EnvironmentFaultError, LimitError, WorkerLostError: the task cannot be opened.
        """
        await self._worker.reopen(config, seconds=self._limits.start_seconds)

    @property
    def alive(self) -> bool:
        """Whether the process can be called again."""
        return self._worker.alive

    async def call(self, name: str, arguments: dict[str, Any]) -> ToolOutcome:
        """Calls a tool and checks the size and the type of its result.

        Args:
            arguments: validated against the tool's schema.
        """
        (outcome,) = await self.call_all([(name, arguments)])
        if outcome.status not in _ANSWERED:
            return outcome
        size, allowed = len(result_text(outcome.value).encode()), self._limits.result_bytes
        if size > allowed:
            message = f"Its result has {size} bytes, {allowed} are allowed."
            return ToolOutcome(OutcomeStatus.LIMIT, message)
        if outcome.status is OutcomeStatus.OK:
            try:
                self._environment.tool(name).structure(outcome.value)
            except InvalidArgumentsError as error:
                message = f"Its result is not of the declared type. {error.message}"
                return ToolOutcome(OutcomeStatus.BROKEN, message)
        return outcome

    async def call_all(self, calls: Sequence[tuple[str, dict[str, Any]]]) -> list[ToolOutcome]:
        """Sends calls one after another without waiting in between.

        Returns:
            The outcomes until the process ended; results are not checked against their types.
        """
        self._worker.expect(len(calls))
        outcomes: list[ToolOutcome] = []
        try:
            numbers = [self._worker.send_call(name, arguments) for name, arguments in calls]
            for number in numbers:
                outcomes.append(await self._receive_outcome(number))
        except LimitError as error:
            outcomes.append(ToolOutcome(OutcomeStatus.LIMIT, error.message))
        except WorkerLostError as error:
            outcomes.append(ToolOutcome(OutcomeStatus.LOST, error.message))
        return outcomes

    async def _receive_outcome(self, number: int) -> ToolOutcome:
        """Receives the outcome of a call; raises LimitError and WorkerLostError as `receive` does."""
        message = await self._worker.receive(self._limits.call_seconds)
        try:
            return ToolOutcome(OutcomeStatus.OK, self._worker.result_of(message, number))
        except ToolError as error:
            return ToolOutcome(OutcomeStatus.REFUSED, error.message)
        except BrokenContractError as error:
            return ToolOutcome(OutcomeStatus.BROKEN, error.message)
        except EnvironmentFaultError as error:
            return ToolOutcome(OutcomeStatus.FAULT, error.message)
        except LimitError as error:
            # The result was too large or memory ran out; the process can be called again.
            return ToolOutcome(OutcomeStatus.LIMIT, error.message)
