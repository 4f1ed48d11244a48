"""References to tasks, in requests and in rows of data sets."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from codegym_mcp.control_plane_messages import OpenRequest
from codegym_mcp.errors import TaskError
from codegym_mcp.task_reference import TaskReference


class NumpyLike:
    """A scalar as numpy has them."""

    __module__ = "numpy"

    def __init__(self, value: object) -> None:
        self._value = value

    def item(self) -> object:
        return self._value


REFERENCES = st.one_of(
    st.builds(TaskReference, environment=st.text(min_size=1)),
    st.builds(TaskReference, environment=st.text(min_size=1), task=st.text(min_size=1)),
    st.builds(
        TaskReference,
        environment=st.text(min_size=1),
        difficulty=st.integers(1, 5),
        seed=st.none() | st.integers(),
    ),
)


@given(REFERENCES, st.dictionaries(st.text(), st.integers()))
def test_a_row_gives_back_its_reference_whatever_other_columns_it_has(
    reference: TaskReference, others: dict[str, int]
) -> None:
    assert TaskReference.from_row({**others, **reference.model_dump()}) == reference


def test_missing_values_of_tables_and_scalars_of_numpy_are_read() -> None:
    row = {"environment": "lift", "task": math.nan, "difficulty": NumpyLike(2), "seed": 7.0, "prompt": []}
    assert TaskReference.from_row(row) == TaskReference(environment="lift", difficulty=2, seed=7)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({}, "environment: Field required"),
        ({"environment": ""}, "environment: String should have at least 1 character"),
        ({"environment": "lift", "task": "low", "difficulty": 2}, "not both"),
        ({"environment": "lift", "task": "low", "seed": 2}, "not both"),
        ({"environment": "lift", "seed": 2}, "a seed needs a difficulty"),
        ({"environment": "lift", "difficulty": 6}, "difficulty: Input should be less than or equal to 5"),
        ({"environment": "lift", "difficulty": 2, "seed": 0.5}, "seed: Input should be a valid integer"),
        ({"environment": ["lift"]}, "environment: Input should be a valid string"),
    ],
)
def test_a_row_that_names_no_task_is_refused_with_the_reason(row: dict[str, object], told: str) -> None:
    with pytest.raises(TaskError) as caught:
        TaskReference.from_row(row)
    assert told in caught.value.message
    assert "columns environment" in caught.value.hint


def test_a_request_is_a_reference_with_settings() -> None:
    assert OpenRequest(environment="lift", difficulty=2, seed=7, reveal=True).seed == 7
    with pytest.raises(ValidationError, match="not both"):
        OpenRequest(environment="lift", task="low", difficulty=2)
