"""Types that classes in the CodeGym format declare."""

import ast
from typing import Any, Literal

import pytest

from codegym_mcp.environment_definition.codegym_format.declared_types import (
    declared_type,
    mentions_infinity,
    takes_infinity,
    with_infinity,
)

Infinite = Literal["Infinity", "-Infinity"]


def declared(annotation: str, words: str) -> Any:
    return declared_type(ast.parse(annotation, mode="eval").body if annotation else None, words)


@pytest.mark.parametrize(
    ("annotation", "words", "expected"),
    [
        ("int", "int", int),
        ("int", "", int),
        ("", "int", int),
        ("", "", Any),
        ("list", "list[int]", list[int]),
        ("List[int]", "list", list[int]),
        ("list", "List[List[str]]", list[list[str]]),
        ("typing.List[int]", "", list[int]),
        ("set", "set[int]", list[int]),
        ("typing.Set[int]", "", list[int]),
        ("", "tuple[int, str]", tuple[int, str]),
        ("tuple", "list[int]", list[int]),
        ("dict", "dict[int, list[int]]", dict[str, list[int]]),
        ("dict", "dict", dict[str, Any]),
        ("int", "str", int | str),
        ("", "int or str", int | str),
        ("", "integer, optional", int),
        ("", "array", list[Any]),
        ("", "list of pairs", list[Any]),
        ("list[Pair]", "", list[Any]),
        ("Pair", "pair", Any),
        ("np.ndarray", "", Any),
        ("str", "non-empty text", str),
        ("", "(((", Any),
    ],
)
def test_annotation_and_docstring_together_give_the_type(annotation: str, words: str, expected: Any) -> None:
    assert declared(annotation, words) == expected


@pytest.mark.parametrize(
    ("source", "mentioned"),
    [
        ("best = float('inf')", True),
        ("best = float('-Infinity')", True),
        ("best = -math.inf", True),
        ("from math import inf\nbest = inf", True),
        ("best = float(said)", False),
        ("info = float('1')", False),
    ],
)
def test_mentions_of_infinity_are_recognized(source: str, mentioned: bool) -> None:
    assert mentions_infinity(ast.parse(source)) is mentioned


@pytest.mark.parametrize(
    ("annotation", "widened"),
    [
        (int, int | Infinite),
        (float, float | Infinite),
        (list[int], list[int | Infinite]),
        (dict[str, float], dict[str, float | Infinite]),
        (tuple[int, bool], tuple[int | Infinite, bool]),
        (list[Any], list[Any]),
        (Any, Any),
        (int | None, int | Infinite | None),
    ],
)
def test_numbers_may_be_infinite(annotation: Any, widened: Any) -> None:
    assert takes_infinity(annotation)
    assert with_infinity(annotation) == widened
    assert takes_infinity(widened)


@pytest.mark.parametrize("annotation", [str, bool, list[str], tuple[int, str], dict[str, str], int | str])
def test_a_declared_string_never_means_infinity(annotation: Any) -> None:
    assert not takes_infinity(annotation)
