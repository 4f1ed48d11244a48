from pathlib import Path

import pytest

from codegym_harness.runs.run_directory_reader import RunStart
from codegym_harness.runs.run_directory_writer import RunDirectory
from codegym_harness.runs.run_index import (
    find_trajectory,
    list_runs,
    read_baselines,
    read_summary,
    split_episode,
)
from codegym_mcp.errors import NotFoundError, RunError
from tests.made_runs import AT, Configuration, made_run, made_trajectory

TWO = {"lift/low/1": "correct", "lift/high/1": "incorrect"}


def test_runs_are_listed_by_start_time_with_their_state(tmp_path: Path) -> None:
    made_run(tmp_path / "z-first", TWO, agent="oracle", at="2025-01-01T00:00:00.000+00:00")
    made_run(tmp_path / "a-second", TWO, missing=3)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "run.json").write_text("{")
    (tmp_path / "no-run").mkdir()
    with RunDirectory.create(
        tmp_path / "third", Configuration(), RunStart(at="2027", episodes=5)
    ) as directory:
        directory.append(made_trajectory())
        broken, first, second, third = list_runs(tmp_path)
    assert (first.path, first.agent, first.state) == (str(tmp_path / "z-first"), "oracle", "finished")
    assert (first.episodes, first.missing, first.reward) == (2, 0, 0.5)
    assert (second.at, second.state, second.episodes, second.missing) == (AT, "interrupted", 2, 3)
    assert (third.state, third.episodes, third.missing, third.reward) == ("in progress", 1, 4, 1.0)
    assert broken.state == "unreadable"
    assert "cannot be read" in broken.problem


def test_listing_runs_of_a_missing_directory_is_an_error(tmp_path: Path) -> None:
    assert list_runs(tmp_path) == []
    with pytest.raises(RunError, match="There is no directory"):
        list_runs(tmp_path / "absent")


def test_the_summary_of_a_killed_run_is_computed_from_its_trajectories(tmp_path: Path) -> None:
    written = made_run(tmp_path, TWO, missing=1)
    (tmp_path / "summary.json").unlink()
    assert read_summary(tmp_path) == written
    (tmp_path / "summary.json").write_text('{"of": "another version"}')
    assert read_summary(tmp_path) == written


def test_a_summary_names_the_current_directory_of_the_run(tmp_path: Path) -> None:
    made_run(tmp_path / "before", TWO)
    (tmp_path / "before").rename(tmp_path / "after")
    assert read_summary(tmp_path / "after").run == str(tmp_path / "after")


def test_baselines_are_read_from_the_run_directory(tmp_path: Path) -> None:
    made_run(tmp_path, TWO)
    assert read_baselines(tmp_path) == []
    made_run(tmp_path / "baselines" / "random", TWO, agent="random")
    assert [each.agent for each in read_baselines(tmp_path)] == ["random"]


def test_an_episode_is_found_by_its_key(tmp_path: Path) -> None:
    made_run(tmp_path, TWO)
    assert find_trajectory(tmp_path, "lift/high/1").extra.outcome == "incorrect"
    with pytest.raises(NotFoundError, match=r"no episode named 'lift/high/2'. Did you mean lift/high/1"):
        find_trajectory(tmp_path, "lift/high/2")
    with pytest.raises(RunError, match="no run directory"):
        find_trajectory(tmp_path / "absent", "lift/high/1")


def test_a_text_is_split_into_a_run_and_an_episode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made_run(tmp_path / "runs" / "mine", TWO)
    made_run(tmp_path / "runs" / "mine" / "baselines" / "random", TWO)
    monkeypatch.chdir(tmp_path)
    mine = Path("runs/mine")
    assert split_episode("runs/mine") == (mine, "")
    assert split_episode("runs/mine/") == (mine, "")
    assert split_episode("runs/mine/lift/low/1") == (mine, "lift/low/1")
    assert split_episode("runs/mine/baselines/random/lift/low/1") == (mine / "baselines/random", "lift/low/1")
    assert split_episode(f"{tmp_path}/runs/mine/lift/low/1") == (tmp_path / "runs/mine", "lift/low/1")
    for other in ("runs", "lift", "/", "", "lift.py"):
        assert split_episode(other) is None
    monkeypatch.chdir(mine)
    assert split_episode("./lift/low/1") == (Path(), "lift/low/1")
