"""Judges a submission, and computes reference answers and generated tasks.

The reference answer is computed from the task's configuration alone, in a new process that serves no tools,
and compared in this process as plain data.
"""

from typing import Any

from codegym_mcp.episode_limits import Limits
from codegym_mcp.episodes.episode_outcome import Verdict
from codegym_mcp.errors import BrokenContractError, EnvironmentFaultError, InvalidArgumentsError, TaskError
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.sandbox.process.process_messages import ComputeReference, GenerateConfig, JudgeAnswer, Role
from codegym_mcp.spec.environment import DIFFICULTIES, Environment, Judge, Task, generated_id
from codegym_mcp.spec.environment_metadata import JudgeErrors


async def judge(
    pool: SandboxPool, environment: Environment, task: Task, answer: Any, limits: Limits
) -> Verdict:
    """Judges an answer.

    Args:
        answer: plain data, validated against the environment's answer type.

    Returns:
        The verdict. If the judge raises an exception, the answer is incorrect where the environment says so
        (`judge_errors` in its `META`).

    Raises:
        EnvironmentFaultError, LimitError, WorkerLostError, SandboxError: the answer could not be judged; the
            agent is not the cause.
    """
    if environment.judge is Judge.REFERENCE:
        reference = await reference_answer(pool, environment, task, limits)
        correct = environment.answer.equal(reference, answer)
    else:
        correct = await _ask_judge(pool, environment, task, answer, limits)
    return Verdict(correct=correct, reward=1.0 if correct else 0.0)


async def _ask_judge(
    pool: SandboxPool, environment: Environment, task: Task, answer: Any, limits: Limits
) -> bool:
    try:
        correct = await pool.ask(environment.program, JudgeAnswer(task.config, answer), limits)
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
    """Computes the correct answer of a task, as plain data.

    Raises:
        EnvironmentFaultError: `reference` failed, or its answer is not of the declared type.
        LimitError, WorkerLostError, SandboxError: the answer could not be computed.
    """
    reference = await pool.ask(environment.program, ComputeReference(task.config), limits)
    parameter = environment.submission.parameters[0].name
    try:
        environment.submission.validate_arguments({parameter: reference})
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
