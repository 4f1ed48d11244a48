"""Checks the calls that the oracle made: each has to end within its limits with a result of the declared
type."""

from collections.abc import Sequence

from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.episode_protocol import CallStatus
from codegym_mcp.episodes.events import CallEvent
from codegym_mcp.episodes.tool_outcome import OutcomeStatus, ToolOutcome
from codegym_mcp.verification.gate_results import GateProblem
from codegym_mcp.verification.gates.call_problems import call_problem, is_problem
from codegym_mcp.verification.process_without_episode import EnvironmentProcess
from codegym_mcp.verification.recorded_play import RecordedPlay
from codegym_mcp.verification.verification_context import VerificationContext

FAILURES = (CallStatus.FAULT, CallStatus.LIMIT, CallStatus.FAILED)
"""Statuses of calls that the environment, not the caller, is responsible for."""


async def check_oracle_calls(
    context: VerificationContext, environment: Environment, plays: Sequence[RecordedPlay]
) -> list[GateProblem]:
    """Returns a problem for each tool and each kind of failure among the oracle's calls.

    Args:
        plays: plays of the oracle whose episodes could be opened.
    """
    found: dict[tuple[str, CallStatus], GateProblem] = {}
    for play in plays:
        for index, step in enumerate(play.steps):
            if step.status in FAILURES and (step.name, step.status) not in found:
                if step.status is not CallStatus.FAILED:
                    outcome = ToolOutcome(OutcomeStatus(step.status), step.reason)
                else:
                    async with context.episode_slots:
                        outcome = await _repeat_call(context, environment, play, index)
                found[step.name, step.status] = call_problem(outcome, play.task, step.name, step.arguments)
    return list(found.values())


async def _repeat_call(
    context: VerificationContext, environment: Environment, play: RecordedPlay, index: int
) -> ToolOutcome:
    """Repeats a call of a play after those before it, and returns its exact outcome."""
    step = play.steps[index]
    async with EnvironmentProcess.start(
        context.pool, environment, play.task.config, context.limits
    ) as process:
        await repeat_calls(process, play.steps[:index])
        outcome = await process.call(step.name, step.arguments)
    return outcome if is_problem(outcome) else ToolOutcome(OutcomeStatus.LOST, step.reason)


async def repeat_calls(process: EnvironmentProcess, steps: Sequence[CallEvent]) -> None:
    """Repeats the calls of a play that had an effect; those without a digest had none."""
    await process.call_all([(step.name, step.arguments) for step in steps if step.digest])
