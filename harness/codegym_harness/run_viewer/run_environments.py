"""Finds the environments of a run again, so that the oracle can play its tasks."""

from pathlib import Path

from codegym_harness.runs.run_directory_reader import ENVIRONMENTS, read_configuration
from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.environment_definition.environment import Environment, generated_id
from codegym_mcp.episode_viewer.episode_views import EpisodeRow
from codegym_mcp.episode_viewer.oracle_solution import OraclePlay, play_oracle
from codegym_mcp.episodes.episode_task import select_task
from codegym_mcp.errors import CodegymError
from codegym_mcp.sandbox.process.pool import SandboxPool


def find_environment(run: Path, name: str) -> Environment:
    """Returns an environment of a run, as it was when the run was started.

    Raises:
        CodegymError: the environment is not available here, or has changed since.
    """
    configuration, start = read_configuration(run)
    if any(configuration.get(member) for member in ("server_url", "mcp_url", "mcp_command")):
        raise CodegymError("The run played the environments of a server, which are not available here.")
    recorded = configuration.get("paths")
    paths = [Path(str(path)) for path in recorded] if isinstance(recorded, list) else []
    # A run that was moved carries the environments that it was given in memory.
    if (run / ENVIRONMENTS).is_dir():
        paths = [path for path in paths if path.exists() and path.name != ENVIRONMENTS]
        paths.append(run / ENVIRONMENTS)
    environment = Catalog.load(paths).get(name)
    digest = start.environments.get(name)
    if digest is not None and digest != environment.digest:
        raise CodegymError(
            f"The environment {name} has changed since the run was started.",
            hint="Its oracle would play another task.",
        )
    return environment


async def play_task_of(environment: Environment, row: EpisodeRow, seed: int | None) -> OraclePlay:
    """Lets the oracle play the task of an episode.

    Args:
        row: the episode.
        seed: the seed of a generated task.

    Raises:
        CodegymError: the environment has no such task, or the sandbox does not work.
    """
    async with SandboxPool.open() as pool:
        difficulty = row.difficulty
        if seed is not None and difficulty is not None and row.task == generated_id(difficulty, seed):
            task = await select_task(pool, environment, difficulty=difficulty, seed=seed)
        else:
            task = await select_task(pool, environment, row.task)
        return await play_oracle(pool, environment, task)
