"""Checks that sequences of random valid calls end within their limits with results of the declared type.

Some faults occur only after several calls, which neither the oracle nor a single extreme call makes.
"""

from collections.abc import Sequence
from functools import partial
from random import Random
from typing import NamedTuple

from codegym_mcp.environment_definition.environment import Environment, Task
from codegym_mcp.episode_protocol import CallStatus
from codegym_mcp.episodes.events import CallEvent
from codegym_mcp.episodes.tool_outcome import OutcomeStatus
from codegym_mcp.errors import EnvironmentFailedError, InvalidArgumentsError
from codegym_mcp.policies.schema_sampler import SchemaSampler
from codegym_mcp.policies.tool_schemas import values_in
from codegym_mcp.verification.gate_results import GateProblem
from codegym_mcp.verification.gates.call_problems import call_problem, is_problem
from codegym_mcp.verification.process_without_episode import EnvironmentProcess
from codegym_mcp.verification.verification_context import VerificationContext

_CALLS = 80
_TASKS = 3
_SEEDS = 3
_ORACLE_SHARE = 0.5


class CallSource(NamedTuple):
    """A task, and calls of an oracle on this task, whose arguments random calls repeat.

    Attributes:
        task: the task.
        steps: the oracle's calls, or none.
    """

    task: Task
    steps: Sequence[CallEvent] = ()


async def check_random_calls(
    context: VerificationContext, environment: Environment, sources: Sequence[CallSource]
) -> list[GateProblem]:
    """Plays random valid calls on some of the tasks and returns one problem for each tool and kind of
    failure."""
    step = max(1, len(sources) // _TASKS)
    starts = [(source, seed) for source in sources[::step][:_TASKS] for seed in range(_SEEDS)]
    found = await context.run_all(partial(_check_sequence, context, environment), starts)
    return list({problem.message: problem for problem in reversed(found) if problem is not None}.values())


async def _check_sequence(
    context: VerificationContext, environment: Environment, start: tuple[CallSource, int]
) -> GateProblem | None:
    problem, lost = await _call_at_random(context, environment, start)
    if lost:
        # If the environment did not cause it, it does not occur again.
        problem, _ = await _call_at_random(context, environment, start)
    return problem


async def _call_at_random(
    context: VerificationContext, environment: Environment, start: tuple[CallSource, int]
) -> tuple[GateProblem | None, bool]:
    """Returns the first problem of a sequence, if any, and whether the process was lost."""
    (task, steps), seed = start
    random = Random(f"{seed} {task.id}")  # noqa: S311 - the same calls every time
    sampler = SchemaSampler(random)
    sampler.see(values_in(environment.public_values(task)))
    known_calls = [(step.name, step.arguments) for step in steps if step.status is CallStatus.OK]
    try:
        async with EnvironmentProcess.start(
            context.pool, environment, task.config, context.limits
        ) as process:
            for _ in range(_CALLS):
                if known_calls and random.random() < _ORACLE_SHARE:
                    name, arguments = random.choice(known_calls)
                else:
                    tool = random.choice(environment.tools)
                    name, arguments = tool.name, sampler.draw(tool.input_schema)
                try:
                    environment.tool(name).validate_arguments(arguments)
                except InvalidArgumentsError:
                    continue
                outcome = await process.call(name, arguments)
                if is_problem(outcome):
                    lost = outcome.status is OutcomeStatus.LOST
                    return call_problem(outcome, task, name, arguments), lost
                if outcome.status is OutcomeStatus.OK:
                    sampler.see(values_in(outcome.value))
    except EnvironmentFailedError:
        # Where the environment could not be opened first, it is reported.
        pass
    return None, False
