"""Checks that every answer of the declared type is judged right or wrong without an error.

An agent that finds an answer on which the judge fails could end an episode without a score.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from random import Random
from typing import Any, NamedTuple

from pydantic_core import to_json

from codegym_mcp.environment_definition.environment import Environment, Judge, Task
from codegym_mcp.episodes.final_state import obtain_final_state
from codegym_mcp.episodes.lost_process_replay import ReplayableEnvironment
from codegym_mcp.episodes.scoring import judge
from codegym_mcp.errors import EnvironmentFailedError, EnvironmentFaultError, InvalidArgumentsError
from codegym_mcp.policies.random_baseline import RandomPolicy
from codegym_mcp.policies.schema_sampler import SchemaSampler
from codegym_mcp.sandbox.process.process_messages import Role
from codegym_mcp.verification.gate_results import Gate, GateProblem
from codegym_mcp.verification.gates.extreme_values import extreme_arguments
from codegym_mcp.verification.recorded_play import format_submission, play_episode
from codegym_mcp.verification.verification_context import VerificationContext

_TASKS = 2
_DRAWN = 12
_RANDOM_PLAYS = 4


class UnjudgedAnswer(NamedTuple):
    """An answer on which the judge of an environment failed.

    Attributes:
        task: the task.
        answer: the answer; it fits the declared type. None if the environment takes none.
        error: how the judge failed.
    """

    task: Task
    answer: Any
    error: EnvironmentFailedError


async def check_judged(
    context: VerificationContext, environment: Environment, tasks: Sequence[Task]
) -> list[GateProblem]:
    """Returns a problem for each kind of error with which the judge fails on unusual answers."""
    unjudged = await find_unjudged(context, environment, tasks)
    by_error = {type(found.error): found for found in reversed(unjudged)}
    return [
        GateProblem(
            gate=Gate.JUDGED,
            message="An answer of the declared type cannot be judged. Return False or set META judge_errors.",
            task=found.task.id,
            call=format_submission(environment, found.answer),
            difference=str(found.error),
        )
        for found in by_error.values()
    ]


async def find_unjudged(
    context: VerificationContext, environment: Environment, tasks: Sequence[Task]
) -> list[UnjudgedAnswer]:
    """Judges unusual answers to some of the tasks and returns those on which the judge fails.

    Environments whose answers are compared with a reference run no code of their own on an answer.

    Raises:
        SandboxError: the sandbox does not work on this system.
    """
    if environment.judge is Judge.REFERENCE:
        return []
    answers = list(_unusual_answers(environment, context.limits.argument_bytes))
    examined = tasks[:_TASKS]
    states = await context.run_all(partial(_initial_state, context, environment), examined)
    attempts = [
        (task, answer, state) for task, state in zip(examined, states, strict=True) for answer in answers
    ]
    found = await context.run_waves(partial(_judge, context, environment), attempts, stop=_failed)
    if environment.final_state is not None:
        plays = [(task, seed) for task in examined for seed in range(_RANDOM_PLAYS)]
        found += await context.run_waves(partial(_play_randomly, context, environment), plays, stop=_failed)
    return [each for each in found if each is not None]


async def _initial_state(context: VerificationContext, environment: Environment, task: Task) -> Any:
    """Returns the state of a task before the first call; None if the environment declares none."""
    runner = ReplayableEnvironment(context.pool, environment.program, task.config, context.limits)
    try:
        return await obtain_final_state(runner, environment)
    except EnvironmentFailedError:
        # The random plays report it.
        return None
    finally:
        runner.suspend()


async def _play_randomly(
    context: VerificationContext, environment: Environment, attempt: tuple[Task, int]
) -> UnjudgedAnswer | None:
    """Makes random calls and submits: the state after them must be judged too."""
    task, seed = attempt
    play = await play_episode(context.pool, environment, task, RandomPolicy(seed), context.limits)
    if play.submitted and play.failed:
        return UnjudgedAnswer(task, play.answer, EnvironmentFaultError(Role.JUDGE, play.reason))
    return None


def _failed(result: UnjudgedAnswer | None) -> bool:
    return result is not None


async def _judge(
    context: VerificationContext, environment: Environment, attempt: tuple[Task, Any, Any]
) -> UnjudgedAnswer | None:
    task, answer, state = attempt
    try:
        await judge(context.pool, environment, task, answer, context.limits, state=state)
    except EnvironmentFailedError as error:
        return UnjudgedAnswer(task, answer, error)
    return None


def _unusual_answers(environment: Environment, max_bytes: int) -> Iterator[Any]:
    """Yields answers of the declared type: extreme ones and random ones."""
    submission = environment.submission
    random = Random(environment.name)  # noqa: S311 - the same answers every time
    sampler = SchemaSampler(random)
    drawn = [sampler.draw(submission.input_schema) for _ in range(_DRAWN)]
    for arguments in (*extreme_arguments(submission, {}), *drawn):
        try:
            submission.validate_arguments(arguments)
        except InvalidArgumentsError:
            continue
        if len(to_json(arguments)) <= max_bytes:
            yield next(iter(arguments.values()), None)
