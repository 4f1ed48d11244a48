"""Trajectories as they are recorded: the Agent Trajectory Interchange Format (ATIF)."""

from codegym_harness.export.conversion_counts import LossCounts
from codegym_harness.export.export_format import Format, Row
from codegym_harness.records.trajectory import Trajectory


def row(trajectory: Trajectory, _: LossCounts) -> Row:
    """Returns the row of a trajectory. Nothing is lost."""
    return trajectory.model_dump(exclude_none=True)


FORMAT = Format(
    row,
    {
        "schema_version": "text",
        "session_id": "text",
        "agent": "JSON",
        "steps": "list of JSON",
        "final_metrics": "JSON",
        "extra": "JSON",
    },
)
