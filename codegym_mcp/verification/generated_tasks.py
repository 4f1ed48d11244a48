"""Tasks that an environment generates, one of each difficulty and seed."""

from collections.abc import Sequence
from dataclasses import dataclass

from codegym_mcp.episodes.scoring import generate_task
from codegym_mcp.errors import CodegymError, SandboxError
from codegym_mcp.limits import Limits
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.spec.environment import DIFFICULTIES, Environment, Task
from codegym_mcp.verification.gate_results import Gate, GateProblem
from codegym_mcp.verification.recorded_play import call_text
from codegym_mcp.verification.verification_context import VerificationContext


@dataclass(frozen=True)
class GeneratedTasks:
    """A generated task, and what it was generated from."""

    task: Task
    difficulty: int
    seed: int

    @property
    def call(self) -> str:
        """How it was made, as Python would write it."""
        return call_text("generate", {"difficulty": self.difficulty, "seed": self.seed})

    async def repeat(self, pool: SandboxPool, environment: Environment, limits: Limits) -> Task:
        """Makes the task once more; raises as `generate_task`."""
        return await generate_task(pool, environment, self.difficulty, self.seed, limits)


async def generate_tasks(
    bench: VerificationContext, environment: Environment, seeds: Sequence[int]
) -> tuple[list[GeneratedTasks], list[GateProblem]]:
    """Generates a task of each difficulty and each seed; nothing where there is no generator.

    Returns:
        The tasks, and what stands in the way of the others.

    Raises:
        SandboxError: nothing can be generated here.
    """
    if not environment.generates:
        return [], []

    async def generate(drawn: tuple[int, int]) -> GeneratedTasks | GateProblem:
        difficulty, seed = drawn
        try:
            task = await generate_task(bench.pool, environment, difficulty, seed, bench.limits)
        except SandboxError:
            raise
        except CodegymError as error:
            return GateProblem(
                gate=Gate.LOADS,
                message="The generator makes no task.",
                call=call_text("generate", {"difficulty": difficulty, "seed": seed}),
                difference=str(error),
            )
        return GeneratedTasks(task, difficulty, seed)

    drawn = [(difficulty, seed) for difficulty in DIFFICULTIES for seed in seeds]
    made = await bench.each(generate, drawn)
    return (
        [item for item in made if isinstance(item, GeneratedTasks)],
        [item for item in made if isinstance(item, GateProblem)],
    )
