"""The tasks of the Open Reward Standard: splits, specifications, and tasks of adaptive difficulty."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, overload

from pydantic import ValidationError

from codegym_mcp.control_plane_messages import AdaptiveOpenRequest
from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.environment_definition.task_splits import (
    TRAINING_TASKS,
    SplitPurpose,
    TaskSplit,
    task_split,
    task_splits,
)
from codegym_mcp.errors import TaskError
from codegym_mcp.server.trainer_protocols.ors_models import SplitInfo
from codegym_mcp.server.trainer_protocols.trainer_endpoints import TrainerRequestError
from codegym_mcp.task_reference import TaskReference
from codegym_mcp.validation_messages import first_fault

ADAPTIVE: Literal["adaptive"] = "adaptive"
ADAPTIVE_SPLIT = f"{SplitPurpose.TRAIN}-{ADAPTIVE}"
"""The split of training tasks that have a seed alone. Sessions of one seed are a group of the curriculum."""

Task = TaskReference | AdaptiveOpenRequest


class AdaptiveSplit(Sequence[AdaptiveOpenRequest]):
    """The tasks of the adaptive split of an environment."""

    def __init__(self, environment: str) -> None:
        self._environment = environment

    def __len__(self) -> int:
        return TRAINING_TASKS

    @overload
    def __getitem__(self, index: int) -> AdaptiveOpenRequest: ...
    @overload
    def __getitem__(self, index: slice) -> list[AdaptiveOpenRequest]: ...
    def __getitem__(self, index: int | slice) -> AdaptiveOpenRequest | list[AdaptiveOpenRequest]:
        """Returns a task, or the tasks of a slice.

        Raises:
            IndexError: the split has fewer tasks.
        """
        if isinstance(index, slice):
            return [self[position] for position in range(*index.indices(len(self)))]
        return AdaptiveOpenRequest(
            environment=self._environment, difficulty=ADAPTIVE, seed=range(len(self))[index]
        )


def list_splits(environment: Environment) -> list[SplitInfo]:
    """Returns the splits of an environment; one with a generator has the adaptive split too."""
    splits = [SplitInfo(name=split.name, type=split.purpose) for split in task_splits(environment)]
    if environment.generates:
        splits.append(SplitInfo(name=ADAPTIVE_SPLIT, type=SplitPurpose.TRAIN))
    return splits


def find_split(environment: Environment, name: str) -> TaskSplit | AdaptiveSplit:
    """Returns the split with a name.

    Raises:
        NotFoundError: the environment has no such split; the error names those that exist.
        TaskError: the environment has no generator, which the adaptive split needs.
    """
    if name != ADAPTIVE_SPLIT:
        return task_split(environment, name)
    if not environment.generates:
        raise TaskError(
            f"{environment.name} has no generator, so its tasks have no difficulty to choose.",
            hint="Choose the split train.",
        )
    return AdaptiveSplit(environment.name)


def task_at(environment: Environment, split: str, index: int) -> Task:
    """Returns a task of a split.

    Raises:
        TrainerRequestError: the split has fewer tasks.
        NotFoundError, TaskError: see `find_split`.
    """
    found = find_split(environment, split)
    try:
        return found[index]
    except IndexError:
        raise TrainerRequestError(
            400, f"The split {split} of {environment.name} has {len(found)} tasks, and no task {index}."
        ) from None


def specification(task: Task) -> dict[str, Any]:
    """Returns a task as clients send it back."""
    return task.model_dump(include={*TaskReference.model_fields}, exclude_none=True)


def read_specification(environment: str, given: Mapping[str, Any]) -> Task:
    """Reads the specification of a task.

    Args:
        environment: the environment that is meant if the specification names none.

    Raises:
        TaskError: it names no task.
    """
    named = {"environment": environment, **given}
    if given.get("difficulty") != ADAPTIVE:
        return TaskReference.from_row(named)
    try:
        chosen = {name: named.get(name) for name in ("environment", "difficulty", "seed")}
        return AdaptiveOpenRequest.model_validate(chosen)
    except ValidationError as error:
        raise TaskError(
            f"A task of adaptive difficulty needs a seed, which names its group: {first_fault(error)}."
        ) from None
