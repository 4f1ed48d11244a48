import json
import os
import resource
import sys
from pathlib import Path
from subprocess import PIPE, Popen

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegym_harness.episode_sources.episode_source import Assignment
from codegym_harness.runs.run_directory_reader import (
    RunStart,
    is_in_progress,
    new_run_path,
    read_configuration,
    read_results,
    read_trajectories,
)
from codegym_harness.runs.run_directory_writer import RunDirectory
from codegym_mcp.errors import RunError
from tests.made_runs import AT, Configuration, made_trajectory

KEYS = ["lift/low/1", "lift/low/2", "lift/high/1"]


def recorded(path: Path) -> list[str]:
    return [trajectory.extra.key for trajectory in read_trajectories(path)]


@pytest.fixture
def run(tmp_path) -> Path:
    """A run of three episodes, the second failed."""
    path = tmp_path / "run"
    with RunDirectory.create(
        path, Configuration(), RunStart(at=AT, episodes=4, environments={"lift": "abc"})
    ) as directory:
        for key, outcome in zip(KEYS, ("correct", "failed", "incorrect"), strict=True):
            directory.append(made_trajectory(key, outcome))
    return path


# --- a new run


def test_a_new_run_directory_holds_its_configuration(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "run"
    begun = RunStart(at="now", episodes=3, environments={"lift": "abc"})
    with RunDirectory.create(path, Configuration(agent="oracle"), begun):
        assert read_configuration(path) == ({"agent": "oracle"}, begun)
    assert json.loads((path / "run.json").read_text())["agent"] == "oracle"


def test_an_existing_run_is_never_overwritten(run) -> None:
    before = (run / "run.json").read_bytes()
    with pytest.raises(RunError, match="holds a run already"), RunDirectory.create(run, Configuration()):
        pass
    (run / "run.json").unlink()
    with pytest.raises(RunError, match="holds a run already"), RunDirectory.create(run, Configuration()):
        pass
    (run / "run.json").write_bytes(before)
    assert recorded(run) == KEYS


def test_a_path_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    path = tmp_path / "file" / "run"
    with pytest.raises(RunError, match="cannot be created"), RunDirectory.create(path, Configuration()):
        pass


@pytest.mark.parametrize("name", ["summary.json", "notes.txt", "trajectories.json"])
def test_a_folder_with_other_files_is_refused_and_nothing_is_overwritten(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with (
        pytest.raises(RunError, match=f"is not empty and is not a run directory: it holds {name}"),
        RunDirectory.create(tmp_path, Configuration()),
    ):
        pass
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "mine"


def test_an_empty_folder_becomes_a_run_directory(tmp_path: Path) -> None:
    with RunDirectory.create(tmp_path, Configuration()):
        assert read_configuration(tmp_path)[0] == {"agent": "someone"}


def test_a_new_run_records_which_tasks_it_plays() -> None:
    assignments = [Assignment(environment="lift", task="low", epoch=epoch) for epoch in (1, 2)] + [
        Assignment(environment="lift", difficulty=2, seed=seed) for seed in (100, 101)
    ]
    start = RunStart.now(assignments, {"lift": "abc"})
    assert (start.episodes, start.environments) == (4, {"lift": "abc"})
    assert start.tasks == {"lift": ["low", "d2-s100", "d2-s101"]}


def test_each_new_run_has_its_own_path(tmp_path: Path) -> None:
    first = new_run_path("my.agents:play", tmp_path)
    assert first.parent == tmp_path
    assert first.name.endswith("-my-agents-play")
    first.mkdir()
    assert new_run_path("my.agents:play", tmp_path) != first
    assert new_run_path("oracle").parent == Path("runs")


def test_an_appended_trajectory_has_a_result_and_can_be_read_at_once(tmp_path: Path) -> None:
    with RunDirectory.create(tmp_path, Configuration()) as directory:
        for number, key in enumerate(KEYS, 1):
            result = directory.append(made_trajectory(key))
            assert directory.results[key] == result
            assert recorded(tmp_path) == KEYS[:number]
    assert list(read_results(tmp_path)) == list(directory.results.values())


def test_a_trajectory_that_cannot_be_written_whole_is_not_written_at_all(run) -> None:
    size = (run / "trajectories.jsonl").stat().st_size
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with RunDirectory.resume(run) as directory:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, limits[1]))
        try:
            with pytest.raises(RunError, match="cannot be written"):
                directory.append(made_trajectory("lift/high/2"))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert list(directory.results) == recorded(run) == KEYS
        assert (run / "trajectories.jsonl").stat().st_size == size
        directory.append(made_trajectory("lift/high/2"))
    assert recorded(run) == [*KEYS, "lift/high/2"]


# --- a run that is resumed


def test_a_resumed_run_has_its_results_and_accepts_more(run) -> None:
    with RunDirectory.resume(run) as directory:
        assert list(directory.results) == KEYS
        assert (directory.cut, directory.results["lift/low/2"].outcome) == (0, "failed")
        directory.append(made_trajectory("lift/high/2"))
    assert recorded(run) == [*KEYS, "lift/high/2"]


