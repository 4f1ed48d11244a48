"""The commands `runs`, `compare` and `show` on what evaluations left."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from codegym_harness.agents.model_agent import ModelAgentOptions
from codegym_harness.runs.run_config import RunConfig
from codegym_harness.runs.run_directory_reader import RunStart
from codegym_harness.runs.run_directory_writer import RunDirectory
from codegym_mcp.cli import main
from codegym_mcp.terminal_text import escape_control_characters
from tests.made_runs import made_call, made_run, made_trajectory

BEFORE = {"lift/low/1": "correct", "lift/high/1": "incorrect", "vault/red/1": "incorrect"}
AFTER = {"lift/low/1": "correct", "lift/high/1": "correct", "vault/red/1": "incorrect"}


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    """Two runs, under `runs` in the working directory."""
    monkeypatch.chdir(tmp_path)
    made_run(tmp_path / "runs" / "before", BEFORE, agent="observe")
    made_run(
        tmp_path / "runs" / "after", AFTER, agent="oracle", missing=2, at="2026-05-05T05:05:05.000+00:00"
    )


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def table(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


# --- runs


def test_runs_are_listed() -> None:
    result = run("runs")
    assert result.exit_code == 0
    assert table(result.stdout) == [
        ["run", "agent", "started", "episodes", "reward", "state"],
        ["runs/before", "observe", "2026-01-02", "03:04", "3", "0.333", "finished"],
        ["runs/after", "oracle", "2026-05-05", "05:05", "3", "of", "5", "0.667", "interrupted"],
    ]


def test_runs_are_listed_as_json() -> None:
    listed = json.loads(run("runs", "runs", "--json").stdout)
    assert [(entry["path"], entry["state"], entry["missing"]) for entry in listed] == [
        ("runs/before", "finished", 0),
        ("runs/after", "interrupted", 2),
    ]


def test_a_missing_directory_of_runs_is_an_error() -> None:
    result = run("runs", "absent")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: There is no directory absent. `codegym-mcp eval` creates runs.\n"


# --- compare


def test_two_runs_are_compared() -> None:
    result = run("compare", "runs/before", "runs/after")
    assert result.exit_code == 0
    rows = {cells[0]: cells[1:] for cells in table(result.stdout) if cells}
    assert rows["lift"][:4] == ["2", "0.500", "1.000", "+0.500"]
    assert rows["lift"][-3:] == ["1", "0", "1"]
    assert rows["vault"] == ["1", "0.000", "0.000", "+0.000", "-", "0", "0", "1"]
    assert rows["all"][:4] == ["3", "0.333", "0.667", "+0.333"]


def test_a_comparison_as_json_has_all_statistics() -> None:
    compared = json.loads(run("compare", "runs/before", "runs/after", "--json").stdout)
    assert (compared["tasks"], compared["better"], compared["worse"], compared["same"]) == (3, 1, 0, 2)
    assert compared["difference"]["mean"] == pytest.approx(1 / 3)
    assert compared["environments"]["lift"]["tasks"] == 2


def test_runs_that_cannot_be_compared_are_an_error(tmp_path: Path) -> None:
    made_run(tmp_path / "other", {"nothing/alike/1": "correct"})
    result = run("compare", "runs/before", "other")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "runs/before and other have no scored task in common." in result.stderr


# --- show


def test_a_run_is_shown_with_its_episodes_and_baselines(tmp_path: Path) -> None:
    made_run(tmp_path / "runs" / "before" / "baselines" / "random", BEFORE, agent="random")
    result = run("show", "runs/before")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "observe"
    assert lines[2].split()[-1] == "random"
    assert [line.split()[2] for line in lines[3:6]] == ["0.500", "0.000", "0.333"]
    assert "lift/high/1  incorrect, 0 calls" in lines
    shown = json.loads(run("show", "runs/before", "--json").stdout)
    assert shown["episodes"] == len(shown["results"]) == 3
    assert shown["baselines"]["random"]["reward"] == pytest.approx(1 / 3)


def test_missing_episodes_of_a_run_are_reported() -> None:
    assert "Interrupted: 2 episodes are still to be played." in run("show", "runs/after").stdout


CALLS = [
    made_call("look", {}, "a floor\n[bold]and[/bold] a bell"),
    made_call("move", {"floors": 99, "why": "Über"}, "too far", error=True),
    made_call("look", {}, "x" * 1000),
    made_call("submit_answer", {"answer": 3}, "received"),
]


@pytest.fixture
def episode(tmp_path) -> str:
    """The key of an episode of runs/before with something in it."""
    with RunDirectory.resume(tmp_path / "runs" / "before") as directory:
        directory.append(made_trajectory("lift/full/1", played=CALLS, oracle_calls=2, limits_met=["calls"]))
    return "lift/full/1"


@pytest.mark.parametrize("split", [False, True])
def test_an_episode_is_printed_readably(episode, split) -> None:
    result = run("show", "runs/before", episode) if split else run("show", f"runs/before/{episode}")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "lift/full/1  someone",
        "",
        "user:",
        "    Find the floor of the bell.",
        "",
        "2. look()",
        "    a floor",
        "    [bold]and[/bold] a bell",
        "",
        '3. move(floors=99, why="Über")',
        "    too far",
        "",
        "4. look()",
        f"    {'x' * 600} … (400 more characters)",
        "",
        "5. submit_answer(answer=3)",
        "    received",
        "",
        "correct, reward 1; 4 calls (the oracle needs 2), 1.0 s",
        "Limits met: calls",
    ]


def test_the_option_full_shortens_nothing(episode) -> None:
    assert "x" * 1000 in run("show", "runs/before", episode, "--full").stdout


def test_an_episode_as_json_is_its_trajectory(episode) -> None:
    shown = json.loads(run("show", "runs/before", episode, "--json").stdout)
    made = made_trajectory(episode, played=CALLS, oracle_calls=2, limits_met=["calls"])
    assert shown == json.loads(made.to_json())


def test_the_error_for_a_missing_episode_suggests_similar_keys() -> None:
    result = run("show", "runs/before/lift/lo/1")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "There is no episode named 'lift/lo/1'. Did you mean lift/low/1" in result.stderr


def test_an_environment_has_no_episodes() -> None:
    result = run("show", "night_courier", "lift/low/1")
    assert result.exit_code == 2
    assert "night_courier is no run directory" in result.stderr


def test_a_directory_without_a_run_is_read_as_the_name_of_an_environment(tmp_path: Path) -> None:
    (tmp_path / "night_courier").mkdir()
    assert json.loads(run("show", "night_courier", "--json").stdout)["name"] == "night_courier"


def test_something_in_the_folder_of_runs_is_taken_for_a_run(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    for what in ("runs/none", "runs/before2/lift/low/1", "elsewhere"):
        result = run("show", what)
        assert (result.exit_code, result.stdout) == (1, "")
        assert f"There is no run {what}" in result.stderr
        assert "`codegym-mcp runs` lists runs." in result.stderr
    assert "There is no environment named 'night_couriers'" in run("show", "night_couriers").stderr


def test_malformed_calls_and_calls_after_the_end_are_shown_as_they_were_written(tmp_path: Path) -> None:
    calls = [
        made_call("move", {}, "no", error=True, raw_arguments='{"floors": 1', invalid="malformed_arguments"),
        made_call("look", {"x": 1}, "over", error=True, invalid="after_end"),
    ]
    with RunDirectory.resume(tmp_path / "runs" / "before") as directory:
        directory.append(made_trajectory("lift/full/1", played=calls, malformed_calls=1))
    shown = run("show", "runs/before/lift/full/1").stdout
    assert '2. move({"floors": 1)  [malformed arguments]' in shown
    assert "3. look(x=1)  [after end]" in shown
    assert "Malformed calls: 1" in shown


def test_a_killed_run_is_listed_under_the_name_of_its_model(tmp_path: Path) -> None:
    config = RunConfig(model=ModelAgentOptions(name="openai:small"))
    with RunDirectory.create(tmp_path / "runs" / "killed", config, RunStart(at="2027", episodes=3)):
        pass
    (line,) = [line for line in run("runs").stdout.splitlines() if "killed" in line]
    assert "openai:small" in line
    assert line.endswith("interrupted")
    assert run("show", "runs/killed").stdout.startswith("openai:small\n")


@pytest.mark.parametrize("control", ["\x1b[31m", "\x9b2J", "\r", "\x07", "\x7f", "\u202e", "\ud800"])
def test_control_characters_of_an_agent_or_an_environment_never_reach_the_terminal(
    tmp_path: Path, control: str
) -> None:
    calls = [made_call(f"look{control}", {f"a{control}": f"b{control}"}, f"seen{control}")]
    trajectory = made_trajectory(f"lift{control}/full/1", played=calls)
    trajectory.steps[1].message = f"said{control}"
    if control != "\ud800":  # JSON files cannot hold it.
        with RunDirectory.resume(tmp_path / "runs" / "before") as directory:
            directory.append(trajectory)
        for arguments in (
            ("show", f"runs/before/lift{control}/full/1"),
            ("show", "runs/before"),
            ("show", f"runs/before/{control}"),
            ("show", "runs/before", "--json"),
            ("show", f"runs/{control}"),
            ("compare", "runs/before", f"runs/{control}"),
        ):
            assert control not in run(*arguments).output, arguments
    assert control not in escape_control_characters(f"a{control}b")
