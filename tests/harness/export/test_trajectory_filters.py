import pytest
from pydantic import ValidationError

from codegym_harness.export.trajectory_filters import Filters
from codegym_harness.records.episode_result import EpisodeResult
from tests.conversations import agent, asked, example, refused, trajectory, user


def dropping(record, **asked):
    """The name of the filter that drops a trajectory; None where it is kept."""
    result = EpisodeResult.of(record)
    return next((name for name, keeps in Filters(**asked).stream() if not keeps(record, result)), None)


def played(**record):
    return trajectory(user("Go."), agent("", asked("look", {})), **record)


def test_without_filters_every_played_episode_is_kept() -> None:
    assert dropping(played()) is None
    assert dropping(played(outcome="incorrect")) is None
    assert dropping(played(outcome="unscored")) is None


def test_failed_episodes_and_those_without_a_turn_are_never_kept() -> None:
    assert dropping(played(outcome="failed")) == "failed"
    assert dropping(trajectory(user("Go."), outcome="no_submission")) == "nothing_done"


@pytest.mark.parametrize(
    ("asked", "dropped", "kept"),
    [
        ({"environments": ["st*", "lif?"]}, {"key": "shaft/low/1"}, {"key": "lift/low/1"}),
        ({"tags": ["search", "maps"]}, {"tags": ["dp"]}, {"tags": ["dp", "maps"]}),
        ({"difficulties": [2, 3]}, {"difficulty": 1}, {"difficulty": 3}),
        ({"difficulties": [2, 3]}, {}, {"difficulty": 2}),
        ({"reward": 1}, {"outcome": "incorrect"}, {"outcome": "correct"}),
        ({"reward": 0}, {"outcome": "unscored"}, {"outcome": "no_submission"}),
        ({"max_calls_over_oracle": 1.5}, {"calls": 7, "oracle_calls": 4}, {"calls": 6, "oracle_calls": 4}),
    ],
)
def test_each_filter_keeps_the_matching_trajectories(asked, dropped, kept) -> None:
    assert dropping(played(**dropped), **asked) is not None
    assert dropping(played(**kept), **asked) is None


def test_unknown_oracle_calls_are_a_reason_of_their_own() -> None:
    assert dropping(played(), max_calls_over_oracle=9) == "oracle_calls_unknown"
    assert dropping(played(oracle_calls=1, calls=10), max_calls_over_oracle=9) == "max_calls_over_oracle"


@pytest.mark.parametrize(
    ("call", "dropped"),
    [
        (agent("", asked("move", {"floors": 1})), None),
        (refused(agent("", asked("move", {"floors": 99}, "There is no floor there."))), None),
        (refused(agent("", asked("move", {"floors": "up"}, "not a number"))), "no_invalid_calls"),
        (refused(agent("", asked("fly", {}, "no such tool"))), "no_invalid_calls"),
        (agent("", asked("move", {}, "no JSON", invalid="malformed_arguments")), "no_invalid_calls"),
    ],
)
def test_a_tools_own_refusal_is_no_invalid_call(call, dropped) -> None:
    assert dropping(trajectory(user("Go."), call), no_invalid_calls=True) == dropped


def is_second_kept(first, second):
    (_, dedupe) = Filters(dedupe=True).stream()[-1]
    assert dedupe(first, EpisodeResult.of(first))
    return dedupe(second, EpisodeResult.of(second))


def test_dedupe_keeps_the_first_of_equal_episodes() -> None:
    assert not is_second_kept(example(), example(key="lift/high/2", seconds=9.0))
    plain, named = (trajectory(user("Go."), agent("", asked("look", {}))) for _ in range(2))
    assert named.steps[1].tool_calls is not None
    assert named.steps[1].observation is not None
    named.steps[1].tool_calls[0].tool_call_id = "abc"
    named.steps[1].observation.results[0].source_call_id = "abc"
    assert not is_second_kept(plain, named)


@pytest.mark.parametrize(
    "other",
    [
        trajectory(user("Come."), agent("I look.", asked("look", {"n": 1}))),
        trajectory(user("Go."), agent("I see.", asked("look", {"n": 1}))),
        trajectory(user("Go."), agent("I look.", asked("move", {"n": 1}))),
        trajectory(user("Go."), agent("I look.", asked("look", {"n": 2}))),
        trajectory(user("Go."), agent("I look.", asked("look", {"n": 1}, ""))),
        trajectory(user("Go."), agent("I look.", asked("look", {"n": 1}), reasoning="So.")),
        trajectory(user("Go."), agent("I look.", asked("look", {"n": 1})), tools=[]),
        trajectory(user("Go."), user("I look."), agent("", asked("look", {"n": 1}))),
    ],
)
def test_dedupe_keeps_episodes_that_differ_in_anything(other) -> None:
    assert is_second_kept(trajectory(user("Go."), agent("I look.", asked("look", {"n": 1}))), other)


def test_filters_apply_in_the_order_of_their_fields() -> None:
    every = Filters(
        environments=("*",),
        tags=("a",),
        difficulties=(1,),
        reward=1,
        max_calls_over_oracle=1,
        no_invalid_calls=True,
        dedupe=True,
        best_of=1,
    )
    assert [name for name, _ in every.stream()] == (
        "failed nothing_done env tag difficulty reward oracle_calls_unknown max_calls_over_oracle "
        "no_invalid_calls dedupe"
    ).split()
    assert [name for name, _ in Filters().stream()] == ["failed", "nothing_done"]


@pytest.mark.parametrize("wrong", [{"best_of": 0}, {"max_calls_over_oracle": 0}, {"best": 1}])
def test_impossible_filters_are_refused(wrong) -> None:
    with pytest.raises(ValidationError):
        Filters(**wrong)
