"""Which configurations contradict the sizes that all generated configurations have."""

from typing import Any

import pytest

from codegym_mcp.synthesis.configuration_sizes import SizeRules

STRIPS = [{"size": 2, "text": "ab", "boxes": 7}, {"size": 3, "text": "abc", "boxes": 7}]
GRIDS = [
    {"rows": 2, "columns": 3, "grid": ["...", "#.#"]},
    {"rows": 3, "columns": 2, "grid": ["..", "#.", ".#"]},
]
PASSAGES = [
    {"rooms": 2, "goal": 1, "passages": {"a": ["b"], "b": []}},
    {"rooms": 3, "goal": 2, "passages": {"c": ["d", "e"], "d": [], "e": ["c"]}},
]


@pytest.mark.parametrize(
    ("known", "configuration", "contradictions"),
    [
        (STRIPS, {"size": 4, "text": "abcd", "boxes": 7}, []),
        (
            STRIPS,
            {"size": 5, "text": "abcd", "boxes": 7},
            ["size is 5, but text has 4 characters."],
        ),
        (GRIDS, {"rows": 2, "columns": 4, "grid": ["....", "####"]}, []),
        (
            GRIDS,
            {"rows": 3, "columns": 4, "grid": ["....", "###"]},
            ["rows is 3, but grid has 2 items.", "columns is 4, but grid[] has 3 to 4 characters."],
        ),
        (PASSAGES, {"rooms": 1, "goal": 0, "passages": {"x": []}}, []),
        (
            PASSAGES,
            {"rooms": 3, "goal": 2, "passages": {"x": [], "y": ["x"]}},
            [
                "goal is 2, but passages has 2 items, and goal is always one less than that.",
                "rooms is 3, but passages has 2 items.",
            ],
        ),
    ],
)
def test_a_number_that_is_not_the_size_it_always_is_is_named(
    known: list[dict[str, Any]], configuration: dict[str, Any], contradictions: list[str]
) -> None:
    assert SizeRules(known).contradictions(configuration) == contradictions


def test_a_number_that_never_differs_may_equal_a_size_by_chance() -> None:
    rules = SizeRules([{"boxes": 2, "text": "ab"}, {"boxes": 2, "text": "cd"}])
    assert not rules.contradictions({"boxes": 3, "text": "ab"})


def test_a_generator_may_use_one_size_for_two_independent_things() -> None:
    rules = SizeRules(
        [{"crews": size, "fields": size, "names": ["n"] * size, "ripe": list(range(size))} for size in (2, 5)]
    )
    assert not rules.contradictions({"crews": 3, "fields": 4, "names": ["n"] * 3, "ripe": [1] * 4})
    assert rules.contradictions({"crews": 3, "fields": 4, "names": ["n"] * 3, "ripe": [1] * 5}) == [
        "crews is 3, but ripe has 5 items."
    ]


def test_values_of_another_type_are_left_to_the_check_of_types() -> None:
    rules = SizeRules(STRIPS)
    assert not rules.contradictions({"size": "many", "text": "abcd"})
    assert not rules.contradictions({"size": 4, "text": 4})
    assert not rules.contradictions({})
