"""Trajectories as they are recorded, in the Agent Trajectory Interchange Format; see `harness.trajectory`."""

from harness.export.format import Format, Row
from harness.export.tally import Tally
from harness.trajectory import Trajectory


def row(trajectory: Trajectory, _: Tally) -> Row:
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
