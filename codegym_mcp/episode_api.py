"""The functions of `codegym_mcp` that load environments and open episodes in this process.

Import them from there. They need neither the harness nor the server, so that a first episode opens soon.
"""

from codegym_mcp.catalog.catalog import Catalog, Source
from codegym_mcp.environment_definition.environment import Task
from codegym_mcp.episode_limits import Limits
from codegym_mcp.runtime.blocking_episode import Episode
from codegym_mcp.runtime.episode_opening import EnvironmentRef
from codegym_mcp.runtime.shared_runtime import shared_runtime

__all__ = ["load", "open_episode"]


def load(*sources: Source) -> Catalog:
    """Loads environments from files, folders and sets, without running any of their code.

    Args:
        sources: paths, environments, catalogs, or the word "bundled"; the bundled environments without any.

    Raises:
        SourceError: a path does not exist, or two environments share a name.

    Example:
        floors = codegym_mcp.load("breaking_floor.py")["breaking_floor"]
    """
    return Catalog.of(sources or "bundled")


def open_episode(
    environment: EnvironmentRef,
    *,
    task: str | Task | None = None,
    difficulty: int | None = None,
    seed: int | None = None,
    limits: Limits | None = None,
) -> Episode:
    """Opens an episode in this process, on a runtime that all calls of this function share.

    The runtime starts with the first call and leaves nothing behind when the interpreter ends. For other
    settings open a `Runtime`.

    Args:
        environment: the name of a bundled environment, the path of a file, or an environment.
        task: the id of a fixed task, or a task of your own; the first fixed task without any choice.
        difficulty: generates a task of this difficulty (1 to 5) instead.
        seed: chooses among the generated tasks; 0 without it.
        limits: the limits of the episode.

    Raises:
        NotFoundError: the environment or the task does not exist.
        SourceError, TaskError: the environment cannot be used, or the task does not fit it.
        LimitError: too many episodes or files are open.
        EnvironmentFaultError, SandboxError: the episode cannot be opened.
    """
    return shared_runtime().open_episode(
        environment, task=task, difficulty=difficulty, seed=seed, limits=limits
    )
