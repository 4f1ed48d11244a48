import ast
import math
from itertools import permutations
from typing import Any, Literal, get_origin

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from codegym_mcp.answer_scoring.answer_comparison import AnswerType
from codegym_mcp.environment_definition.annotations import make_record, read_annotation

numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(max_size=8)
scalars = st.none() | st.booleans() | numbers | texts
plain = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)

Point: Any = make_record("Point", {"x": int, "y": float})

typed: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (int, st.integers()),
    (float, numbers),
    (bool, st.booleans()),
    (str, texts),
    (None, st.none()),
    (Literal["up", "down", 1, True], st.sampled_from(["up", "down", 1, True])),
    (int | None, st.none() | st.integers()),
    (int | float | str, numbers | texts),
    (list[int], st.lists(st.integers(), max_size=6)),
    (list[list[str]], st.lists(st.lists(texts, max_size=3), max_size=3)),
    (set[int], st.lists(st.integers(-3, 3), max_size=6)),
    (set[tuple[int, float]], st.lists(st.tuples(st.integers(0, 3), numbers).map(list), max_size=4)),
    (tuple[int, str], st.tuples(st.integers(), texts).map(list)),
    (dict[str, float], st.dictionaries(texts, numbers, max_size=3)),
    (Point, st.fixed_dictionaries({"x": st.integers(), "y": numbers})),
    (list[Point], st.lists(st.fixed_dictionaries({"x": st.integers(), "y": numbers}), max_size=4)),
    (Any, plain),
    (list[Any], st.lists(plain, max_size=3)),
]
kinds = pytest.mark.parametrize(("kind", "values"), typed, ids=[str(kind) for kind, _ in typed])


@kinds
def test_every_answer_equals_itself(kind: Any, values: st.SearchStrategy[Any]) -> None:
    @given(values, st.booleans() if get_origin(kind) is list else st.just(False))
    def check(value: Any, any_order: bool) -> None:
        assert AnswerType(kind, any_order=any_order).equal(value, value)

    check()


@kinds
def test_equality_is_symmetric(kind: Any, values: st.SearchStrategy[Any]) -> None:
    orders = st.booleans() if get_origin(kind) is list else st.just(False)

    @given(values, values, orders, st.sampled_from([None, 0.5]))
    def check(left: Any, right: Any, any_order: bool, tolerance: float | None) -> None:
        answer = AnswerType(kind, any_order=any_order, tolerance=tolerance)
        assert answer.equal(left, right) is answer.equal(right, left)

    check()


@kinds
def test_no_plain_data_breaks_the_comparison(kind: Any, values: st.SearchStrategy[Any]) -> None:
    @given(values, plain, st.booleans() if get_origin(kind) is list else st.just(False))
    def check(reference: Any, answer: Any, any_order: bool) -> None:
        assert AnswerType(kind, any_order=any_order).equal(reference, answer) in (True, False)

    check()


@pytest.mark.parametrize(
    "kind", [int, bool, float, Literal[1, True, 0, False], int | bool, Any, bool | float]
)
@pytest.mark.parametrize(("truth", "number"), [(True, 1), (False, 0), (True, 1.0), (False, 0.0)])
def test_true_is_never_one(kind: Any, truth: bool, number: float) -> None:
    assert not AnswerType(kind).equal(truth, number)
    assert not AnswerType(kind).equal(number, truth)
    assert not AnswerType(list[kind]).equal([truth], [number])
    assert not AnswerType(set[kind]).equal([truth], [number])
    assert not AnswerType(list[kind], any_order=True).equal([truth], [number])


@pytest.mark.parametrize(
    ("kind", "same"),
    [
        (float, True),
        (int | float, True),
        (float | None, True),
        (int, False),
        (Any, False),
        (Literal[10], False),
    ],
)
def test_ten_point_zero_equals_ten_only_if_a_float_is_declared(kind: Any, same: bool) -> None:
    assert AnswerType(kind).equal(10, 10.0) is same
    assert AnswerType(list[kind]).equal([10], [10.0]) is same
    assert AnswerType(dict[str, kind]).equal({"a": 10}, {"a": 10.0}) is same


