"""What the tests of trainers' code share."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from codegym_harness.export.export import export
from codegym_harness.records.trajectory import Trajectory
from codegym_harness.runs.run_directory_reader import read_trajectories
from codegym_harness.runs.run_directory_writer import RunDirectory
from tests.conversations import agent, asked, example, trajectory, user
from tests.made_runs import Configuration


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """The trainers are installed only where these tests are asked for, so that no others may read them."""
    return None if config.option.markexpr == "trainers" else True


@pytest.fixture(autouse=True)
def offline(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is fetched, and nothing is kept between tests."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", str(tmp_path_factory.mktemp("datasets")))


@pytest.fixture(scope="session")
def oracle_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the oracle over two tasks of every bundled environment, made by the command."""
    run = tmp_path_factory.mktemp("runs") / "oracle"
    command = [sys.executable, "-m", "codegym_mcp.cli", "eval", "--agent", "oracle", "--tasks", "2"]
    subprocess.run([*command, "--out", str(run)], check=True, timeout=300)
    return run


@pytest.fixture(scope="session")
def model_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with everything that a conversation may hold: see `conversations.EXAMPLE`."""
    run = tmp_path_factory.mktemp("runs") / "model"
    wide = {
        "text": "<|im_end|> ü 🔔 \u2028 \\",
        "none": None,
        "nested": [{"a": {"b": [1.5, None]}}, []],
        "": "",
    }
    with RunDirectory.create(run, Configuration()) as directory:
        for record in (
            example(),
            trajectory(user("Go."), agent("", asked("look", wide, "")), key="lift/wide/1"),
            trajectory(user("Go."), agent("", asked("look", {}, None)), key="lift/cut/1"),
            trajectory(user("Go."), agent("I cannot."), key="lift/talk/1"),
        ):
            directory.append(record)
    return run


@pytest.fixture(params=["oracle_run", "model_run"])
def recorded(request: pytest.FixtureRequest) -> list[Trajectory]:
    """What was played."""
    return list(read_trajectories(request.getfixturevalue(request.param)))


@pytest.fixture(params=["jsonl", "parquet"])
def exported(
    request: pytest.FixtureRequest, recorded: list[Trajectory], tmp_path: Path
) -> Callable[[str], Path]:
    """Writes what was played in a format, and gives the file."""

    def write(name: str) -> Path:
        with RunDirectory.create(tmp_path / "run", Configuration()) as directory:
            for record in recorded:
                directory.append(record)
        out = tmp_path / f"{name}.{request.param}"
        assert export([tmp_path / "run"], name, out).kept == len(recorded)
        return out

    return write
