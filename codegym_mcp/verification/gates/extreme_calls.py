"""Checks that calls with extreme arguments end within their limits with results of the declared type."""

from collections.abc import Sequence
from functools import partial
from random import Random
from typing import Any, NamedTuple

from pydantic_core import to_json

from codegym_mcp.environment_definition.environment import Environment, Task
from codegym_mcp.environment_definition.tools import Tool
from codegym_mcp.episode_protocol import CallStatus
from codegym_mcp.episodes.events import CallEvent
from codegym_mcp.episodes.tool_outcome import OutcomeStatus
from codegym_mcp.errors import EnvironmentFailedError
from codegym_mcp.policies.schema_sampler import SchemaSampler
from codegym_mcp.verification.gate_results import Gate, GateProblem
from codegym_mcp.verification.gates.call_problems import call_problem, is_problem
from codegym_mcp.verification.gates.extreme_values import extreme_arguments
from codegym_mcp.verification.gates.oracle_call_results import repeat_calls
from codegym_mcp.verification.process_without_episode import EnvironmentProcess
from codegym_mcp.verification.recorded_play import RecordedPlay
from codegym_mcp.verification.verification_context import VerificationContext


class Occasion(NamedTuple):
    """A point of an episode at which a tool is called.

    Attributes:
        tool: the tool.
        task: the task of the episode.
        steps: the earlier calls of the episode.
        arguments: usual arguments of the tool.
    """

    tool: Tool
    task: Task
    steps: Sequence[CallEvent]
    arguments: dict[str, Any]

    @classmethod
    def in_plays(cls, tool: Tool, plays: Sequence[RecordedPlay]) -> "Occasion":
        """Returns the first call of the tool in the longest play that has one, else the start of a play."""
        for play in sorted(plays, key=lambda play: len(play.steps), reverse=True):
            for index, step in enumerate(play.steps):
                if step.name == tool.name and step.status is CallStatus.OK:
                    return cls(tool, play.task, play.steps[:index], step.arguments)
        return cls.at_start(tool, plays[0].task)

    @classmethod
    def at_start(cls, tool: Tool, task: Task) -> "Occasion":
        """Returns the start of an episode, with random arguments that fit the schema."""
        sampler = SchemaSampler(Random(tool.name))  # noqa: S311 - the same result every time
        return cls(tool, task, (), sampler.draw(tool.input_schema))


async def check_extreme_calls(
    context: VerificationContext, environment: Environment, occasions: Sequence[Occasion]
) -> list[GateProblem]:
    """Calls tools with extreme arguments and returns at most one problem of each gate for each tool."""
    found = await context.run_all(partial(_check_tool, context, environment), occasions)
    return [problem for problems in found for problem in problems]


async def _check_tool(
    context: VerificationContext, environment: Environment, occasion: Occasion
) -> list[GateProblem]:
    found, lost = await _call_extremes(context, environment, occasion)
    if lost:
        # If the environment did not cause it, it does not occur again.
        found, _ = await _call_extremes(context, environment, occasion)
    return found


async def _call_extremes(
    context: VerificationContext, environment: Environment, occasion: Occasion
) -> tuple[list[GateProblem], bool]:
    """Returns the problems, and whether the process was lost; a lost process is not called again."""
    found: dict[Gate, GateProblem] = {}
    lost = False
    try:
        async with EnvironmentProcess.start(
            context.pool, environment, occasion.task.config, context.limits
        ) as process:
            await repeat_calls(process, occasion.steps)
            for arguments in extreme_arguments(occasion.tool, occasion.arguments):
                if not process.alive:
                    break
                if len(to_json(arguments)) > context.limits.argument_bytes:
                    # An episode refuses arguments of this size.
                    continue
                outcome = await process.call(occasion.tool.name, arguments)
                lost = lost or outcome.status is OutcomeStatus.LOST
                if is_problem(outcome):
                    problem = call_problem(outcome, occasion.task, occasion.tool.name, arguments)
                    found.setdefault(problem.gate, problem)
    except EnvironmentFailedError:
        # Where the environment could not be opened first, it is reported.
        return [], False
    return list(found.values()), lost
