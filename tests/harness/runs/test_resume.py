"""A run that was killed or interrupted is gone on with, as what it was and as nothing else."""

import json
import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from subprocess import PIPE, Popen

import pytest
from pydantic import BaseModel

from codegym_harness.runs.resume_compatibility import check_configuration, check_environments, check_results
from codegym_harness.runs.run_config import RunConfig, recorded_config
from codegym_harness.runs.run_directory_reader import RunStart, read_trajectories
from codegym_harness.runs.run_directory_writer import RunDirectory
from codegym_harness.runs.run_execution import run_evaluation
from codegym_harness.runs.run_index import read_summary
from codegym_harness.runs.run_observer import Observer
from codegym_harness.runs.task_selection import Selection
from codegym_mcp.errors import RunError
from tests.made_runs import Configuration

HERE = Path("runs/mine")


class Inner(BaseModel):
    depth: int = 1
    width: int = 1


class Outer(BaseModel):
    concurrency: int = 8
    inner: Inner = Inner()
    words: tuple[str, ...] = ()


def test_the_same_configuration_is_accepted() -> None:
    check_configuration(HERE, Outer(), Outer())


def test_the_concurrency_may_change_on_resume() -> None:
    check_configuration(HERE, Outer(), Outer(concurrency=2))


def test_another_configuration_is_refused_with_what_differs() -> None:
    with pytest.raises(RunError) as caught:
        check_configuration(HERE, Outer(words=("a",)), Outer(inner=Inner(depth=2), concurrency=1))
    assert caught.value.path == HERE
    assert str(caught.value) == (
        "runs/mine holds a run of another configuration: inner.depth was 1 and is now 2, "
        "words was ['a'] and is now []. "
        "Leave these options out to resume the run as it was started, or start another run."
    )


class WithModel(BaseModel):
    model: dict[str, object] | None = None


def test_a_section_that_differs_is_shown_by_its_name() -> None:
    with pytest.raises(RunError, match="model was 'openai:x' and is now None"):
        check_configuration(HERE, WithModel(model={"name": "openai:x", "turns": 256}), WithModel())


def test_changed_environments_are_refused_by_name() -> None:
    start = RunStart(environments={"a": "1", "b": "2", "gone": "3"})
    check_environments(HERE, start, dict(start.environments))
    with pytest.raises(RunError, match=r"since the run in runs/mine was started: b, new, gone\."):
        check_environments(HERE, start, {"a": "1", "b": "9", "new": "4"})


def test_results_outside_of_the_selection_are_refused() -> None:
    check_results(HERE, ["a/x/1"], ["a/x/1", "a/x/2"])
    with pytest.raises(RunError, match=r"does not select: c/1, c/2, c/3, c/4, c/5 and 2 more\."):
        check_results(HERE, ["a/x/1", *(f"c/{n}" for n in range(1, 8))], ["a/x/1"])


# --- whole runs


@pytest.fixture
def environment(tmp_path, fixtures) -> Path:
    """An environment file of the test's own."""
    return Path(shutil.copy(fixtures / "counter.py", tmp_path / "counter.py"))


async def test_a_run_is_resumed_only_with_its_configuration_and_environments(
    tmp_path: Path, environment: Path
) -> None:
    path = tmp_path / "run"
    config = RunConfig(agent="observe", paths=(environment,), selection=Selection(difficulties=(1,)))
    first = await run_evaluation(config, out=path)
    more = config.model_copy(update={"selection": Selection(difficulties=(1,), tasks=2)})
    with pytest.raises(RunError, match=r"selection\.tasks was None and is now 2"):
        await run_evaluation(more, resume=path)
    again = await run_evaluation(config.model_copy(update={"concurrency": 2}), resume=path)
    assert again == first
    environment.write_text(environment.read_text().replace("4 * difficulty", "5 * difficulty"))
    with pytest.raises(RunError, match=r"have changed since .*: counter\."):
        await run_evaluation(config, resume=path)
    assert read_summary(path) == first


