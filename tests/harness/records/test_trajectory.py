import json

from hypothesis import given
from hypothesis import strategies as st

from codegym_harness.records.trajectory import (
    AgentInfo,
    FinalMetrics,
    Metrics,
    MetricsExtra,
    Observation,
    ObservationResult,
    ResultExtra,
    RolloutRecord,
    Step,
    ToolCall,
    Trajectory,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def trajectory(arguments: dict[str, object], content: str = "seen") -> Trajectory:
    call = ToolCall(tool_call_id="call_2", function_name="look", arguments=arguments)
    extra = ResultExtra(seconds=0.5, structured={"result": arguments})
    result = ObservationResult(source_call_id="call_2", content=content, extra=extra)
    return Trajectory(
        session_id="e1",
        agent=AgentInfo(name="someone", version="1"),
        steps=[
            Step(step_id=1, timestamp="2026-01-01T00:00:00+00:00", source="user", message="Look."),
            Step(
                step_id=2,
                timestamp="2026-01-01T00:00:01+00:00",
                source="agent",
                message="",
                tool_calls=[call],
                observation=Observation(results=[result]),
            ),
        ],
        final_metrics=FinalMetrics(total_steps=2),
        extra=RolloutRecord(
            key="room/one/1",
            environment="room",
            task="one",
            epoch=1,
            outcome="no_submission",
            calls=1,
            seconds=1.5,
        ),
    )


@given(st.dictionaries(st.text(), JSON, max_size=3), st.text())
def test_a_trajectory_is_one_line_that_reads_back_the_same(arguments, content) -> None:
    written = trajectory(arguments, content)
    line = written.to_json()
    assert "\n" not in line
    assert Trajectory.model_validate_json(line) == written


def test_absent_values_are_left_out_but_null_arguments_are_kept() -> None:
    data = json.loads(trajectory({"where": None, "deep": [{"n": None}]}).to_json())
    assert "tool_calls" not in data["steps"][0]
    assert "verdict" not in data["extra"]
    assert data["steps"][1]["tool_calls"][0]["arguments"] == {"where": None, "deep": [{"n": None}]}


def test_only_keys_of_the_format_are_outside_of_extra() -> None:
    data = json.loads(trajectory({}).to_json())
    assert set(data) == {"schema_version", "session_id", "agent", "steps", "final_metrics", "extra"}
    assert data["schema_version"] == "ATIF-v1.8"
    step = {"step_id", "timestamp", "source", "message", "tool_calls", "observation"}
    assert all(set(each) <= step for each in data["steps"])
    assert set(data["steps"][1]["observation"]["results"][0]) == {"source_call_id", "content", "extra"}


def test_final_metrics_are_sums_and_none_if_a_value_is_missing() -> None:
    def step(prompt: int | None, cost: float | None) -> Step:
        metrics = Metrics(
            prompt_tokens=prompt, completion_tokens=2, cost_usd=cost, extra=MetricsExtra(seconds=1)
        )
        return Step(step_id=1, timestamp="", source="agent", message="", metrics=metrics)

    told = Step(step_id=1, timestamp="", source="user", message="")
    final = FinalMetrics.of([told, step(10, 0.5), step(20, None)])
    assert final.total_steps == 3
    assert (final.total_prompt_tokens, final.total_completion_tokens) == (30, 4)
    assert (final.total_cached_tokens, final.total_cost_usd) == (None, None)
    assert FinalMetrics.of([told]).total_prompt_tokens is None
