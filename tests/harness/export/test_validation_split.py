import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegym_harness.export.validation_split import SplitBy, validation_names
from codegym_harness.records.episode_result import EpisodeResult
from codegym_mcp.errors import CodegymError
from tests.conversations import agent, trajectory, user

names = st.sets(st.text(min_size=1, max_size=5), min_size=2, max_size=20)
shares = st.floats(0.01, 0.99)


@given(names, shares)
def test_both_sets_have_environments(environments, share) -> None:
    validation = validation_names(environments, share)
    assert validation
    assert validation < environments


@given(names, shares)
def test_the_same_environments_are_always_split_alike(environments, share) -> None:
    assert validation_names(sorted(environments), share) == validation_names(environments, share)


def test_an_environment_stays_in_its_set_when_others_are_added() -> None:
    few = {f"environment {number}" for number in range(30)}
    many = few | {f"environment {number}" for number in range(30, 300)}
    validation = validation_names(few, 0.2)
    assert len(validation) > 1
    assert validation_names(many, 0.2) & few == validation


def test_the_share_of_validation_names_is_approximate() -> None:
    many = {f"environment {number}" for number in range(2000)}
    assert 150 < len(validation_names(many, 0.1)) < 250


@pytest.mark.parametrize("environments", [set(), {"alone"}])
def test_fewer_than_two_environments_cannot_be_split(environments) -> None:
    with pytest.raises(CodegymError, match="split by environment"):
        validation_names(environments)


def test_the_error_says_what_was_to_be_split() -> None:
    with pytest.raises(CodegymError, match=r"by task: there is only lift/low.*Export more tasks"):
        validation_names({"lift/low"}, by=SplitBy.TASK)


def test_all_attempts_at_a_task_are_in_one_part() -> None:
    first, again, other = (
        EpisodeResult.of(trajectory(user("Go."), agent("Done."), key=key))
        for key in ("lift/low/1", "lift/low/2", "lift/high/1")
    )
    assert SplitBy.TASK.name_of(first) == SplitBy.TASK.name_of(again) != SplitBy.TASK.name_of(other)
    assert SplitBy.ENVIRONMENT.name_of(first) == SplitBy.ENVIRONMENT.name_of(other)
