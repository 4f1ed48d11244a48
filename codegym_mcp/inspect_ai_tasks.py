"""The tasks that `inspect eval codegym_mcp/episodes` finds by the entry point of this package.

Inspect names a task by the package of its module, so this module is not beside the adapter that it calls.
"""

from collections.abc import Sequence
from typing import Any

from codegym_harness.runs.task_selection import SeedRange
from codegym_harness.task_sets.task_set_contents import TaskSelection
from codegym_harness.trainers.inspect_ai_episodes import episode_task
from codegym_harness.trainers.trainer_episodes import EpisodeOptions
from codegym_mcp.task_reference import FIRST_HELD_OUT_SEED

try:
    from inspect_ai import task
except ImportError:
    # Without Inspect the function is only imported, and says what is missing when it is called.
    def task(function: Any) -> Any:
        """Returns a function as it is."""
        return function


@task  # type: ignore[untyped-decorator]
def episodes(
    *,
    names: str | Sequence[str] = "*",
    difficulty: int | Sequence[int] | None = None,
    tasks: int = 10,
    first_seed: int = FIRST_HELD_OUT_SEED,
    environments: str | Sequence[str] = (),
    calls: int = 256,
) -> Any:
    """Episodes as samples, scored by their rewards.

    Args:
        names: names or globs of environments.
        difficulty: difficulties, 1 to 5, for which tasks are generated; the fixed tasks without it.
        tasks: generated tasks for each environment and difficulty.
        first_seed: the seed of the first of them; the held-out tasks by default.
        environments: files, folders and sets of environments; the bundled environments without it.
        calls: the tool calls that an episode allows.

    Raises:
        CodegymError: there are no such tasks.
    """
    selection = TaskSelection(
        environments=_several(names),
        difficulties=_several(difficulty) if difficulty is not None else (),
        seeds=SeedRange(first=first_seed, last=first_seed + tasks - 1),
    )
    options = EpisodeOptions.read(environments=_several(environments), calls=calls)
    return episode_task(selection, options)


def _several(value: Any) -> tuple[Any, ...]:
    """Returns one value, or a list of them, as a tuple."""
    return tuple(value) if isinstance(value, list | tuple) else (value,)
