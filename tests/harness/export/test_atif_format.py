import json

from hypothesis import given
from pydantic_core import to_json

from codegym_harness.export import atif_format
from codegym_harness.export.conversion_counts import LossCounts
from codegym_harness.records.trajectory import Trajectory
from tests.conversations import trajectories


@given(trajectories)
def test_a_row_is_the_trajectory(record) -> None:
    tally = LossCounts()
    row = atif_format.row(record, tally)
    assert json.loads(to_json(row)) == json.loads(record.to_json())
    assert Trajectory.model_validate_json(to_json(row)) == record
    assert tally == LossCounts()
