from pathlib import Path

import pytest

from codegym_harness.runs.comparison import compare
from codegym_harness.runs.run_directory_reader import RunStart
from codegym_harness.runs.run_directory_writer import RunDirectory
from codegym_mcp.errors import CodegymError, RunError
from tests.made_runs import Configuration, made_run, made_trajectory


def outcomes(text: str) -> dict[str, str]:
    """`"a/x:cf b/y:i"` is two attempts at x of a, correct and failed, and an incorrect one at y of b."""
    letters = {"c": "correct", "i": "incorrect", "n": "no_submission", "f": "failed"}
    return {
        f"{task}/{epoch}": letters[letter]
        for task, letter_list in (part.split(":") for part in text.split())
        for epoch, letter in enumerate(letter_list, 1)
    }


def compared(tmp_path, first: str, second: str):
    made_run(tmp_path / "first", outcomes(first))
    made_run(tmp_path / "second", outcomes(second))
    return compare(tmp_path / "first", tmp_path / "second")


def test_tasks_are_paired_by_their_mean_reward(tmp_path: Path) -> None:
    comparison = compared(tmp_path, "a/x:ci a/y:ii b/x:cc", "a/x:cc a/y:in b/x:ii")
    assert (comparison.tasks, comparison.better, comparison.worse, comparison.same) == (3, 1, 1, 1)
    assert comparison.first == pytest.approx(0.5)
    assert comparison.second == pytest.approx(1 / 3)
    assert comparison.difference.mean == pytest.approx(-1 / 6)
    assert comparison.difference.clusters == 2
    a, b = comparison.environments["a"], comparison.environments["b"]
    assert (a.tasks, a.first, a.second, a.difference.mean) == (2, 0.25, 0.5, 0.25)
    assert (b.tasks, b.difference.mean, b.difference.low) == (1, -1.0, None)


def test_the_interval_of_a_difference_uses_pairs(tmp_path: Path) -> None:
    # Differences 1, 0, 0, 1 of four tasks of one environment: mean 1/2, s = 1/sqrt(3), se = s/2 = 0.288675,
    # t(3) = 3.182446.
    comparison = compared(tmp_path, "a/p:i a/q:c a/r:i a/s:i", "a/p:c a/q:c a/r:i a/s:c")
    assert comparison.difference.stderr == pytest.approx(0.288675, abs=1e-6)
    assert comparison.difference.low == pytest.approx(0.5 - 3.182446 * 0.288675, abs=1e-5)
    assert comparison.difference.high == 1.0  # No difference of rewards is larger.


def test_runs_with_different_numbers_of_epochs_can_be_compared(tmp_path: Path) -> None:
    comparison = compared(tmp_path, "a/x:cici", "a/x:c")
    assert (comparison.first, comparison.second, comparison.better) == (0.5, 1.0, 1)


def test_tasks_that_only_one_run_scored_are_left_out_and_counted(tmp_path: Path) -> None:
    comparison = compared(tmp_path, "a/x:c a/y:f a/z:c", "a/x:f a/x:c a/y:c b/x:i b/y:i")
    assert (comparison.tasks, comparison.only_first, comparison.only_second) == (1, 1, 3)
    assert list(comparison.environments) == ["a"]


def test_failed_episodes_are_not_attempts(tmp_path: Path) -> None:
    assert compared(tmp_path, "a/x:fc", "a/x:cf").same == 1


@pytest.mark.parametrize("second", ["b/x:c", "a/y:c", "a/x:f"])
def test_runs_without_a_common_task_are_refused(tmp_path: Path, second) -> None:
    with pytest.raises(CodegymError, match="no scored task in common"):
        compared(tmp_path, "a/x:c", second)


def test_environments_that_differ_between_runs_are_named(tmp_path: Path) -> None:
    for name, digest in (("first", "one"), ("second", "two")):
        start = RunStart(episodes=2, environments={"a": digest, "b": "same"})
        with RunDirectory.create(tmp_path / name, Configuration(), start) as directory:
            for key in ("a/x/1", "b/x/1"):
                directory.append(made_trajectory(key))
    assert compare(tmp_path / "first", tmp_path / "second").changed == ["a"]


def test_a_missing_run_is_an_error(tmp_path: Path) -> None:
    made_run(tmp_path / "first", outcomes("a/x:c"))
    with pytest.raises(RunError, match=r"second is no run directory"):
        compare(tmp_path / "first", tmp_path / "second")
