"""Trajectories as they are recorded, in the Agent Trajectory Interchange Format; see `codegym_harness.records.trajectory`."""

from codegym_harness.export.export_format import Format, Row
from codegym_harness.export.loss_counts import LossCounts
from codegym_harness.records.trajectory import Trajectory


def row(trajectory: Trajectory, _: LossCounts) -> Row:
    """The row of a trajectory; nothing is lost."""
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
