"""Lines of trajectories: whole, of earlier versions, of other programs, damaged."""

import json
from typing import Any

import pytest

from codegym_harness.records.episode_result import calls_with_results
from codegym_harness.run_viewer.trajectory_reading import read_trajectory
from tests.made_runs import made_call, made_trajectory

PLAYED = [made_call("look", {}, "a bell"), made_call("move", {"floors": 2}, "too far", error=True)]


def as_data(**record: Any) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(made_trajectory(played=PLAYED).to_json())
    data["extra"] |= record
    return data


def test_a_whole_line_has_no_problems() -> None:
    trajectory = made_trajectory(played=PLAYED)
    assert read_trajectory(trajectory.to_json().encode()) == (trajectory, ())


@pytest.mark.parametrize(
    "record",
    [
        {"error": {"fault": "ours", "kind": "OSError", "message": "gone"}},
        {"program": {"exit_code": 1, "stdout": "hello", "stderr": "", "enclosed": True}},
        {"a_field_of_another_version": {"deep": [1, 2]}},
        {"outcome": "an outcome of another version"},
        {"seconds": None},
    ],
    ids=["earlier name of a fault", "earlier flag", "unknown member", "unknown outcome", "missing number"],
)
def test_a_record_of_another_version_is_read_with_every_step(record: dict[str, Any]) -> None:
    trajectory, _ = read_trajectory(json.dumps(as_data(**record)).encode())
    assert trajectory is not None
    texts = [result.content for step in trajectory.steps for _, result in calls_with_results(step) if result]
    assert texts == ["a bell", "too far"]
    assert trajectory.extra.environment == "lift"


def test_what_was_left_out_is_named() -> None:
    _, problems = read_trajectory(json.dumps(as_data(colour="red")).encode())
    assert any("extra.colour" in problem for problem in problems)


def test_a_trajectory_of_another_program_is_shown_as_far_as_it_goes() -> None:
    foreign = {
        "schema_version": "ATIF-v1.6",
        "agent": {"name": "other", "version": "3"},
        "steps": [
            {"step_id": 1, "source": "user", "message": [{"type": "text", "text": "Find the bell."}]},
            {"step_id": 2, "source": "agent", "message": "I look.", "observation": {"results": [{}]}},
        ],
    }
    trajectory, problems = read_trajectory(json.dumps(foreign).encode())
    assert trajectory is not None
    assert "Find the bell." in trajectory.steps[0].message
    assert trajectory.steps[1].message == "I look."
    assert problems


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"steps": [', "not JSON"),
        (b"\xff\xfe\n", "not JSON"),
        (b"[1, 2]", "no list of steps"),
        (b'{"steps": 3}', "no list of steps"),
        (b"null", "no list of steps"),
    ],
)
def test_a_damaged_line_says_what_is_wrong(line: bytes, reason: str) -> None:
    trajectory, problems = read_trajectory(line)
    assert trajectory is None
    assert reason in problems[0]
