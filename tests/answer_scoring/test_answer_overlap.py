from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import TypedDict

from codegym_mcp.answer_scoring.answer_comparison import AnswerType
from codegym_mcp.answer_scoring.answer_overlap import measure_overlap
from codegym_mcp.environment_definition.json_types import json_set


class Order(TypedDict):
    item: str
    count: int


@pytest.mark.parametrize(
    ("declared", "reference", "answer", "overlap"),
    [
        (AnswerType(json_set(int)), [1, 2, 3, 4], [4, 3, 9], 0.5),
        (AnswerType(json_set(int)), [1, 2], [1, 1, 1], 0.5),
        (AnswerType(json_set(float)), [1.0, 2.0], [1.0000001, 3], 0.5),
        (AnswerType(list[int]), [1, 2, 3], [1, 3, 2], 0.3333),
        (AnswerType(list[int], any_order=True), [1, 2, 3], [3, 1, 1, 1], 0.5),
        (AnswerType(list[float], any_order=True, tolerance=1), [1, 2], [2.5, 1.5], 1.0),
        (AnswerType(list[int]), [], [], 1.0),
        (AnswerType(list[int]), [], [1], 0.0),
        (AnswerType(tuple[int, str]), [1, "a"], [2, "a "], 0.5),
        (AnswerType(dict[str, int]), {"a": 1, "b": 2}, {"a": 1, "b": 3, "c": 4}, 0.3333),
        (AnswerType(Order), {"item": "nut", "count": 3}, {"item": "nut", "count": 4}, 0.5),
        (AnswerType(list[int] | None), [1, 2], [1, 3], 0.5),
        (AnswerType(list[int] | None), None, [1], None),
        (AnswerType(list[Any]), [1, "x"], [1, "y"], 0.5),
        (AnswerType(Any), [1, 2], [1, 3], 0.5),
        (AnswerType(list[int]), [1], [True], 0.0),
        (AnswerType(int), 1, 1, None),
        (AnswerType(str), "abc", "abd", None),
        (AnswerType(Literal["a", "b"]), "a", "b", None),
        (AnswerType(list[float], any_order=True), [0.5] * 501, [0.5], None),
    ],
)
def test_the_overlap_is_the_share_of_equal_members(
    declared: AnswerType, reference: Any, answer: Any, overlap: float | None
) -> None:
    assert measure_overlap(declared, reference, answer) == overlap


@given(st.lists(st.integers(0, 5)), st.lists(st.integers(0, 5)), st.booleans())
def test_equal_collections_overlap_entirely_and_no_others(
    reference: list[int], answer: list[int], any_order: bool
) -> None:
    declared = AnswerType(list[int], any_order=any_order)
    overlap = measure_overlap(declared, reference, answer)
    assert overlap is not None
    assert 0 <= overlap <= 1
    assert (overlap == 1) == declared.equal(reference, answer)
    assert overlap == measure_overlap(declared, answer, reference)
