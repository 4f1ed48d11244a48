from codegym_harness.records.recorder import TrajectoryRecorder
from codegym_harness.records.trajectory import ResultExtra
from codegym_mcp.control_plane_messages import EventInfo
from codegym_mcp.episode_protocol import CallResult, CallStatus


def test_a_system_prompt_precedes_the_task() -> None:
    recorder = TrajectoryRecorder("Find the bell.")
    recorder.add_system_prompt("Be quick.")
    recorder.add_user_message("Continue.")
    assert [(step.step_id, step.source, step.message) for step in recorder.steps] == [
        (1, "system", "Be quick."),
        (2, "user", "Find the bell."),
        (3, "user", "Continue."),
    ]


def test_calls_of_one_step_have_distinct_ids_and_their_results() -> None:
    recorder = TrajectoryRecorder("Find the bell.")
    step = recorder.begin_turn(message="Both.")
    first = recorder.add_call(step, "look", {}, id="a")
    second = recorder.add_call(step, "look", {}, id="a")
    recorder.add_result(step, second, "seen", ResultExtra())
    assert (first.tool_call_id, second.tool_call_id) == ("a", "a#2")
    assert step.observation is not None
    assert [result.source_call_id for result in step.observation.results] == ["a#2"]


def test_events_of_a_server_replace_the_recorded_steps() -> None:
    recorder = TrajectoryRecorder("Find the bell.")
    recorder.begin_turn(message="never sent")
    refused = CallResult(text="too far", status=CallStatus.REFUSED)
    recorder.replace_by_events(
        "The task as sent.", [EventInfo(at=0.0, name="move", arguments={"floors": 99}, result=refused)]
    )
    task, moved = recorder.steps
    assert task.message == "The task as sent."
    assert moved.timestamp == "1970-01-01T00:00:00.000+00:00"
    assert moved.observation is not None
    (result,) = moved.observation.results
    assert (result.content, result.extra.is_error, result.extra.status) == (
        "too far",
        True,
        CallStatus.REFUSED,
    )
