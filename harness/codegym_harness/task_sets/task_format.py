"""The description of a format of task sets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from codegym_harness.export.export_format import ColumnType, Row
from codegym_harness.export.row_writers import SUFFIXES
from codegym_harness.task_sets.described_tasks import DescribedTask

REFERENCE_COLUMNS: Mapping[str, ColumnType] = {
    "environment": "text",
    "task": "text",
    "difficulty": "integer",
    "seed": "integer",
}
"""The columns that name a task; see `DescribedTask.columns`."""


@dataclass(frozen=True)
class TaskFormat:
    """Converts tasks to rows.

    Attributes:
        row: converts a task; its second argument is the number of the row in its file, starting at 0.
        columns: the columns of a row, for files that have types.
        suffixes: the suffixes of files that the trainer reads.
    """

    row: Callable[[DescribedTask, int], Row]
    columns: Mapping[str, ColumnType]
    suffixes: tuple[str, ...] = SUFFIXES
