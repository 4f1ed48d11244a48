from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegym_mcp.environment_definition.environment import Task
from codegym_mcp.environment_definition.environment_reader import read_environment_source
from codegym_mcp.verification.audit.config_invariants import Invariants, kind, walk
from codegym_mcp.verification.audit.config_perturbation import Perturbation

FIRST = {
    "size": 3,
    "names": ["ash", "elm", "yew"],
    "weights": [1, 4, 9],
    "calls": [2, 1, 2, 1, 2],
    "visits": [{"of": "yew", "at": 4}, {"of": "ash", "at": 9}],
}
SECOND = {
    "size": 4,
    "names": ["fir", "oak", "pine", "rowan"],
    "weights": [2, 3, 5, 7],
    "calls": [1, 1],
    "visits": [{"of": "oak", "at": 1}, {"of": "fir", "at": 2}, {"of": "fir", "at": 8}],
}


def broken(change: Callable[[dict[str, Any]], object]) -> bool:
    changed: dict[str, Any] = {**FIRST, **{key: list(FIRST[key]) for key in ("names", "weights", "calls")}}
    changed["visits"] = [dict(visit) for visit in FIRST["visits"]]  # type: ignore[arg-type, attr-defined]
    change(changed)
    return not Invariants([FIRST, SECOND]).hold(changed)


def test_the_known_configurations_satisfy_the_rules() -> None:
    invariants = Invariants([FIRST, SECOND])
    assert invariants.hold(FIRST)
    assert invariants.hold(SECOND)


@pytest.mark.parametrize(
    "change",
    [
        lambda it: it["weights"].reverse(),
        lambda it: it.update(names=["ash", "ash", "yew"]),
        lambda it: it["names"].append("zelkova"),
        lambda it: it.update(size=4),
        lambda it: it["visits"][0].update(of="baobab"),
        lambda it: it["visits"][1].update(at=3),
    ],
    ids=["a sorted list", "a list without repetition", "lists of one length", "a length told elsewhere",
         "a name told elsewhere", "times in order"],
)  # fmt: skip
def test_a_broken_rule_is_found(change: Callable[[dict[str, Any]], object]) -> None:
    assert broken(change)


@pytest.mark.parametrize(
    "change",
    [
        lambda it: it["calls"].reverse(),
        lambda it: it["calls"].pop(),
        lambda it: it["visits"][0].update(of="elm"),
        lambda it: it["weights"].__setitem__(1, 5),
    ],
    ids=["no order", "no fixed length", "another known name", "another number"],
)
def test_values_without_a_rule_may_change(change: Callable[[dict[str, Any]], object]) -> None:
    assert not broken(change)


def test_walking_yields_every_value_with_its_path() -> None:
    assert list(walk({"a": [1, {"b": 2}]})) == [
        (("a",), [1, {"b": 2}]),
        (("a", 0), 1),
        (("a", 1), {"b": 2}),
        (("a", 1, "b"), 2),
    ]
    assert kind(("a", 1, "b")) == ("a", "[]", "b")


SHELVES = read_environment_source(
    '''"""There are {size} shelves. Answer with a number."""

META = {"title": "Shelves", "public": ["size"]}


class Environment:
    def __init__(self, size: int, loads: list[int], order: list[str]):
        self.loads = loads

    def look(self) -> int:
        """Look."""
        return self.loads[0]


def reference(size: int, loads: list[int], order: list[str]) -> int:
    return loads[0]


def solve(tools, size):
    return tools.look()
''',
    name="shelves",
    path="shelves.py",
)


@settings(max_examples=30)
@given(
    loads=st.lists(st.lists(st.integers(-20, 20), min_size=1, max_size=6), min_size=1, max_size=4),
    order=st.permutations(["a", "b", "c"]),
)
def test_variants_differ_satisfy_the_rules_and_are_the_same_every_time(
    loads: list[list[int]], order: list[str]
) -> None:
    configs = [{"size": len(each), "loads": each, "order": order} for each in loads]
    tasks = [Task(id=str(n), config=each) for n, each in enumerate(configs)]
    variants = [list(Perturbation(SHELVES, tasks).variants(task, 3)) for task in tasks]
    assert variants == [list(Perturbation(SHELVES, tasks).variants(task, 3)) for task in tasks]
    invariants = Invariants(configs)
    for task, made in zip(tasks, variants, strict=True):
        for variant in made:
            SHELVES.check_task(variant)
            assert invariants.hold(variant.config)
            assert variant.config["size"] == len(variant.config["loads"])
            assert min(map(len, loads)) <= variant.config["size"] <= max(map(len, loads))
        told = [str(variant.config) for variant in made]
        assert len({*told, str(task.config)}) == len(told) + 1


def test_the_length_of_a_text_and_its_alphabet_are_rules() -> None:
    invariants = Invariants([{"size": 3, "text": "aba"}, {"size": 5, "text": "babab"}])
    assert invariants.hold({"size": 4, "text": "bbaa"})
    assert not invariants.hold({"size": 4, "text": "bba"})
    assert not invariants.hold({"size": 4, "text": "bbac"})


def test_rows_of_a_grid_keep_one_length() -> None:
    invariants = Invariants([{"width": 2, "rows": ["..", "#.", ".."]}, {"width": 3, "rows": ["...", "#.#"]}])
    assert invariants.hold({"width": 2, "rows": ["##", "#.", ".#"]})
    assert not invariants.hold({"width": 2, "rows": ["##", "#"]})
    assert not invariants.hold({"width": 3, "rows": ["##", "#."]})


TELEGRAM = read_environment_source(
    '''"""A strip has {length} signs. Answer with the number of dots."""

META = {"title": "Strip", "public": ["length"]}


class Environment:
    def __init__(self, length: int, strip: str):
        self.strip = strip

    def look(self) -> str:
        """Look."""
        return self.strip[0]


def reference(length: int, strip: str) -> int:
    return strip.count(".")


def solve(tools, length):
    return 0
''',
    name="telegram",
    path="telegram.py",
)


@settings(max_examples=30)
@given(strips=st.lists(st.text(".-", min_size=2, max_size=9), min_size=2, max_size=4, unique=True))
def test_texts_change_inside_and_a_public_length_follows(strips: list[str]) -> None:
    configs = [{"length": len(strip), "strip": strip} for strip in strips]
    tasks = [Task(id=str(n), config=each) for n, each in enumerate(configs)]
    variants = [variant for task in tasks for variant in Perturbation(TELEGRAM, tasks).variants(task, 3)]
    for variant in variants:
        assert variant.config["length"] == len(variant.config["strip"])
        assert set(variant.config["strip"]) <= set("".join(strips))


def test_most_variants_of_a_text_are_new_texts() -> None:
    strips = ["..-.", "-..--", ".--.-.", "--.-..-"]
    tasks = [Task(id=s, config={"length": len(s), "strip": s}) for s in strips]
    variants = [variant for task in tasks for variant in Perturbation(TELEGRAM, tasks).variants(task, 5)]
    assert len(variants) == 20
    assert sum(variant.config["strip"] not in strips for variant in variants) >= 15


def test_words_that_repeat_are_not_changed_inside() -> None:
    words = ["red", "red", "blue", "blue", "red", "blue"]
    tasks = [Task(id=str(n), config={"length": 5, "strip": word}) for n, word in enumerate(words)]
    variants = [variant for task in tasks for variant in Perturbation(TELEGRAM, tasks).variants(task, 5)]
    assert {variant.config["strip"] for variant in variants} <= {"red", "blue"}
