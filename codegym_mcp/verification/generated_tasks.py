"""Generates tasks of an environment, one for each difficulty and seed."""

from collections.abc import Sequence
from dataclasses import dataclass

from codegym_mcp.environment_definition.environment import DIFFICULTIES, Environment, Task
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episodes.scoring import generate_task
from codegym_mcp.errors import EnvironmentFailedError, EnvironmentLimitError
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.verification.gate_results import Gate, GateProblem
from codegym_mcp.verification.recorded_play import format_call
from codegym_mcp.verification.verification_context import VerificationContext


@dataclass(frozen=True)
class GeneratedTask:
    """A generated task with the difficulty and the seed that it was generated from."""

    task: Task
    difficulty: int
    seed: int

    @property
    def call(self) -> str:
        """The call of the generator in Python syntax."""
        return format_call("generate", {"difficulty": self.difficulty, "seed": self.seed})

    async def generate_again(self, pool: SandboxPool, environment: Environment, limits: Limits) -> Task:
        """Generates the task once more; raises the errors of `generate_task`."""
        return await generate_task(pool, environment, self.difficulty, self.seed, limits)


async def generate_tasks(
    context: VerificationContext, environment: Environment, seeds: Sequence[int]
) -> tuple[list[GeneratedTask], list[GateProblem]]:
    """Generates a task of each difficulty and each seed; none if the environment has no generator.

    Returns:
        The tasks, and a problem for each different error of the generator.

    Raises:
        SandboxError: the sandbox does not work on this system.
    """
    if not environment.generates:
        return [], []

    async def generate(source: tuple[int, int]) -> GeneratedTask | tuple[str, EnvironmentFailedError]:
        difficulty, seed = source
        try:
            task = await generate_task(context.pool, environment, difficulty, seed, context.limits)
        except EnvironmentFailedError as error:
            return format_call("generate", {"difficulty": difficulty, "seed": seed}), error
        return GeneratedTask(task, difficulty, seed)

    sources = [(difficulty, seed) for difficulty in DIFFICULTIES for seed in seeds]
    results = await context.run_waves(generate, sources, stop=_exceeded_limit)
    problems: dict[str, GateProblem] = {}
    for result in results:
        if not isinstance(result, GeneratedTask):
            call, error = result
            problem = GateProblem(
                gate=Gate.LOADS, message="The generator makes no task.", call=call, difference=str(error)
            )
            problems.setdefault(problem.difference, problem)
    return [result for result in results if isinstance(result, GeneratedTask)], list(problems.values())


def _exceeded_limit(result: GeneratedTask | tuple[str, EnvironmentFailedError]) -> bool:
    return not isinstance(result, GeneratedTask) and isinstance(result[1], EnvironmentLimitError)
