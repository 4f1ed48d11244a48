"""Trajectories as they are recorded: the Agent Trajectory Interchange Format (ATIF)."""

from codegym_harness.export.conversion_counts import LossCounts
from codegym_harness.export.evaluation_prompt import with_system_prompt
from codegym_harness.export.export_format import ColumnType, Format, Row
from codegym_harness.records.trajectory import Trajectory


def row(trajectory: Trajectory, counts: LossCounts) -> Row:
    """Returns the row of a trajectory. Nothing is lost; a missing system prompt is added."""
    return with_system_prompt(trajectory, counts).model_dump(exclude_none=True)


def row_1_7(trajectory: Trajectory, counts: LossCounts) -> Row:
    """Returns the row in version 1.7, the only one that some readers accept.

    Version 1.8 added audio, which no trajectory holds, so nothing but the version differs.
    """
    return {**row(trajectory, counts), "schema_version": "ATIF-v1.7"}


_COLUMNS: dict[str, ColumnType] = {
    "schema_version": "text",
    "session_id": "text",
    "agent": "JSON",
    "steps": "list of JSON",
    "final_metrics": "JSON",
    "extra": "JSON",
}
FORMAT = Format(row, _COLUMNS)
FORMAT_1_7 = Format(row_1_7, _COLUMNS)
