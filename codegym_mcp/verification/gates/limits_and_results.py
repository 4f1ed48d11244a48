"""Whether calls end within their limits with results of the declared type, whatever arguments they get."""

from collections.abc import Sequence
from functools import partial
from random import Random
from typing import Any, NamedTuple

from pydantic_core import to_json

from codegym_mcp.episode_interface import CallStatus
from codegym_mcp.episodes.events import CallEvent
from codegym_mcp.episodes.tool_outcome import OutcomeStatus, ToolOutcome
from codegym_mcp.errors import CodegymError, SandboxError
from codegym_mcp.policies.schema_sampler import SchemaSampler
from codegym_mcp.spec.environment import Environment, Task
from codegym_mcp.spec.tools import Tool
from codegym_mcp.verification.environment_process import EnvironmentProcess
from codegym_mcp.verification.gate_results import Gate, GateProblem
from codegym_mcp.verification.gates.extreme_arguments import extreme_arguments
from codegym_mcp.verification.recorded_play import RecordedPlay, format_call
from codegym_mcp.verification.verification_context import VerificationContext

_FAILURES = (CallStatus.FAULT, CallStatus.LIMIT, CallStatus.FAILED)
_GATES = {"limit": Gate.LIMITS, "lost": Gate.LIMITS, "fault": Gate.RESULTS, "broken": Gate.RESULTS}
_MESSAGES = {
    "limit": "met a limit",
    "lost": "ended the environment's process",
    "fault": "failed with an exception that is no ValueError",
    "broken": "gave a result that cannot be handed out",
}


async def check_calls(
    context: VerificationContext, environment: Environment, plays: Sequence[RecordedPlay]
) -> list[GateProblem]:
    """What the oracle's own calls came to that no call may come to, one problem a tool and kind.

    Args:
        plays: the oracle's, of episodes that could be opened.
    """
    found: dict[tuple[str, CallStatus], GateProblem] = {}
    for play in plays:
        for place, step in enumerate(play.steps):
            if step.status in _FAILURES and (step.name, step.status) not in found:
                if step.status is not CallStatus.FAILED:
                    outcome = ToolOutcome(OutcomeStatus(step.status), step.reason)
                else:
                    async with context.episode_slots:
                        outcome = await _repeat(context, environment, play, place)
                found[step.name, step.status] = _problem(outcome, play.task, step.name, step.arguments)
    return list(found.values())


async def _repeat(
    context: VerificationContext, environment: Environment, play: RecordedPlay, place: int
) -> ToolOutcome:
    """How a call of a play failed: it is made once more, after those before it."""
    step = play.steps[place]
    async with EnvironmentProcess.start(
        context.pool, environment, play.task.config, context.limits
    ) as process:
        await _make(process, play.steps[:place])
        outcome = await process.call(step.name, step.arguments)
    return outcome if outcome.status in _GATES else ToolOutcome(OutcomeStatus.LOST, step.reason)


async def _make(process: EnvironmentProcess, steps: Sequence[CallEvent]) -> None:
    # Those without a digest had no effect.
    await process.call_all([(step.name, step.arguments) for step in steps if step.digest])


async def check_extremes(
    context: VerificationContext, environment: Environment, plays: Sequence[RecordedPlay]
) -> list[GateProblem]:
    """Calls every tool with extreme arguments, where the oracle has called it with usual ones.

    Args:
        plays: the oracle's, of episodes that could be opened.
    """
    if not plays:
        return []
    found = await context.run_all(
        partial(_check_tool, context, environment),
        [_Occasion.find(tool, plays) for tool in environment.tools],
    )
    return [problem for problems in found for problem in problems]


class _Occasion(NamedTuple):
    """A moment at which a tool can be called.

    Attributes:
        tool: the tool.
        task: the task.
        steps: the calls before.
        arguments: usual ones.
    """

    tool: Tool
    task: Task
    steps: Sequence[CallEvent]
    arguments: dict[str, Any]

    @classmethod
    def find(cls, tool: Tool, plays: Sequence[RecordedPlay]) -> "_Occasion":
        """The first call of the tool in the longest play that has one, else the beginning of a play."""
        for play in sorted(plays, key=lambda play: len(play.steps), reverse=True):
            for place, step in enumerate(play.steps):
                if step.name == tool.name and step.status == "ok":
                    return cls(tool, play.task, play.steps[:place], step.arguments)
        drawer = SchemaSampler(Random(tool.name))  # noqa: S311 - the same verdict every time
        return cls(tool, plays[0].task, (), drawer.draw(tool.input_schema))


async def _check_tool(
    context: VerificationContext, environment: Environment, occasion: _Occasion
) -> list[GateProblem]:
    """One problem of each kind at most; a tool that met a limit is left alone."""
    found, lost = await _call_extremes(context, environment, occasion)
    if lost:
        # It may be no fault of the environment's, which then happens once.
        found, _ = await _call_extremes(context, environment, occasion)
    return found


async def _call_extremes(
    context: VerificationContext, environment: Environment, occasion: _Occasion
) -> tuple[list[GateProblem], bool]:
    """The problems, and whether the process was lost."""
    found: dict[Gate, GateProblem] = {}
    lost = False
    try:
        async with EnvironmentProcess.start(
            context.pool, environment, occasion.task.config, context.limits
        ) as process:
            await _make(process, occasion.steps)
            for arguments in extreme_arguments(occasion.tool, occasion.arguments):
                if not process.alive:
                    break
                if len(to_json(arguments)) > context.limits.argument_bytes:
                    # No episode would let it through.
                    continue
                outcome = await process.call(occasion.tool.name, arguments)
                lost = lost or outcome.status == "lost"
                if outcome.status in _GATES:
                    problem = _problem(outcome, occasion.task, occasion.tool.name, arguments)
                    found.setdefault(problem.gate, problem)
    except SandboxError:
        raise
    except CodegymError:
        # That it cannot be opened is told where it was first tried.
        return [], False
    return list(found.values()), lost


def _problem(outcome: ToolOutcome, task: Task, name: str, arguments: dict[str, Any]) -> GateProblem:
    return GateProblem(
        gate=_GATES[outcome.status],
        message=f"The tool {name} {_MESSAGES[outcome.status]}.",
        task=task.id,
        call=format_call(name, arguments),
        difference=str(outcome.value),
    )
