"""The tasks of a `GymSpec`: the columns of its rows that name them."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from codegym_harness.runs.task_selection import SeedRange
from codegym_harness.task_sets.task_set_contents import Part, TaskSelection
from codegym_mcp.curriculum.difficulty_rule import HIGHEST, LOWEST
from codegym_mcp.environment_definition.environment_info import EnvironmentInfo
from codegym_mcp.errors import TaskError
from codegym_mcp.task_reference import TaskReference

Columns = dict[str, Any]
ADAPTIVE: Literal["adaptive"] = "adaptive"
"""The difficulty of a spec whose curriculum chooses the difficulty of each episode."""
Difficulty = int | Sequence[int] | Literal["adaptive"] | None


class SpecTasks(NamedTuple):
    """The training tasks and the held-out tasks of a spec."""

    train: list[Columns]
    """The tasks to train on. If the difficulty is adaptive, they have a seed alone."""
    held_out: list[Columns]
    samples: dict[str, TaskReference]
    """A task of each environment, by its name."""


def select_tasks(
    environments: Sequence[EnvironmentInfo], difficulty: Difficulty, seeds: SeedRange, held_out: int
) -> SpecTasks:
    """Selects the tasks of a spec.

    Args:
        difficulty: see `GymSpec`. Held-out tasks of an adaptive spec are of every difficulty.
        seeds: the seeds of the training tasks.
        held_out: held-out tasks for each environment and difficulty.

    Raises:
        ValidationError: the difficulty or the seeds are invalid.
        TaskError: an environment has no such tasks, or the difficulty is a word.
    """
    adaptive = difficulty == ADAPTIVE
    levels = range(LOWEST, HIGHEST + 1) if adaptive else _levels(difficulty)
    selection = TaskSelection(difficulties=tuple(levels), seeds=seeds, held_out=held_out)
    parts = selection.divide(environments)
    train, *_ = parts.values()
    if adaptive:
        train = [task for task in train if task.difficulty == LOWEST]
    return SpecTasks(
        train=[_columns(task, without={"difficulty"} if adaptive else set()) for task in _in_turn(train)],
        held_out=[_columns(task) for task in _in_turn(parts.get(Part.HELD_OUT, ()))],
        samples={task.environment: task for task in reversed(train)},
    )


def _levels(difficulty: Difficulty) -> Sequence[int]:
    if difficulty is None:
        return ()
    if isinstance(difficulty, str):
        raise TaskError(f'The difficulty {difficulty!r} is neither a number nor "adaptive".')
    return (difficulty,) if isinstance(difficulty, int) else [*map(int, difficulty)]


def _in_turn(tasks: Sequence[TaskReference]) -> list[TaskReference]:
    """Returns the tasks by their seeds, so that a trainer that does not shuffle meets every environment."""
    return sorted(tasks, key=lambda task: task.seed or 0)


def _columns(task: TaskReference, *, without: set[str] | None = None) -> Columns:
    names = TaskReference.model_fields.keys() - (without or set())
    return task.model_dump(include=set(names), exclude_none=True)