async def test_a_removed_line_is_reported_and_its_episode_is_played_again(
    tmp_path: Path, environment: Path
) -> None:
    path = tmp_path / "run"
    config = RunConfig(agent="observe", paths=(environment,), selection=Selection(difficulties=(1,), tasks=3))
    whole = await run_evaluation(config, out=path)
    file = path / "trajectories.jsonl"
    file.write_bytes(file.read_bytes()[:-40])
    notices = []

    class Listen(Observer):
        def notice(self, message):
            notices.append(message)

    assert await run_evaluation(config, resume=path, observer=Listen()) == whole
    assert [f"{path}/trajectories.jsonl was damaged" in message for message in notices] == [True]
    assert len({each.extra.key for each in read_trajectories(path)}) == 3


def test_a_run_of_another_version_is_refused(tmp_path: Path) -> None:
    with RunDirectory.create(tmp_path / "run", RunConfig(agent="observe", version="0.0.1")):
        pass
    with pytest.raises(RunError, match=r"started by version 0\.0\.1"):
        recorded_config(tmp_path / "run")
    with RunDirectory.create(tmp_path / "other", Configuration()):
        pass
    with pytest.raises(RunError, match="started by version None"):
        recorded_config(tmp_path / "other")


# --- killed

LAUNCHER = """
import json, os, sys
import codegym_mcp.cli.summary_tables, codegym_mcp.cli.evaluate_progress, codegym_harness.runs.run_config
from codegym_mcp.cli import main

for line in sys.stdin:
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        main(json.loads(line))
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
"""Runs command lines, one after the other, each in a process of its own that has all imports already."""

KILLS = 12
TASKS = 60
EPISODE_BYTES = 2200


class Launcher:
    """Runs `codegym-mcp eval`, and kills it."""

    def __init__(self, process: Popen[str], run: Path) -> None:
        self._process = process
        self._file = run / "trajectories.jsonl"

    def size(self) -> int:
        """How many bytes of trajectories there are."""
        return self._file.stat().st_size if self._file.exists() else 0

    def run(self, *arguments: str, kill_at: int | None = None) -> int:
        """Runs it to its end, or until there are so many bytes of trajectories. Returns its exit code."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(["eval", *arguments]) + "\n")
        self._process.stdin.flush()
        child = int(self._process.stdout.readline())
        if kill_at is not None:
            with suppress(ProcessLookupError):  # It has ended by itself, as its exit code will show.
                while self.size() < kill_at:
                    os.kill(child, 0)
                    time.sleep(0.001)
                os.kill(child, signal.SIGKILL)
        return int(self._process.stdout.readline())


@pytest.fixture
def launcher(tmp_path) -> Iterator[Launcher]:
    with (
        (tmp_path / "said").open("w") as notices,
        Popen(
            [sys.executable, "-c", LAUNCHER], stdin=PIPE, stdout=PIPE, stderr=notices, text=True
        ) as process,
    ):
        yield Launcher(process, tmp_path / "run")


def test_killed_at_random_moments_every_episode_is_played_exactly_once(
    tmp_path: Path, environment: Path, launcher
) -> None:
    chance = random.Random(20)
    path = tmp_path / "run"
    begin = ["--agent", "observe", "--environments", str(environment), "--out", str(path)]
    begin += ["--difficulty", "1", "--tasks", str(TASKS), "--epochs", "2", "--concurrency", "4"]
    for _ in range(KILLS):
        # Within the next episodes, or before the first of them is done.
        moment = launcher.size() + chance.randrange(7 * EPISODE_BYTES)
        arguments = ["--resume", str(path)] if (path / "run.json").exists() else begin
        assert launcher.run(*arguments, kill_at=moment) == -signal.SIGKILL
    assert launcher.run("--resume", str(path)) == 0, (tmp_path / "said").read_text()
    asked = {f"counter/d1-s{seed}/{epoch}" for seed in range(TASKS) for epoch in (1, 2)}
    assert Counter(each.extra.key for each in read_trajectories(path)) == dict.fromkeys(asked, 1)
    summary = read_summary(path)
    assert (summary.episodes, summary.missing, summary.verdicts["failed"]) == (len(asked), 0, 0)
    assert not processes_with(str(environment)), "a server outlived the run that started it"


def processes_with(argument: str) -> list[str]:
    """The running processes that were given this argument."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if argument.encode() in (process / "cmdline").read_bytes().split(b"\0"):
                found.append(process.name)
    return found
