"""The description of a format of task sets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from codegym_harness.export.export_format import ColumnType, Row
from codegym_harness.export.row_writers import SUFFIXES
from codegym_harness.task_sets.described_tasks import DescribedTask
from codegym_mcp.errors import CodegymError

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
        reserved: names that the trainer reserves, so that no tool can have them.
    """

    row: Callable[[DescribedTask, int], Row]
    columns: Mapping[str, ColumnType]
    suffixes: tuple[str, ...] = SUFFIXES
    reserved: frozenset[str] = frozenset()

    def check_tools(self, task: DescribedTask) -> None:
        """Checks that no tool of a task has a reserved name.

        Raises:
            CodegymError: one has.
        """
        for tool in task.tools:
            if tool.name in self.reserved:
                raise CodegymError(
                    f"{task.reference.environment} has a tool named {tool.name}, a name that the trainer "
                    "reserves.",
                    hint="Leave the environment out with --env, or rename the tool.",
                )
