"""Checks for the tests of people who write environments: plain functions, for any test runner.

Example:
    import codegym_mcp as gym
    from codegym_mcp import testing

    floors = gym.load("breaking_floor.py")["breaking_floor"]

    def test_fit_to_be_served():
        testing.check_environment(floors)
"""

from collections.abc import Sequence
from typing import Any

from codegym_mcp.environment_definition.environment import Environment, Task
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episodes.scoring import reference_answer as compute_reference
from codegym_mcp.evaluation_api import verify
from codegym_mcp.policies.oracle import OraclePolicy
from codegym_mcp.runtime.blocking_episode import Episode
from codegym_mcp.runtime.episode_opening import EnvironmentRef, find_environment
from codegym_mcp.runtime.shared_runtime import shared_runtime

__all__ = ["check_environment", "play_oracle", "reference_answer"]


def check_environment(environment: EnvironmentRef, *, tasks: Sequence[Task] | None = None) -> None:
    """Takes an environment through all gates.

    Args:
        environment: the environment, or the path of its file.
        tasks: the tasks to try, in place of its own.

    Raises:
        AssertionError: a gate failed; the message names gate, task, call and difference.
        SourceError, TaskError: the environment cannot be read, or a task does not fit it.
    """
    found = _find(environment)
    if tasks is not None:
        found = found.with_tasks(tuple(tasks))
    verification = verify(found)
    if not verification.verified:
        problems = "\n".join(f"  {problem}" for problem in verification.problems)
        raise AssertionError(f"{found.name} is not fit to be served:\n{problems}")


def play_oracle(
    environment: EnvironmentRef,
    task: str | Task | None = None,
    *,
    difficulty: int | None = None,
    seed: int | None = None,
    limits: Limits | None = None,
) -> Episode:
    """Lets the environment's own `solve` play an episode.

    Args:
        task, difficulty, seed, limits: see `codegym_mcp.open_episode`.

    Returns:
        The episode, which has ended; `episode.reward` is 1.0 if the oracle solves the task.

    Raises:
        EnvironmentFaultError: `solve` failed.
        NotFoundError, SourceError, TaskError: see `codegym_mcp.open_episode`.
    """
    found = _find(environment)
    runtime = shared_runtime()
    with runtime.open_episode(found, task=task, difficulty=difficulty, seed=seed, limits=limits) as episode:

        async def play() -> None:
            episodes = await runtime.async_runtime.start()
            policy = OraclePolicy(episodes.pool, found, episode.limits)
            await policy.play(episodes.by_id(episode.id))

        runtime.thread.run(play)
    return episode


def reference_answer(environment: EnvironmentRef, task: str | Task) -> Any:
    """Computes the right answer of a task by the environment's `reference`, as plain data.

    Raises:
        EnvironmentFaultError: `reference` failed, or its answer is not of the declared type.
        NotFoundError, SourceError, TaskError: see `codegym_mcp.open_episode`.
    """
    found = _find(environment)
    chosen = found.task(task) if isinstance(task, str) else task
    found.check_task(chosen)
    runtime = shared_runtime()

    async def compute() -> Any:
        episodes = await runtime.async_runtime.start()
        return await compute_reference(episodes.pool, found, chosen, runtime.limits)

    return runtime.thread.run(compute)


def _find(environment: EnvironmentRef) -> Environment:
    return find_environment(shared_runtime().catalog, environment)
