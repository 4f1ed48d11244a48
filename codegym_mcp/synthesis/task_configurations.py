"""Checks the configurations of a draft: those that a model wrote and those of its generator."""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

from pydantic_core import to_json

from codegym_mcp.environment_definition.environment import Environment, Task
from codegym_mcp.episodes.scoring import reference_answer
from codegym_mcp.errors import (
    CodegymError,
    EnvironmentFailedError,
    LimitError,
    TaskError,
)
from codegym_mcp.synthesis.configuration_sizes import SizeRules
from codegym_mcp.synthesis.reply_extraction import UnusableReplyError
from codegym_mcp.verification.generated_tasks import generate_tasks
from codegym_mcp.verification.process_without_episode import EnvironmentProcess
from codegym_mcp.verification.recorded_play import format_value
from codegym_mcp.verification.verification_context import VerificationContext

ANSWER_BYTES = 500
"""Maximum size of a reference answer in bytes of JSON."""
ENOUGH = 0.8
"""Least share of the written configurations that has to be usable (arXiv 2509.17325)."""
_MAX_CONFIGURATIONS = 64
MORE_SEEDS = tuple(range(3, 9))
"""Seeds of further tasks, for a draft of which some generated tasks are unsolved."""
_SEEDS = (1, 2)
_WRITTEN = "written-"
_MAX_DESCRIBED = 5
_BATCH = 5


class TriedConfigurations(NamedTuple):
    """The result of trying configurations.

    Attributes:
        tasks: the tasks on which the environment runs.
        problems: why the other configurations cannot be used, a sentence each.
    """

    tasks: list[Task]
    problems: list[str]

    def describe(self) -> str:
        """Returns the first problems, one a line, for the model."""
        more = len(self.problems) - _MAX_DESCRIBED
        return "\n".join(self.problems[:_MAX_DESCRIBED] + ([f"… and {more} more."] if more > 0 else []))


def read_configurations(data: Any) -> list[dict[str, Any]]:
    """Returns the configurations in the data that a model wrote.

    Raises:
        UnusableReplyError: the data is not a list of configurations.
    """
    if not isinstance(data, list) or not data:
        raise UnusableReplyError("The block is not a list of configurations.")
    found = []
    for index, item in enumerate(data[:_MAX_CONFIGURATIONS]):
        config = item.get("config") if isinstance(item, dict) else None
        if not isinstance(config, dict):
            raise UnusableReplyError(f'Item {index} is not {{"difficulty": …, "config": {{…}}}}.')
        found.append(config)
    return found


def is_written(task: Task) -> bool:
    """Returns whether a task has a configuration that the model wrote, not one of the generator."""
    return task.id.startswith(_WRITTEN)


async def try_written(
    context: VerificationContext,
    environment: Environment,
    configs: Sequence[dict[str, Any]],
    generated: Sequence[Task] = (),
) -> TriedConfigurations:
    """Tries configurations that a model wrote, each different one once.

    Args:
        generated: tasks of the generator, from which the rules about sizes are learnt that configurations
            must keep.

    Raises:
        SandboxError: the sandbox does not work on this system.
    """
    different = list({to_json(config): config for config in configs}.values())
    tasks = [
        Task(id=f"{_WRITTEN}{number}", config=config) for number, config in enumerate(different, start=1)
    ]
    if not generated:
        return await _try(context, environment, tasks)
    rules = SizeRules([task.config for task in generated])
    misfits = {task.id: rules.contradictions(task.config) for task in tasks}
    tried = await _try(context, environment, [task for task in tasks if not misfits[task.id]])
    problems = [
        f"The configuration {format_value(task.config)} contradicts itself: {misfits[task.id][0]}"
        for task in tasks
        if misfits[task.id]
    ]
    return TriedConfigurations(tried.tasks, problems + tried.problems)


async def try_generated(
    context: VerificationContext, environment: Environment, seeds: Sequence[int] = _SEEDS
) -> TriedConfigurations:
    """Tries the generator with each seed at every difficulty.

    Raises:
        SandboxError: the sandbox does not work on this system.
    """
    generated, problems = await generate_tasks(context, environment, seeds)
    tried = await _try(context, environment, [each.task for each in generated])
    return TriedConfigurations(
        tried.tasks, [f"{each.message} {each.call}: {each.difference}" for each in problems] + tried.problems
    )


async def _try(
    context: VerificationContext, environment: Environment, tasks: Sequence[Task]
) -> TriedConfigurations:
    tried = TriedConfigurations([], [])
    for start in range(0, len(tasks), _BATCH):
        batch = tasks[start : start + _BATCH]
        errors = await context.run_all(partial(_error, context, environment), batch)
        for task, error in zip(batch, errors, strict=True):
            if error is None:
                tried.tasks.append(task)
            else:
                problem = (
                    f"The environment does not run on the configuration {format_value(task.config)}: {error}"
                )
                tried.problems.append(problem)
        if all(isinstance(error, LimitError) for error in errors):
            # The environment would exceed its limit on the others too, and each would take as long.
            unseen = tasks[start + _BATCH :]
            tried.problems.extend(
                f"The configuration {format_value(task.config)} was not tried." for task in unseen
            )
            break
    return tried


async def _error(context: VerificationContext, environment: Environment, task: Task) -> CodegymError | None:
    """Returns why an environment does not run on a task, or None if it does."""
    try:
        environment.check_task(task)
        async with EnvironmentProcess.start(context.pool, environment, task.config, context.limits):
            answer = await reference_answer(context.pool, environment, task, context.limits)
    except EnvironmentFailedError as error:
        return error
    length = len(to_json(answer))
    if length > ANSWER_BYTES:
        return TaskError(f"The reference answer has {length} bytes; {ANSWER_BYTES} are allowed.")
    return None
