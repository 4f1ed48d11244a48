"""Runs that the code of viewers reads back: of the oracle, of random play, and of a model, with everything."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from codegym_harness.export.export import export
from codegym_harness.records.trajectory import Fault, RolloutError, StopReason, Trajectory
from codegym_harness.runs.run_directory_reader import read_trajectories
from codegym_harness.runs.run_directory_writer import RunDirectory
from tests.conversations import agent, asked, example, metrics, refused, trajectory, user
from tests.made_runs import Configuration

HOSTILE = '<script>alert(1)</script> \x1b[31m \u202e \u2028 <|im_end|> ü 🔔 \\ "'


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """The viewers are installed only where these tests are asked for."""
    return None if config.option.markexpr == "viewers" else True


def model_episodes() -> list[Trajectory]:
    """Episodes with parallel calls, reasoning, refusals, malformed arguments, failures and hostile texts."""
    priced = agent(HOSTILE, asked("look", {}, HOSTILE), asked("look", {"a": [1.5, None, {"b": HOSTILE}]}, ""))
    priced.reasoning_content = HOSTILE
    priced.model_name = "test-model-1"
    priced.metrics = metrics(cost_usd=0.25, cached_tokens=3)
    malformed = agent(
        "", asked("move", {}, "not JSON", raw_arguments='{"floors": ', invalid="malformed_arguments")
    )
    failure = RolloutError(fault=Fault.PROVIDER, kind="ModelError", message=HOSTILE)
    many = [agent(f"turn {number}", asked("look", {"n": number}, str(number))) for number in range(256)]
    return [
        example(),
        trajectory(user("Go."), priced, malformed, key="lift/priced/1", outcome="incorrect"),
        trajectory(user("Go."), agent("", asked("look", {}, None)), key="lift/cut/1"),
        trajectory(
            user("Go."),
            agent("I cannot."),
            key="lift/talk/1",
            outcome="no_submission",
            stop=StopReason.REFUSAL,
        ),
        trajectory(user("Go."), key="lift/failed/1", outcome="failed", error=failure),
        trajectory(
            user("Go."), refused(agent("", asked("move", {"floors": 99}, "No."))), key="lift/refused/2"
        ),
        trajectory(user("Go."), *many, key="lift/long/1", outcome="unscored"),
    ]


@pytest.fixture(scope="session")
def model_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "model"
    with RunDirectory.create(run, Configuration()) as directory:
        for record in model_episodes():
            directory.append(record)
    return run


def played(folder: Path, name: str) -> Path:
    """A run of a built-in agent over one task of every bundled environment, made by the command."""
    command = [sys.executable, "-m", "codegym_mcp.cli", "eval", "--agent", name, "--tasks", "1"]
    subprocess.run([*command, "--out", str(folder / name)], check=True, timeout=300)
    return folder / name


@pytest.fixture(scope="session")
def oracle_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return played(tmp_path_factory.mktemp("runs"), "oracle")


@pytest.fixture(scope="session")
def random_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return played(tmp_path_factory.mktemp("runs"), "random")


@pytest.fixture(params=["oracle_run", "random_run", "model_run"])
def run(request: pytest.FixtureRequest) -> Path:
    found: Path = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def recorded(run: Path) -> dict[str, Trajectory]:
    """What was played, by key."""
    return {each.extra.key: each for each in read_trajectories(run)}


@pytest.fixture
def exported(run: Path, tmp_path: Path, recorded: dict[str, Trajectory]) -> Callable[[str, str], Path]:
    """Exports the run in a format to a place of this name, and gives the place."""

    def write(name: str, place: str) -> Path:
        summary = export([run], name, tmp_path / place)
        assert summary.kept == len(recorded)
        return tmp_path / place

    return write
