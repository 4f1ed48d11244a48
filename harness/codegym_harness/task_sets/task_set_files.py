"""The files of a task set, and which held-out tasks are left out of them."""

from pathlib import Path

from pydantic import BaseModel

from codegym_harness.task_sets.described_tasks import DescribedTask
from codegym_harness.task_sets.task_set_contents import Part
from codegym_mcp.errors import CodegymError


class TaskFile(BaseModel):
    """A file of a task set, or a directory of task folders."""

    path: Path
    part: Part
    tasks: int = 0
    environments: int = 0
    left_out: int = 0
    """Held-out tasks that are not in the file, since an equal task is in the training part."""


class TaskSetSummary(BaseModel):
    """The summary of an export of tasks."""

    format: str
    files: list[TaskFile]


class HeldOutFilter:
    """Leaves out held-out tasks that are equal to training tasks, which another seed may have given."""

    def __init__(self) -> None:
        self._trained: set[bytes] = set()

    def leaves_out(self, task: DescribedTask, part: Part) -> bool:
        """Checks whether a task is left out; the training tasks are checked first, and none is left out."""
        if part is Part.TRAIN:
            self._trained.add(task.configuration)
        return part is Part.HELD_OUT and task.configuration in self._trained


def check_not_empty(file: TaskFile) -> None:
    """Checks that a file has tasks.

    Raises:
        CodegymError: all of its tasks were left out.
    """
    if not file.tasks:
        raise CodegymError(
            f"All {file.left_out} held-out tasks are equal to training tasks.",
            hint="Select fewer seeds, or a higher difficulty.",
        )