def test_a_run_without_a_trajectory_is_resumed(tmp_path: Path) -> None:
    with RunDirectory.create(tmp_path, Configuration()):
        pass
    (tmp_path / "trajectories.jsonl").unlink()
    with RunDirectory.resume(tmp_path) as directory:
        directory.append(made_trajectory(KEYS[0]))
    assert recorded(tmp_path) == KEYS[:1]


LINES = [made_trajectory(key).to_json().encode() + b"\n" for key in KEYS]
WHOLE = b"".join(LINES)


@given(cut=st.integers(0, len(WHOLE)))
@settings(max_examples=60, deadline=None)
def test_complete_lines_are_kept_wherever_writing_was_interrupted(tmp_path_factory, cut) -> None:
    path = tmp_path_factory.mktemp("run")
    with RunDirectory.create(path, Configuration()):
        pass
    (path / "trajectories.jsonl").write_bytes(WHOLE[:cut])
    # A line that lacks nothing but its end is whole.
    whole = sum(cut >= end - 1 for end in (len(LINES[0]), len(LINES[0] + LINES[1]), len(WHOLE)))
    assert recorded(path) == KEYS[:whole]
    with RunDirectory.resume(path) as directory:
        assert list(directory.results) == KEYS[:whole]
        for key in KEYS[whole:]:
            directory.append(made_trajectory(key))
    assert (path / "trajectories.jsonl").read_bytes() == WHOLE


@pytest.mark.parametrize("rest", [b'{"schema_version": "ATIF', b"\0\0\0\0", b"\n", b"{]\n", b"\xff\xfe"])
def test_a_damaged_last_line_is_removed_and_its_length_is_reported(run, rest) -> None:
    file = run / "trajectories.jsonl"
    before = file.read_bytes()
    file.write_bytes(before + rest)
    assert recorded(run) == KEYS
    with RunDirectory.resume(run) as directory:
        assert directory.cut == len(rest)
    assert file.read_bytes() == before


def test_damage_before_the_last_line_is_an_error_and_changes_nothing(run) -> None:
    file = run / "trajectories.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    damaged = b"".join([lines[0], lines[1][:50] + b"\n", lines[2]])
    file.write_bytes(damaged)
    with pytest.raises(RunError, match=r"Line 2 of .*trajectories\.jsonl is not a trajectory"):
        list(read_trajectories(run))
    with pytest.raises(RunError, match="Line 2"), RunDirectory.resume(run):
        pass
    assert file.read_bytes() == damaged


def test_a_complete_but_unknown_last_line_is_an_error_and_stays(run) -> None:
    file = run / "trajectories.jsonl"
    file.write_bytes(file.read_bytes() + b'{"schema_version": "ATIF-v9"}\n')
    before = file.read_bytes()
    with pytest.raises(RunError, match="Line 4"), RunDirectory.resume(run):
        pass
    assert file.read_bytes() == before


def test_failures_are_set_aside_and_nothing_of_them_is_lost(run) -> None:
    lines = (run / "trajectories.jsonl").read_bytes().splitlines(keepends=True)
    with RunDirectory.resume(run) as directory:
        assert directory.set_failures_aside() == 1
        assert list(directory.results) == [KEYS[0], KEYS[2]]
        directory.append(made_trajectory(KEYS[1]))
        assert directory.set_failures_aside() == 0
    assert recorded(run) == [KEYS[0], KEYS[2], KEYS[1]]
    assert (run / "failed.jsonl").read_bytes() == lines[1]
    assert {file.name for file in run.iterdir()} == {"run.json", "trajectories.jsonl", "failed.jsonl"}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "has no run.json"),
        ("", "cannot be read"),
        ("[]", "cannot be read"),
        ('{"begun": 1}', "cannot be read"),
    ],
)
def test_a_directory_without_a_run_is_an_error(tmp_path: Path, content, told) -> None:
    if content is not None:
        (tmp_path / "run.json").write_text(content)
    with pytest.raises(RunError, match=told), RunDirectory.resume(tmp_path):
        pass
    assert not (tmp_path / "trajectories.jsonl").exists()


# --- one process at a time


def test_a_run_directory_is_used_by_one_process_at_a_time(run) -> None:
    assert not is_in_progress(run)
    with RunDirectory.resume(run):
        assert is_in_progress(run)
        with pytest.raises(RunError, match="Another process uses"), RunDirectory.resume(run):
            pass
    assert not is_in_progress(run)


def test_the_lock_of_a_run_ends_with_a_killed_process(run) -> None:
    program = f"""
import sys, pathlib
from codegym_harness.episode_sources.episode_source import Assignment
from codegym_harness.runs.run_directory_writer import RunDirectory
with RunDirectory.resume(pathlib.Path({str(run)!r})):
    print("here", flush=True)
    sys.stdin.read()
"""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with Popen([sys.executable, "-c", program], stdin=PIPE, stdout=PIPE, env=environ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"here\n"
        assert is_in_progress(run)
        process.kill()
        process.wait()
    assert not is_in_progress(run)