@given(st.floats(-1e12, 1e12), st.floats(-0.99e-6, 0.99e-6))
def test_floats_may_differ_by_a_millionth(value: float, share: float) -> None:
    assert AnswerType(float).equal(value, value + share * max(1, abs(value)))
    assert not AnswerType(float).equal(value, value + 3e-6 * max(1, abs(value)))


@given(st.floats(-1e6, 1e6), st.floats(0.001, 100), st.floats(-1, 1))
def test_a_declared_tolerance_is_absolute(value: float, tolerance: float, share: float) -> None:
    answer = AnswerType(float, tolerance=tolerance)
    assert answer.equal(value, value + share * tolerance * 0.999)
    assert not answer.equal(value, value + tolerance * 1.01 + 1e-6)


def test_a_tolerance_includes_its_bound() -> None:
    assert AnswerType(float, tolerance=0.01).equal(0.31, 0.30)
    assert not AnswerType(float, tolerance=0.01).equal(0.31, 0.299)


@pytest.mark.parametrize("kind", [float, int | float, list[float], set[float], Any])
@pytest.mark.parametrize("tolerance", [None, 0.01])
def test_integers_too_large_for_a_float_are_compared(kind: Any, tolerance: float | None) -> None:
    huge, other = 10**400, 1.5
    if kind in (list[float], set[float]):
        assert not AnswerType(kind, tolerance=tolerance).equal([huge], [other])
        assert not AnswerType(kind, any_order=True, tolerance=tolerance).equal([other, 2.0], [2.0, huge])
        assert AnswerType(kind, tolerance=tolerance).equal([huge], [huge])
    else:
        assert not AnswerType(kind, tolerance=tolerance).equal(other, huge)
        assert AnswerType(kind, tolerance=tolerance).equal(huge, huge)


@pytest.mark.parametrize("kind", [str, str | None, int | str, Any])
def test_strings_are_compared_without_surrounding_white_space(kind: Any) -> None:
    @given(texts, st.text(" \t\n", max_size=3), st.text(" \t\n", max_size=3))
    def check(text: str, before: str, after: str) -> None:
        assert AnswerType(kind).equal(text, before + text + after)
        assert AnswerType(list[kind], any_order=True).equal([text, "z"], ["z ", before + text + after])
        assert not AnswerType(kind).equal(text, f"{text}x")

    check()


def test_case_and_inner_white_space_are_significant() -> None:
    assert not AnswerType(str).equal("Up", "up")
    assert not AnswerType(str).equal("a b", "a  b")


@given(st.lists(st.integers(0, 5), max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_a_list_is_ignored_only_if_declared(values: list[int], random: Any) -> None:
    shuffled = random.sample(values, len(values))
    assert AnswerType(list[int], any_order=True).equal(values, shuffled)
    assert AnswerType(list[int]).equal(values, shuffled) is (values == shuffled)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=5), st.integers(0, 3))
def test_a_list_of_any_order_is_compared_with_multiplicity(values: list[int], more: int) -> None:
    assert not AnswerType(list[int], any_order=True).equal(values, [*values, more])
    doubled = [*values[1:], more]
    assert AnswerType(list[int], any_order=True).equal(values, doubled) is (sorted(values) == sorted(doubled))


@given(st.lists(st.integers(0, 5), max_size=6), st.lists(st.integers(0, 5), max_size=6))
def test_sets_are_compared_without_order_and_multiplicity(left: list[int], right: list[int]) -> None:
    assert AnswerType(set[int]).equal(left, right) is (set(left) == set(right))


@given(st.lists(st.floats(0, 5), max_size=5), st.lists(st.floats(0, 5), max_size=5))
def test_floats_of_any_order_are_equal_if_any_pairing_is(left: list[float], right: list[float]) -> None:
    close = 0.5 * (1 + 1e-9)
    paired = len(left) == len(right) and any(
        all(abs(a - b) <= close for a, b in zip(left, order, strict=True)) for order in permutations(right)
    )
    assert AnswerType(list[float], any_order=True, tolerance=0.5).equal(left, right) is paired


pairs = st.lists(st.tuples(st.floats(0, 2), st.floats(0, 2)).map(list), max_size=5)


