import json

from hypothesis import given
from pydantic_core import to_json

from codegym_harness.export import atif_format
from codegym_harness.export.conversion_counts import LossCounts
from codegym_harness.records.trajectory import Trajectory
from tests.conversations import agent, trajectories, trajectory, user


@given(trajectories)
def test_a_row_is_the_trajectory(record) -> None:
    tally = LossCounts()
    row = atif_format.row(record, tally)
    assert json.loads(to_json(row)) == json.loads(record.to_json())
    assert Trajectory.model_validate_json(to_json(row)) == record
    assert tally == LossCounts()


def test_a_row_of_the_oracle_has_the_system_prompt_of_evaluations() -> None:
    played = trajectory(user("Go."), agent("Done."), max_calls=30)
    played.agent.model_name = None
    for version in (atif_format.row, atif_format.row_1_7):
        row = version(played, LossCounts())
        assert [(step["step_id"], step["source"]) for step in row["steps"]] == [
            (1, "system"),
            (2, "user"),
            (3, "agent"),
        ]
        assert "at most 30 calls" in row["steps"][0]["message"]
