"""The command `eval`: how it begins, goes on, is interrupted, and what it prints."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from codegym_harness.runs.run_config import recorded_config
from codegym_harness.runs.run_directory import read_trajectories
from codegym_harness.runs.run_index import read_baselines, read_summary
from codegym_mcp.cli import main
from codegym_mcp.spec.catalog import bundled_path

COUNTER = Path(__file__).parent.parent / "fixtures" / "counter.py"


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ("eval", *arguments))


def evaluate(*arguments: str) -> Result:
    return run("--environments", str(COUNTER), "--difficulty", "1", *arguments)


def test_a_run_prints_its_figures_and_where_it_is():
    result = evaluate("--agent", "oracle", "--tasks", "2", "--epochs", "2", "--out", "mine")
    assert result.exit_code == 0, result.output
    rows = [line.split() for line in result.stdout.splitlines()]
    assert rows[1][:3] == ["counter", "4", "1.000"]
    assert rows[2][:3] == ["all", "4", "1.000"]
    assert ["k", "pass@k", "95", "%", "pass^k", "95", "%", "tasks"] in rows
    assert result.stdout.endswith("\nTrajectories: mine\n")
    assert result.stderr.startswith("oracle: 4 episodes\n")
    listed = CliRunner().invoke(main, ("runs", ".")).stdout
    assert listed.splitlines()[1].split()[-1] == "finished"


def test_only_what_an_audit_found_worth_it_is_played(tmp_path):
    made = tmp_path / "made"
    made.mkdir()
    (made / "counter.py").write_bytes(COUNTER.read_bytes())
    for suffix in (".py", ".jsonl", ".audit.json"):
        name = f"parcel_hunt{suffix}"
        (made / name).write_bytes((bundled_path() / name).read_bytes())
    options = ("--environments", str(made), "--agent", "observe", "--tasks", "1", "--difficulty", "1")
    result = run(*options, "--grade", "B", "--out", "graded", "--json")
    assert result.exit_code == 0, result.output
    assert {each.extra.key for each in read_trajectories(Path("graded"))} == {"parcel_hunt/d1-s0/1"}
    assert recorded_config(Path("graded")).selection.grade == "B"
    assert run("--resume", "graded").exit_code == 0
    nothing = run(*options, "--env", "counter", "--grade", "D", "--out", "nothing")
    assert nothing.exit_code == 1
    assert "1 of them have no current audit. Run: codegym-mcp audit" in nothing.stderr
    assert not Path("nothing").exists()


def test_baselines_play_the_same_tasks_and_stand_beside_the_agent():
    result = evaluate("--agent", "oracle", "--tasks", "2", "--baselines", "--out", "mine", "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["agent"], told["reward"]) == ("oracle", 1.0)
    assert list(told["baselines"]) == ["constant", "observe", "random"]
    keys = {each.extra.key for each in read_trajectories(Path("mine"))}
    for name in told["baselines"]:
        assert {each.extra.key for each in read_trajectories(Path("mine/baselines", name))} == keys
    assert [each.model_dump(mode="json") for each in read_baselines(Path("mine"))] == list(
        told["baselines"].values()
    )


def test_a_run_is_gone_on_with_by_its_directory_alone_or_by_the_same_words():
    begin = ("--agent", "observe", "--tasks", "3", "--out", "mine")
    assert evaluate(*begin).exit_code == 0
    file = Path("mine/trajectories.jsonl")
    whole = read_summary(Path("mine"))
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:2]) + b'{"half":')
    result = run("--resume", "mine", "--concurrency", "1")
    assert result.exit_code == 0, result.output
    assert "trajectories.jsonl was damaged: 8 bytes were cut off" in result.stderr
    assert "observe: 3 episodes, 2 of them recorded before" in result.stderr
    assert read_summary(Path("mine")) == whole
    assert recorded_config(Path("mine")).concurrency == 8
    assert evaluate("--agent", "observe", "--tasks", "3", "--resume", "mine").exit_code == 0


def test_a_run_of_another_configuration_is_refused_before_anything_is_done():
    first = evaluate("--agent", "observe", "--tasks", "2", "--out", "mine", "--json")
    assert json.loads(first.stdout) == json.loads(Path("mine/summary.json").read_text())
    before = Path("mine/trajectories.jsonl").read_bytes()
    result = evaluate("--agent", "random", "--seed", "3", "--tasks", "2", "--resume", "mine")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "another configuration: agent was 'observe' and is now 'random', seed was 0 and is now 3." in (
        result.stderr
    )
    assert run("--resume", "mine", "--tasks", "5").exit_code == 1
    assert Path("mine/trajectories.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        ((), 2, "Say who plays"),
        (("--agent", "oracle", "--resume", "mine", "--out", "other"), 2, "--out is for a new one"),
        (("--resume", "mine"), 1, "mine is no run directory: it has no run.json."),
        (("--agent", "random", "--baselines", "--mcp-url", "http://127.0.0.1:9/mcp"), 1, "scores nothing"),
    ],
)
def test_what_cannot_be_done_is_told(arguments, code, told):
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert told in result.stderr
    assert list(Path().iterdir()) == []


AGENT = """
import anyio

async def play(game):
    if game.task.id.endswith(("s0", "s1")):
        return 1
    await anyio.sleep_forever()
"""


def test_ctrl_c_keeps_what_is_done_and_says_how_to_go_on(tmp_path):
    Path("agent.py").write_text(AGENT)
    command = [sys.executable, "-m", "codegym_mcp.cli", "eval", "--agent", "agent.py:play"]
    command += ["--environments", str(COUNTER), "--difficulty", "1", "--tasks", "4", "--out", "my run"]
    path = Path("my run")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while not (path / "trajectories.jsonl").exists() or len(list(read_trajectories(path))) < 2:
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        printed, said = process.communicate()
    assert (process.returncode, printed) == (130, "")
    assert said.splitlines()[-2:] == [
        "Interrupted. 2 of 4 episodes are recorded in my run.",
        "Go on with: codegym-mcp eval --resume 'my run'",
    ]
    assert "Traceback" not in said
    summary = read_summary(path)
    assert (path / "summary.json").exists()
    assert (summary.episodes, summary.missing) == (2, 2)
    Path("agent.py").write_text(AGENT.replace("await anyio.sleep_forever()", "return 2"))
    assert run("--resume", "my run").exit_code == 0
    assert read_summary(path).missing == 0
