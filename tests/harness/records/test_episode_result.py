import pytest

from codegym_harness.records.episode_result import EpisodeResult, EpisodeUsage, calls_with_results
from tests.made_runs import made_call, made_trajectory, tool


def result(**made):
    return EpisodeResult.of(made_trajectory(**made))


def test_no_submission_has_reward_zero_and_a_failure_has_none() -> None:
    assert result(outcome="correct").reward == 1.0
    assert result(outcome="incorrect").reward == 0.0
    assert result(outcome="no_submission").reward == 0.0
    assert result(outcome="failed").reward is None
    assert result(outcome="unscored").reward is None


def test_a_result_keeps_tags_difficulty_and_oracle_calls() -> None:
    found = result(
        key="lift/low/3", tags=["search"], difficulty=2, oracle_calls=7, limits_met=["calls"], calls=9
    )
    assert (found.key, found.environment, found.task, found.epoch) == ("lift/low/3", "lift", "low", 3)
    assert (found.tags, found.difficulty, found.oracle_calls) == (("search",), 2, 7)
    assert (found.limits_met, found.calls) == (("calls",), 9)


def test_calls_of_unknown_tools_and_with_arguments_that_do_not_fit_are_invalid() -> None:
    calls = [
        made_call("fly", {}, error=True),
        made_call("move", {"floors": "two"}, error=True),
        made_call("move", {}, error=True),
        made_call("look", {"where": "up"}, error=True),
        made_call("submit_answer", {"answer": "two"}, error=True),
    ]
    found = result(outcome="no_submission", played=calls)
    assert (found.invalid_calls, found.refused_calls) == (5, 0)


def test_a_call_that_the_tool_itself_refused_is_not_invalid() -> None:
    found = result(played=[made_call("move", {"floors": 99}, "too far", error=True)])
    assert (found.invalid_calls, found.refused_calls) == (0, 1)


def test_a_call_that_reached_no_tool_is_invalid() -> None:
    malformed = made_call("look", {}, "no JSON", error=True, invalid="malformed_arguments", raw_arguments="{")
    assert result(played=[malformed]).invalid_calls == 1


def test_a_broken_schema_of_another_server_makes_no_call_invalid() -> None:
    broken = tool("look")
    broken["function"]["parameters"] = {"$ref": "#/nowhere"}
    found = result(outcome="unscored", tools=[broken], played=[made_call("look", {}, error=True)])
    assert found.invalid_calls == 0


def test_a_call_is_repeated_where_tool_arguments_and_result_are_the_same() -> None:
    there, back = {"floors": 1, "why": {"a": 1, "b": 2}}, {"why": {"b": 2, "a": 1}, "floors": 1}
    calls = [
        made_call("move", there, "1"),
        made_call("move", back, "1"),
        made_call("move", there, "2"),
        made_call("look", {}, "1"),
        made_call("move", there, "1"),
        made_call("submit_answer", {"answer": 1}, "received"),
        made_call("submit_answer", {"answer": 1}, "received"),
    ]
    assert result(played=calls).repeated_calls == 2


def test_true_and_one_are_not_the_same_argument() -> None:
    assert (
        result(played=[made_call("move", {"floors": 1}), made_call("move", {"floors": True})]).repeated_calls
        == 0
    )


@pytest.mark.parametrize(
    ("outcome", "answers", "expected"),
    [
        ("correct", [], "correct"),
        ("incorrect", [], "incorrect"),
        ("no_submission", [], "none"),
        ("no_submission", ["two"], "invalid"),
        ("no_submission", [2], "none"),  # right in form, but the episode was over
        ("failed", ["two"], None),
        ("unscored", [], None),
    ],
)
def test_submissions_are_of_four_kinds(outcome, answers, expected) -> None:
    calls = [made_call("submit_answer", {"answer": answer}, error=True) for answer in answers]
    assert result(outcome=outcome, played=calls).submission == expected


def test_usage_is_the_usage_that_the_model_reported() -> None:
    assert result(played=[made_call("look", {})]).usage is None
    told = result(played=[made_call("look", {})], tokens=(100, 20), cost=0.5).usage
    assert told == EpisodeUsage(prompt_tokens=100, completion_tokens=20, cost_usd=0.5)
    assert told.tokens == 120


def test_a_sum_with_an_unknown_cost_has_none() -> None:
    known, unknown = (
        EpisodeUsage(prompt_tokens=1, cost_usd=0.5),
        EpisodeUsage(prompt_tokens=2, completion_tokens=3),
    )
    assert known + known == EpisodeUsage(prompt_tokens=2, cost_usd=1.0)
    assert known + unknown == EpisodeUsage(prompt_tokens=3, completion_tokens=3)


def test_parallel_calls_are_paired_with_their_results() -> None:
    first, second = made_call("look", {}, "a floor"), made_call("move", {"floors": 1}, "1")
    trajectory = made_trajectory(played=[first, second])
    step = trajectory.steps[1].model_copy(update={"tool_calls": [first[0], second[0]]})
    assert [(call.function_name, found and found.content) for call, found in calls_with_results(step)] == [
        ("look", "a floor"),
        ("move", None),
    ]
