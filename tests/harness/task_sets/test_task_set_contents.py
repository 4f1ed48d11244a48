"""The tasks of a task set, and their division into training and held-out tasks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from codegym_harness.runs.task_selection import SeedRange
from codegym_harness.task_sets.task_set_contents import Part, TaskSelection
from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.errors import NotFoundError, TaskError
from codegym_mcp.task_reference import FIRST_HELD_OUT_SEED
from tests.conftest import FIXTURES

LIFTS = Catalog.load([FIXTURES / "counter.py"])


@given(st.integers(-(10**7), FIRST_HELD_OUT_SEED - 1), st.integers(0, 10**7), st.integers(0, 10**7))
def test_training_seeds_and_held_out_seeds_of_any_two_sets_never_overlap(
    first: int, length: int, held_out: int
) -> None:
    last = min(first + length, FIRST_HELD_OUT_SEED - 1)
    seeds = TaskSelection(
        difficulties=(1,), seeds=SeedRange(first=first, last=last), held_out=held_out
    ).seeds_by_part
    assert seeds[Part.TRAIN] == range(first, last + 1)
    assert seeds[Part.TRAIN][-1] < FIRST_HELD_OUT_SEED
    assert Part.HELD_OUT not in seeds or seeds[Part.HELD_OUT][0] == FIRST_HELD_OUT_SEED


def test_each_difficulty_has_every_seed_of_each_part() -> None:
    selection = TaskSelection(difficulties=(1, 4), seeds=SeedRange(first=5, last=6), held_out=1)
    parts = selection.tasks(LIFTS)
    assert [(part, task.difficulty, task.seed) for part in parts for task in parts[part]] == [
        *((Part.TRAIN, difficulty, seed) for difficulty in (1, 4) for seed in (5, 6)),
        *((Part.HELD_OUT, difficulty, FIRST_HELD_OUT_SEED) for difficulty in (1, 4)),
    ]


def test_seeds_beyond_the_split_are_a_held_out_set() -> None:
    seeds = SeedRange(first=FIRST_HELD_OUT_SEED + 7, last=FIRST_HELD_OUT_SEED + 8)
    parts = TaskSelection(difficulties=(2,), seeds=seeds).tasks(LIFTS)
    assert [task.seed for task in parts[Part.HELD_OUT]] == list(seeds.choose(None))


def test_without_a_difficulty_the_fixed_tasks_are_selected() -> None:
    parts = TaskSelection(environments=("night_*",)).tasks(Catalog.of("bundled"))
    fixed = Catalog.of("bundled")["night_courier"].tasks
    assert {part: [task.task for task in tasks] for part, tasks in parts.items()} == {
        Part.FIXED: [task.id for task in fixed]
    }


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        ({"held_out": 3}, "fixed tasks have no seeds"),
        ({"difficulties": (1,), "seeds": {"first": 999_999, "last": 1_000_000}}, "partly held out"),
        ({"difficulties": (1,), "seeds": {"first": 1_000_000}, "held_out": 3}, "held out already"),
        ({"grade": "F"}, "String should match pattern"),
    ],
)
def test_a_selection_that_cannot_be_divided_is_refused(choice: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        TaskSelection.model_validate(choice)


def test_unknown_environments_and_missing_tasks_are_errors() -> None:
    with pytest.raises(NotFoundError, match="nowhere"):
        TaskSelection(environments=("nowhere",)).tasks(LIFTS)
    with pytest.raises(TaskError, match="no fixed tasks"):
        TaskSelection().tasks(LIFTS)