@given(pairs, pairs)
def test_records_of_any_order_are_equal_if_any_pairing_is(
    left: list[list[float]], right: list[list[float]]
) -> None:
    close = 0.5 * (1 + 1e-9)
    paired = len(left) == len(right) and any(
        all(abs(a - c) <= close and abs(b - d) <= close for (a, b), (c, d) in zip(left, order, strict=True))
        for order in permutations(right)
    )
    answer = AnswerType(list[tuple[float, float]], any_order=True, tolerance=0.5)
    assert answer.equal(left, right) is paired


@given(st.lists(st.floats(0, 5), max_size=5), st.lists(st.floats(0, 5), max_size=5))
def test_sets_of_floats_are_equal_if_each_covers_the_other(left: list[float], right: list[float]) -> None:
    close = 0.5 * (1 + 1e-9)
    covered = all(any(abs(a - b) <= close for b in right) for a in left) and all(
        any(abs(a - b) <= close for a in left) for b in right
    )
    assert AnswerType(set[float], tolerance=0.5).equal(left, right) is covered


@pytest.mark.parametrize(
    "kind",
    [
        list[int],
        list[bool],
        list[str],
        list[float],
        list[tuple[int, int]],
        list[tuple[int, float]],
        list[Any],
    ],
)
def test_long_answers_are_compared(kind: Any) -> None:
    sample: dict[Any, Any] = {
        list[bool]: True,
        list[str]: "a",
        list[float]: 0.5,
        list[tuple[int, int]]: [1, 2],
        list[tuple[int, float]]: [1, 0.5],
    }
    # Members with floats in them are compared pair by pair, all others by the thousand.
    many = [sample.get(kind, 7)] * (200 if kind in (list[tuple[int, float]], list[Any]) else 20_000)
    assert AnswerType(kind, any_order=True).equal(many, list(many))
    assert not AnswerType(kind, any_order=True).equal(many, many[1:])


def test_a_chain_of_close_floats_is_paired_one_to_one() -> None:
    # Each member is close to its two neighbours only, so pairing the first ones shifts all the others.
    left = [[float(n), 0.0] for n in range(250)]
    right = [*left[1:], [250.0, 0.0]]
    assert AnswerType(list[tuple[float, float]], any_order=True, tolerance=1.0).equal(left, right)


def test_records_are_compared_by_all_their_fields() -> None:
    answer = AnswerType(Point)
    assert answer.equal({"x": 1, "y": 2.0}, {"y": 2, "x": 1})
    assert not answer.equal({"x": 1, "y": 2.0}, {"x": 1})
    assert not answer.equal({"x": 1, "y": 2.0}, {"x": 1, "y": 2.0, "z": 3})
    assert not answer.equal({"x": 1, "y": 2.0}, {"x": 1.0, "y": 2.0})


@given(plain, plain)
def test_untyped_answers_of_different_types_differ(left: Any, right: Any) -> None:
    assume(type(left) is not type(right))
    assert not AnswerType(Any).equal(left, right)


def test_untyped_floats_have_tolerance_too() -> None:
    assert AnswerType(Any).equal({"a": [0.1 + 0.2]}, {"a": [0.3]})
    assert not AnswerType(Any).equal(math.pi, 3.14)


@pytest.mark.parametrize(
    "text", ["set[int]", "Literal[1, 'a']", "set[tuple[int, ...]]", "Optional[set[str]]"]
)
def test_answers_compare_by_annotations_as_they_are_read(text: str) -> None:
    kind = read_annotation(ast.parse(text, mode="eval").body, {})
    samples: dict[str, tuple[Any, Any, Any]] = {
        "set[int]": ([1, 2], [2, 1], [1, 3]),
        "Literal[1, 'a']": (1, 1, True),
        "set[tuple[int, ...]]": ([[1, 2], [3]], [[3], [1, 2]], [[2, 1], [3]]),
        "Optional[set[str]]": (["a", "b"], ["b", "a"], None),
    }
    reference, same, other = samples[text]
    assert AnswerType(kind).equal(reference, same)
    assert not AnswerType(kind).equal(reference, other)
