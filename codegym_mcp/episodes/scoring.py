"""Judges a submission, and computes reference answers and generated tasks.

The reference answer is computed from the task's configuration alone, in a new process that serves no tools,
and compared in this process as plain data.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from codegym_mcp.answer_scoring.answer_overlap import measure_overlap
from codegym_mcp.environment_definition.environment import (
    DIFFICULTIES,
    Environment,
    Judge,
    Task,
    generated_id,
)
from codegym_mcp.environment_definition.environment_metadata import JudgeErrors
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episodes.episode_outcome import Verdict
from codegym_mcp.errors import (
    BrokenContractError,
    EnvironmentFailedError,
    EnvironmentFaultError,
    InvalidArgumentsError,
    TaskError,
)
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.sandbox.process.process_messages import ComputeReference, GenerateConfig, JudgeAnswer, Role


async def judge(
    pool: SandboxPool,
    environment: Environment,
    task: Task,
    answer: Any,
    limits: Limits,
    *,
    state: Any = None,
    with_overlap: bool = False,
    reference: Callable[[], Awaitable[Any]] | None = None,
) -> Verdict:
    """Judges a submission.

    Args:
        answer: plain data, validated against the environment's answer type; None if it takes no answer.
        state: the final state, validated against its declared type; None if the environment declares none.
        with_overlap: measure how much of a wrong answer agrees with the reference answer.
        reference: returns the reference answer, in place of `reference_answer`.

    Returns:
        The verdict. If the judge raises an exception, the answer is incorrect where the environment says so
        (`judge_errors` in its `META`).

    Raises:
        EnvironmentFaultError, LimitError, WorkerLostError, SandboxError: the answer could not be judged; the
            agent is not the cause.
    """
    if reference is None:
        reference = partial(reference_answer, pool, environment, task, limits)
    if environment.judge is Judge.REFERENCE:
        expected = await reference()
        correct = environment.answer.equal(expected, answer)
        overlap = measure_overlap(environment.answer, expected, answer) if with_overlap else None
    else:
        assignment = judge_assignment(environment, task, answer, state)
        correct = await _ask_judge(pool, environment, assignment, limits)
        overlap = None
        if with_overlap and environment.takes_answer and isinstance(answer, list | dict):
            overlap = 1.0 if correct else await _overlap(environment, reference, answer)
    return Verdict(correct=correct, reward=1.0 if correct else 0.0, overlap=overlap)


async def _overlap(
    environment: Environment, reference: Callable[[], Awaitable[Any]], answer: Any
) -> float | None:
    """Measures the overlap of an answer that the environment's own judge has refused."""
    try:
        expected = await reference()
    except EnvironmentFailedError:
        # The answer has been judged; the overlap is additional.
        return None
    return measure_overlap(environment.answer, expected, answer)


def judge_assignment(environment: Environment, task: Task, answer: Any, state: Any) -> JudgeAnswer:
    """Returns the assignment that judges an answer, a final state, or both with the environment's judge."""
    submitted = [answer] if environment.takes_answer else []
    if environment.final_state is not None:
        submitted.append(state)
    return JudgeAnswer(task.config, submitted)


async def _ask_judge(
    pool: SandboxPool, environment: Environment, assignment: JudgeAnswer, limits: Limits
) -> bool:
    try:
        correct = await pool.ask(environment.program, assignment, limits)
    except BrokenContractError:
        raise
    except EnvironmentFaultError:
        if environment.judge_errors is JudgeErrors.INCORRECT:
            return False
        raise
    if type(correct) is not bool:
        raise BrokenContractError(Role.JUDGE, "The judge returned neither True nor False.")
    return correct


async def reference_answer(pool: SandboxPool, environment: Environment, task: Task, limits: Limits) -> Any:
    """Computes the correct answer of a task, as plain data; None if the environment takes no answer.

    Raises:
        EnvironmentFaultError: `reference` failed, or its answer is not of the declared type.
        LimitError, WorkerLostError, SandboxError: the answer could not be computed.
    """
    if not environment.takes_answer:
        return None
    reference = await pool.ask(environment.program, ComputeReference(task.config), limits)
    try:
        environment.submission.validate_arguments(environment.submission_arguments(reference))
    except InvalidArgumentsError as error:
        raise BrokenContractError(
            Role.REFERENCE, f"The reference answer does not fit its declared type. {error.message}"
        ) from None
    return reference


async def generate_task(
    pool: SandboxPool, environment: Environment, difficulty: int, seed: int, limits: Limits | None = None
) -> Task:
    """Generates the task of a difficulty and a seed. The same arguments give the same task on every machine.

    Raises:
        TaskError: the environment has no generator, the difficulty is not 1 to 5, or the generated
            configuration does not fit the environment.
        EnvironmentFaultError, LimitError, WorkerLostError, SandboxError: `generate` failed.
    """
    if not environment.generates:
        raise TaskError(f"{environment.name} has no generator.", hint="Choose one of its fixed tasks.")
    if difficulty not in DIFFICULTIES:
        raise TaskError(f"The difficulty {difficulty} does not exist.", hint="Choose one from 1 to 5.")
    task_id = generated_id(difficulty, seed)
    config = await pool.ask(environment.program, GenerateConfig(task_id, difficulty), limits or Limits())
    if not isinstance(config, dict):
        raise TaskError(f"The generator of {environment.name} returned no configuration for {task_id}.")
    task = Task(id=task_id, config=config, difficulty=difficulty)
    environment.check_task(task)
    return task
