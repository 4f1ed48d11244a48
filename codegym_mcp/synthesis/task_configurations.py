"""The configurations of an environment: those that a model writes, and those that its generator makes."""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

from pydantic_core import to_json

from codegym_mcp.episodes.scoring import reference_answer
from codegym_mcp.errors import CodegymError, LimitError, SandboxError, TaskError
from codegym_mcp.spec.environment import Environment, Task
from codegym_mcp.synthesis.reply_extraction import UnusableReplyError
from codegym_mcp.verification.environment_process import EnvironmentProcess
from codegym_mcp.verification.generated_tasks import generate_tasks
from codegym_mcp.verification.recorded_play import shown
from codegym_mcp.verification.verification_context import VerificationContext

ANSWER_BYTES = 500
"""A right answer has so many bytes at most, as JSON: nobody is measured by how much they can copy."""
_MOST = 64
_SEEDS = (1, 2)
_TOLD = 5
_BATCH = 5


class TriedConfigurations(NamedTuple):
    """What came of trying configurations.

    Attributes:
        tasks: those on which the environment runs.
        problems: what stands in the way of the others, a sentence each.
    """

    tasks: list[Task]
    problems: list[str]

    def told(self) -> str:
        """The problems for a model, the first ones of many."""
        more = len(self.problems) - _TOLD
        return "\n".join(self.problems[:_TOLD] + ([f"… and {more} more."] if more > 0 else []))


def read_configurations(data: Any) -> list[dict[str, Any]]:
    """The configurations in what a model wrote.

    Raises:
        UnusableReplyError: it is no list of them.
    """
    if not isinstance(data, list) or not data:
        raise UnusableReplyError("The block is no list of configurations.")
    found = []
    for place, item in enumerate(data[:_MOST]):
        config = item.get("config") if isinstance(item, dict) else None
        if not isinstance(config, dict):
            raise UnusableReplyError(f'Item {place} is no {{"difficulty": …, "config": {{…}}}}.')
        found.append(config)
    return found


async def try_written(
    bench: VerificationContext, environment: Environment, configs: Sequence[dict[str, Any]]
) -> TriedConfigurations:
    """Tries configurations that a model wrote; those that stand there twice count once.

    Raises:
        SandboxError: nothing can be tried here.
    """
    different = list({to_json(config): config for config in configs}.values())
    tasks = [Task(id=f"written-{place}", config=config) for place, config in enumerate(different, start=1)]
    return await _try(bench, environment, tasks)


async def try_generated(bench: VerificationContext, environment: Environment) -> TriedConfigurations:
    """Tries the generator, at every difficulty.

    Raises:
        SandboxError: nothing can be tried here.
    """
    generated, problems = await generate_tasks(bench, environment, _SEEDS)
    tried = await _try(bench, environment, [each.task for each in generated])
    return TriedConfigurations(
        tried.tasks, [f"{each.message} {each.call}: {each.difference}" for each in problems] + tried.problems
    )


async def _try(
    bench: VerificationContext, environment: Environment, tasks: Sequence[Task]
) -> TriedConfigurations:
    tried = TriedConfigurations([], [])
    for start in range(0, len(tasks), _BATCH):
        batch = tasks[start : start + _BATCH]
        errors = await bench.each(partial(_error, bench, environment), batch)
        for task, error in zip(batch, errors, strict=True):
            if error is None:
                tried.tasks.append(task)
            else:
                problem = f"The configuration {shown(task.config)} does not do: {error}"
                tried.problems.append(problem)
        if all(isinstance(error, LimitError) for error in errors):
            # What never ends for so many will not for the others; each would take its time.
            unseen = tasks[start + _BATCH :]
            tried.problems.extend(f"The configuration {shown(task.config)} was not tried." for task in unseen)
            break
    return tried


async def _error(bench: VerificationContext, environment: Environment, task: Task) -> CodegymError | None:
    """Why an environment does not run on a task; None where it does."""
    try:
        environment.check_task(task)
        async with EnvironmentProcess.start(bench.pool, environment, task.config, bench.limits):
            answer = await reference_answer(bench.pool, environment, task, bench.limits)
    except SandboxError:
        raise
    except CodegymError as error:
        return error
    length = len(to_json(answer))
    if length > ANSWER_BYTES:
        return TaskError(f"The right answer has {length} bytes; {ANSWER_BYTES} are allowed.")
    return None
