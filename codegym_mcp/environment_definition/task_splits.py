"""Splits of an environment's tasks: tasks for training and held-out tasks, never the same ones.

A generated task is its difficulty and its seed, so tasks are held out by their seeds. Fixed tasks of an
environment without a generator are held out by a digest of their id, so that a task keeps its split when
others are added.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import overload

from codegym_mcp.environment_definition.environment import DIFFICULTIES, Environment
from codegym_mcp.errors import NotFoundError
from codegym_mcp.task_reference import FIRST_HELD_OUT_SEED, TaskReference

TRAINING_TASKS = 10_000
"""Number of generated tasks in a split for training."""
HELD_OUT_TASKS = 1_000
"""Number of generated tasks in a held-out split."""
_HELD_OUT_SHARE = 5
"""One of so many fixed tasks is held out."""


class SplitPurpose(StrEnum):
    """What the tasks of a split are for."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


@dataclass(frozen=True)
class TaskSplit(Sequence[TaskReference]):
    """A sequence of tasks of one environment.

    Attributes:
        environment: the name of the environment.
        name: unique within the environment.
        purpose: what the tasks are for.
        difficulties: the difficulties of generated tasks, which take turns; empty for fixed tasks.
        first_seed: the seed of the first generated task of each difficulty.
        generated: the number of generated tasks.
        fixed: the ids of fixed tasks.
    """

    environment: str
    name: str
    purpose: SplitPurpose
    difficulties: tuple[int, ...] = ()
    first_seed: int = 0
    generated: int = 0
    fixed: tuple[str, ...] = ()

    def __len__(self) -> int:
        return self.generated or len(self.fixed)

    @overload
    def __getitem__(self, index: int) -> TaskReference: ...
    @overload
    def __getitem__(self, index: slice) -> list[TaskReference]: ...
    def __getitem__(self, index: int | slice) -> TaskReference | list[TaskReference]:
        """Returns a task, or the tasks of a slice.

        Raises:
            IndexError: the split has fewer tasks.
        """
        if isinstance(index, slice):
            return [self[position] for position in range(*index.indices(len(self)))]
        position = range(len(self))[index]
        if not self.difficulties:
            return TaskReference(environment=self.environment, task=self.fixed[position])
        seed, turn = divmod(position, len(self.difficulties))
        return TaskReference(
            environment=self.environment, difficulty=self.difficulties[turn], seed=self.first_seed + seed
        )


def task_splits(environment: Environment) -> list[TaskSplit]:
    """Returns the splits of an environment.

    An environment with a generator has `train` and `test` with tasks of all difficulties, `train-1` to
    `train-5` and `test-1` to `test-5` with tasks of one difficulty, and `fixed` if it has fixed tasks. An
    environment without a generator has `train` and `test`, which share its fixed tasks.
    """
    ids = tuple(task.id for task in environment.tasks)
    if not environment.generates:
        held_out = {task for task in ids if _is_held_out(environment.name, task)}
        return [
            TaskSplit(
                environment.name,
                purpose.value,
                purpose,
                fixed=tuple(task for task in ids if (task in held_out) == (purpose is SplitPurpose.TEST)),
            )
            for purpose in (SplitPurpose.TRAIN, SplitPurpose.TEST)
        ]
    splits = []
    for purpose, first_seed, count in (
        (SplitPurpose.TRAIN, 0, TRAINING_TASKS),
        (SplitPurpose.TEST, FIRST_HELD_OUT_SEED, HELD_OUT_TASKS),
    ):
        every = tuple(DIFFICULTIES)
        chosen = [("", every), *((f"-{difficulty}", (difficulty,)) for difficulty in every)]
        splits += [
            TaskSplit(environment.name, f"{purpose}{suffix}", purpose, difficulties, first_seed, count)
            for suffix, difficulties in chosen
        ]
    if ids:
        splits.append(TaskSplit(environment.name, "fixed", SplitPurpose.VALIDATION, fixed=ids))
    return splits


def task_split(environment: Environment, name: str) -> TaskSplit:
    """Returns the split with a name.

    Raises:
        NotFoundError: the environment has no such split; the error names those that exist.
    """
    splits = {split.name: split for split in task_splits(environment)}
    if name not in splits:
        raise NotFoundError("split", name, splits)
    return splits[name]


def _is_held_out(environment: str, task: str) -> bool:
    digest = sha256(f"{environment}/{task}".encode()).digest()
    return int.from_bytes(digest[:8]) % _HELD_OUT_SHARE == 0
