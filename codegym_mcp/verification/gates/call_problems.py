"""Turns a call whose outcome no tool may have into a problem of the gate `limits` or `results`."""

from typing import Any

from codegym_mcp.environment_definition.environment import Task
from codegym_mcp.episodes.tool_outcome import OutcomeStatus, ToolOutcome
from codegym_mcp.verification.gate_results import Gate, GateProblem
from codegym_mcp.verification.recorded_play import format_call

_GATES = {
    OutcomeStatus.LIMIT: Gate.LIMITS,
    OutcomeStatus.LOST: Gate.LIMITS,
    OutcomeStatus.FAULT: Gate.RESULTS,
    OutcomeStatus.BROKEN: Gate.RESULTS,
}
_MESSAGES = {
    OutcomeStatus.LIMIT: "exceeded a limit",
    OutcomeStatus.LOST: "ended the environment's process",
    OutcomeStatus.FAULT: "raised an exception other than ValueError",
    OutcomeStatus.BROKEN: "returned a result that is not JSON data of the declared type",
}


def is_problem(outcome: ToolOutcome) -> bool:
    """Returns whether a tool may not have this outcome, whatever its arguments are."""
    return outcome.status in _GATES


def call_problem(outcome: ToolOutcome, task: Task, name: str, arguments: dict[str, Any]) -> GateProblem:
    """Builds the problem for a call; the outcome has to be a problem."""
    return GateProblem(
        gate=_GATES[outcome.status],
        message=f"The tool {name} {_MESSAGES[outcome.status]}.",
        task=task.id,
        call=format_call(name, arguments),
        difference=str(outcome.value),
    )
