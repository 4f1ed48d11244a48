"""Opens the episodes of the Python API on an episode manager."""

import os
from pathlib import Path

from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.environment_definition.environment import DIFFICULTIES, Environment, Task
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_manager import EpisodeManager
from codegym_mcp.episodes.episode_settings import EpisodeSettings
from codegym_mcp.errors import NotFoundError, TaskError
from codegym_mcp.runtime.in_process_episode import InProcessEpisode

EnvironmentRef = str | os.PathLike[str] | Environment
"""An environment: a name in the catalog, the path of a file (it has a separator or ends in `.py`), or the
environment itself."""


def find_environment(catalog: Catalog, reference: EnvironmentRef) -> Environment:
    """Returns the environment that a reference means.

    Raises:
        NotFoundError: the catalog has no environment of that name.
        SourceError: the environment cannot be used, or the file does not exist.
    """
    if isinstance(reference, Environment):
        return reference
    text = os.fspath(reference)
    if isinstance(reference, str) and os.sep not in text and not text.endswith(".py"):
        return catalog.get(text)
    loaded = Catalog.load([Path(text)])
    if len(loaded.names) != 1:
        raise NotFoundError(
            "environment", text, loaded.names, hint="Load the file and choose one environment by its name."
        )
    return loaded.get(loaded.names[0])


def check_choice(
    environment: Environment, task: str | Task | None, difficulty: int | None, seed: int | None
) -> None:
    """Checks the choice of a task before a process is started.

    Raises:
        NotFoundError: there is no fixed task of that id.
        TaskError: the choice is contradictory, the difficulty does not exist, the environment has neither
            tasks nor a generator, or the configuration does not fit.
    """
    if task is not None and (difficulty is not None or seed is not None):
        raise TaskError("A task has an id, or a difficulty and a seed, not both.")
    if seed is not None and difficulty is None:
        raise TaskError("A seed needs a difficulty: the two of them make a task.")
    if difficulty is not None and difficulty not in DIFFICULTIES:
        raise TaskError(f"There is no difficulty {difficulty}.", hint="Choose one from 1 to 5.")
    if difficulty is not None and not environment.generates:
        raise TaskError(f"{environment.name} has no generator.", hint="Choose one of its fixed tasks.")
    if isinstance(task, Task):
        environment.check_task(task)
    elif task is not None:
        environment.task(task)


async def open_local(
    episodes: EpisodeManager,
    environment: Environment,
    *,
    task: str | Task | None,
    difficulty: int | None,
    seed: int | None,
    limits: Limits,
    key: str | None = None,
) -> InProcessEpisode:
    """Opens an episode.

    Raises:
        TaskError, LimitError, EnvironmentFaultError, SandboxError, JournalError: it cannot be opened.
    """
    episode: Episode = await episodes.open_task(
        environment,
        task=task,
        difficulty=difficulty,
        seed=seed,
        settings=EpisodeSettings(limits=limits),
        key=key,
    )
    return InProcessEpisode(episodes, episode)
