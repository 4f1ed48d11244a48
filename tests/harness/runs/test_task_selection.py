from typing import Any

import pytest
from pydantic import ValidationError

from codegym_harness.runs.task_selection import SeedRange, Selection
from codegym_mcp.environment_definition.environment_info import EnvironmentInfo
from codegym_mcp.errors import NotFoundError, TaskError
from codegym_mcp.verification.audit.grading_rules import Grade


def info(name: str, tasks: int = 3, *, generates: bool = True) -> EnvironmentInfo:
    return EnvironmentInfo(
        name=name,
        title=name,
        tags=[],
        tools=[],
        tasks=[f"t{number}" for number in range(tasks)],
        generates=generates,
        license="",
        source="",
        digest="",
    )


SERVED = [info("night_courier"), info("night_watch"), info("ledger")]


def keys(selection: Selection, served: list[EnvironmentInfo]) -> list[str]:
    return [assignment.key for assignment in selection.assignments(served)]


def test_everything_is_selected_by_default() -> None:
    assert len(keys(Selection(), SERVED)) == 9


def test_environments_are_selected_by_globs_in_the_server_order() -> None:
    chosen = keys(Selection(environments=("led*", "*_courier"), tasks=1), SERVED)
    assert chosen == ["night_courier/t0/1", "ledger/t0/1"]


def test_environments_are_selected_by_the_grade_of_their_audits() -> None:
    grades = {"night_courier": Grade.C, "ledger": Grade.B}
    selection = Selection(grade=Grade.B, tasks=1)
    assert [each.key for each in selection.assignments(SERVED, grades)] == ["ledger/t0/1"]
    everything = Selection(tasks=1).assignments(SERVED, grades)
    assert len(everything) == 3


def test_the_error_for_a_missing_grade_names_the_audit_command() -> None:
    selection = Selection(environments=("night_*",), grade=Grade.B)
    with pytest.raises(TaskError, match="None of 2 environments has grade B or better; 1 of them") as caught:
        selection.assignments(SERVED, {"night_courier": Grade.C, "ledger": Grade.A})
    assert "codegym-mcp audit" in caught.value.hint


def test_each_task_is_played_in_every_epoch() -> None:
    chosen = keys(Selection(environments=("ledger",), tasks=2, epochs=2), SERVED)
    assert chosen == ["ledger/t0/1", "ledger/t0/2", "ledger/t1/1", "ledger/t1/2"]


def test_generated_tasks_are_selected_by_difficulty_and_seeds() -> None:
    chosen = keys(
        Selection(environments=("ledger",), difficulties=(4,), seeds=SeedRange(first=7), tasks=2), SERVED
    )
    assert chosen == ["ledger/d4-s7/1", "ledger/d4-s8/1"]


def test_a_glob_that_matches_nothing_is_an_error() -> None:
    with pytest.raises(NotFoundError, match="Did you mean ledger"):
        keys(Selection(environments=("ledgr",)), SERVED)


def test_an_environment_without_such_tasks_is_an_error() -> None:
    with pytest.raises(TaskError, match="fixed_only generates no tasks"):
        keys(Selection(difficulties=(1,)), [info("fixed_only", generates=False)])
    with pytest.raises(TaskError, match="endless has no fixed tasks"):
        keys(Selection(), [info("endless", tasks=0)])


def test_generated_tasks_of_several_difficulties_and_a_range_of_seeds_are_selected() -> None:
    selection = Selection(
        environments=("ledger",), difficulties=(1, 3), seeds=SeedRange(first=100, last=102), tasks=None
    )
    assert keys(selection, SERVED) == [
        *(f"ledger/d1-s{seed}/1" for seed in (100, 101, 102)),
        *(f"ledger/d3-s{seed}/1" for seed in (100, 101, 102)),
    ]
    cut = selection.model_copy(update={"tasks": 2})
    assert keys(cut, SERVED) == [
        "ledger/d1-s100/1",
        "ledger/d1-s101/1",
        "ledger/d3-s100/1",
        "ledger/d3-s101/1",
    ]


@pytest.mark.parametrize(
    ("task_ids", "chosen"),
    [
        (("t1",), ["night_courier/t1/1", "night_watch/t1/1", "ledger/t1/1"]),
        (("ledger/t1", "night_watch/t0"), ["night_watch/t0/1", "ledger/t1/1"]),
        (("ledger/d2-s7", "ledger/d2-s7"), ["ledger/d2-s7/1"]),
        (("ledger/d1-s-3",), ["ledger/d1-s-3/1"]),
    ],
)
def test_single_tasks_are_selected_by_id(task_ids: tuple[str, ...], chosen: list[str]) -> None:
    assert keys(Selection(task_ids=task_ids), SERVED) == chosen


def test_single_and_generated_tasks_are_selected_in_one_run() -> None:
    selection = Selection(environments=("ledger",), task_ids=("t2",), difficulties=(4,), tasks=2)
    assert keys(selection, SERVED) == ["ledger/t2/1", "ledger/d4-s0/1", "ledger/d4-s1/1"]


@pytest.mark.parametrize("task_id", ["t9", "nowhere/t1", "d9-s1", "ledger/d2-sx", "night_watch/t9"])
def test_a_task_that_does_not_exist_is_an_error(task_id: str) -> None:
    with pytest.raises(NotFoundError, match=task_id):
        keys(Selection(task_ids=("t1", task_id)), SERVED)


def test_a_generated_task_of_an_environment_without_a_generator_is_an_error() -> None:
    with pytest.raises(NotFoundError, match="d1-s1"):
        keys(Selection(task_ids=("d1-s1",)), [info("fixed_only", generates=False)])


@pytest.mark.parametrize(
    "values",
    [{"difficulties": (0,)}, {"difficulties": (1, 6)}, {"tasks": 0}, {"seeds": {"first": 3, "last": 2}}],
)
def test_an_impossible_selection_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Selection.model_validate(values)


@pytest.mark.parametrize(
    "selection",
    [
        Selection(difficulties=(1,), seeds=SeedRange(first=0, last=10**12)),
        Selection(difficulties=(1,), seeds=SeedRange(first=-(10**30), last=10**30)),
        Selection(difficulties=(1, 2, 3, 4, 5), tasks=10**6),
        Selection(epochs=10**9),
    ],
)
def test_more_episodes_than_a_run_can_have_are_an_error_at_once(selection: Selection) -> None:
    with pytest.raises(TaskError, match=r"has [\d,]+ episodes; a run has at most 1,000,000"):
        selection.assignments(SERVED)


def test_a_huge_range_is_played_as_far_as_tasks_are_asked_for() -> None:
    selection = Selection(environments=("ledger",), difficulties=(1,), seeds=SeedRange(last=10**30), tasks=2)
    assert keys(selection, SERVED) == ["ledger/d1-s0/1", "ledger/d1-s1/1"]
