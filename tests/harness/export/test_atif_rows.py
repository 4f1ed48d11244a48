import json

from conversations import trajectories
from hypothesis import given
from pydantic_core import to_json

from harness.export import atif
from harness.export.tally import Tally
from harness.trajectory import Trajectory


@given(trajectories)
def test_a_row_is_the_trajectory(record):
    tally = Tally()
    row = atif.row(record, tally)
    assert json.loads(to_json(row)) == json.loads(record.to_json())
    assert Trajectory.model_validate_json(to_json(row)) == record
    assert tally == Tally()
