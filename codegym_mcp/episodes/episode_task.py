"""Selects the task of an episode: a fixed task by its id, or a generated one."""

from codegym_mcp.environment_definition.environment import Environment, Task
from codegym_mcp.episodes.scoring import generate_task
from codegym_mcp.errors import TaskError
from codegym_mcp.sandbox.process.pool import SandboxPool


async def select_task(
    pool: SandboxPool,
    environment: Environment,
    task: str | Task | None = None,
    difficulty: int | None = None,
    seed: int | None = None,
) -> Task:
    """Returns the task with this id, or generates the task of this difficulty and seed.

    Args:
        task: the id of a fixed task, or a task. Without it and without a difficulty, the first fixed task is
            returned, or the task of difficulty 1 and seed 0 if the environment has no fixed task.
        difficulty: from 1 to 5.
        seed: 0 if it is None.

    Raises:
        NotFoundError: the environment has no task with this id.
        TaskError: a task was given together with a difficulty or a seed, or a seed without a difficulty; or
            the task does not fit the environment; or the environment has neither tasks nor a generator.
        EnvironmentFaultError, LimitError, WorkerLostError, SandboxError: the generator failed.
    """
    if task is not None and (difficulty is not None or seed is not None):
        raise TaskError("A task is chosen by its id, or by a difficulty and a seed, not both.")
    if seed is not None and difficulty is None:
        raise TaskError("A seed needs a difficulty: a task is generated from both.")
    if difficulty is not None:
        return await generate_task(pool, environment, difficulty, seed or 0)
    if isinstance(task, Task):
        environment.check_task(task)
        return task
    if task is not None:
        return environment.task(task)
    if environment.tasks:
        return environment.tasks[0]
    if environment.generates:
        return await generate_task(pool, environment, 1, 0)
    raise TaskError(
        f"{environment.name} has neither tasks nor a generator.",
        hint=f"Put tasks beside its file, in {environment.name}.jsonl, or write generate.",
    )
