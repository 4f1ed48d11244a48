"""Splits of an environment's tasks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegym_mcp.environment_definition.environment import Environment, Task
from codegym_mcp.environment_definition.task_splits import SplitPurpose, TaskSplit, task_split, task_splits
from codegym_mcp.errors import NotFoundError
from codegym_mcp.task_reference import FIRST_HELD_OUT_SEED

SOURCE = '''"""Answer with the number."""

META = {"title": "Number", "public": [], "license": "MIT", "source": "original"}


class Environment:
    def __init__(self, number: int):
        self.number = number

    def look(self) -> int:
        """Look."""
        return self.number


def reference(number: int) -> int:
    return number


def solve(tools):
    return tools.look()
'''
GENERATOR = "\n\ndef generate(random, difficulty):\n    return {'number': difficulty}\n"


def environment(*ids: str, generates: bool) -> Environment:
    read = Environment.from_source(SOURCE + (GENERATOR if generates else ""), name="number")
    return read.with_tasks(tuple(Task(id=each, config={"number": 1}) for each in ids))


def tasks_for(splits: list[TaskSplit], *purposes: SplitPurpose) -> set[tuple[object, ...]]:
    return {
        (task.task, task.difficulty, task.seed)
        for split in splits
        if split.purpose in purposes
        for task in split
    }


def test_training_and_held_out_seeds_never_overlap() -> None:
    splits = task_splits(environment("one", generates=True))
    train = tasks_for(splits, SplitPurpose.TRAIN)
    held_out = tasks_for(splits, SplitPurpose.TEST)
    assert train
    assert held_out
    assert not train & held_out
    assert all(seed < FIRST_HELD_OUT_SEED for _, _, seed in train)
    assert all(seed >= FIRST_HELD_OUT_SEED for _, _, seed in held_out)


def test_difficulties_take_turns_or_stand_alone() -> None:
    number = environment(generates=True)
    assert [task.difficulty for task in task_split(number, "train")[:7]] == [1, 2, 3, 4, 5, 1, 2]
    assert {task.difficulty for task in task_split(number, "test-4")} == {4}
    assert "fixed" not in {split.name for split in task_splits(number)}


@given(st.lists(st.text(min_size=1, max_size=4), unique=True, max_size=30), st.text(min_size=1, max_size=4))
def test_every_fixed_task_keeps_its_one_split_when_others_are_added(ids: list[str], more: str) -> None:
    splits = task_splits(environment(*ids, generates=False))
    train = tasks_for(splits, SplitPurpose.TRAIN)
    held_out = tasks_for(splits, SplitPurpose.TEST)
    assert not train & held_out
    assert train | held_out == {(each, None, None) for each in ids}
    if more not in ids:
        later = task_splits(environment(*ids, more, generates=False))
        assert train <= tasks_for(later, SplitPurpose.TRAIN)
        assert held_out <= tasks_for(later, SplitPurpose.TEST)


def test_a_task_beyond_the_end_and_a_split_that_is_unknown_are_errors() -> None:
    number = environment("one", generates=True)
    fixed = task_split(number, "fixed")
    assert fixed[0].task == "one"
    with pytest.raises(IndexError):
        fixed[1]
    with pytest.raises(NotFoundError, match=r"There is no split named 'trian'\. Did you mean train"):
        task_split(number, "trian")
