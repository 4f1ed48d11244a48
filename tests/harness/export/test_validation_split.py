import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegym_harness.export.validation_split import validation_environments
from codegym_mcp.errors import CodegymError

names = st.sets(st.text(min_size=1, max_size=5), min_size=2, max_size=20)
shares = st.floats(0.01, 0.99)


@given(names, shares)
def test_both_sets_have_environments(environments, share) -> None:
    validation = validation_environments(environments, share)
    assert validation
    assert validation < environments


@given(names, shares)
def test_the_same_environments_are_always_split_alike(environments, share) -> None:
    assert validation_environments(sorted(environments), share) == validation_environments(
        environments, share
    )


def test_an_environment_stays_in_its_set_when_others_are_added() -> None:
    few = {f"environment {number}" for number in range(30)}
    many = few | {f"environment {number}" for number in range(30, 300)}
    validation = validation_environments(few, 0.2)
    assert len(validation) > 1
    assert validation_environments(many, 0.2) & few == validation


def test_the_share_of_validation_environments_is_approximate() -> None:
    many = {f"environment {number}" for number in range(2000)}
    assert 150 < len(validation_environments(many, 0.1)) < 250


@pytest.mark.parametrize("environments", [set(), {"alone"}])
def test_fewer_than_two_environments_cannot_be_split(environments) -> None:
    with pytest.raises(CodegymError, match="split by environment"):
        validation_environments(environments)
