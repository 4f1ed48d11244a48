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
from codegym_harness.runs.run_directory_reader import read_trajectories
from codegym_harness.runs.run_index import read_baselines, read_summary
from codegym_mcp.bundled_environments import bundled_path
from codegym_mcp.cli import main
from tests.conftest import ModelServer

COUNTER = Path(__file__).parent.parent / "fixtures" / "counter.py"


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ("eval", *arguments))


def evaluate(*arguments: str) -> Result:
    return run("--environments", str(COUNTER), "--difficulty", "1", *arguments)


def test_a_run_prints_its_statistics_and_its_directory() -> None:
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


def test_only_environments_with_the_required_grade_are_played(tmp_path: Path) -> None:
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


def test_baselines_play_the_same_tasks_and_are_shown_beside_the_agent() -> None:
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


def test_a_run_is_resumed_by_its_directory_alone_or_with_the_same_options() -> None:
    begin = ("--agent", "observe", "--tasks", "3", "--out", "mine")
    assert evaluate(*begin).exit_code == 0
    file = Path("mine/trajectories.jsonl")
    whole = read_summary(Path("mine"))
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:2]) + b'{"half":')
    result = run("--resume", "mine", "--concurrency", "1")
    assert result.exit_code == 0, result.output
    assert "trajectories.jsonl was damaged: 8 bytes were removed" in result.stderr
    assert "observe: 3 episodes, 2 of them recorded before" in result.stderr
    assert read_summary(Path("mine")) == whole
    assert recorded_config(Path("mine")).concurrency == 8
    assert evaluate("--agent", "observe", "--tasks", "3", "--resume", "mine").exit_code == 0


def test_resuming_with_another_configuration_is_refused_before_anything_is_written() -> None:
    first = evaluate("--agent", "observe", "--tasks", "2", "--out", "mine", "--json")
    assert json.loads(first.stdout) == json.loads(Path("mine/summary.json").read_text())
    before = Path("mine/trajectories.jsonl").read_bytes()
    result = evaluate("--agent", "random", "--seed", "3", "--tasks", "2", "--resume", "mine")
    assert (result.exit_code, result.stdout) == (2, "")
    assert (
        "--agent cannot change on resume: the run in mine was started with observe, and random was given"
        in (result.stderr)
    )
    more = run("--resume", "mine", "--tasks", "5")
    assert more.exit_code == 2
    assert (
        "--tasks cannot change on resume: the run in mine was started with 2, and 5 was given" in more.stderr
    )
    generated = run("--resume", "mine", "--difficulty", "2,3", "--seed", "5-9")
    assert "started with 1, and 2,3 was given" in generated.stderr
    seeds = run("--resume", "mine", "--seed", "5-9")
    assert "started with 0, and 5-9 was given" in seeds.stderr
    assert Path("mine/trajectories.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        ((), 2, "No agent is given"),
        (
            ("--agent", "oracle", "--model", "openai:x"),
            2,
            "--agent oracle and --model openai:x name two agents",
        ),
        (("--agent", "command"), 2, "--agent command needs the program"),
        (("--agent", "oracle", "--command", "x"), 2, "--command is for --agent command"),
        (("--agent", "oracle", "--seed", "9-3"), 2, "The range 9-3 ends before it begins"),
        (("--agent", "oracle", "--seed", "many"), 2, "'many' is neither a seed"),
        (("--agent", "oracle", "--difficulty", "1,6"), 2, "'1,6' is not a difficulty"),
        (("--agent", "oracle", "--resume", "mine", "--out", "other"), 2, "--out is for a new one"),
        (("--resume", "mine"), 1, "mine is no run directory: it has no run.json."),
        (("--agent", "random", "--baselines", "--mcp-url", "http://127.0.0.1:9/mcp"), 1, "scores nothing"),
    ],
)
def test_contradicting_options_are_explained(arguments, code, told) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert told in result.stderr
    assert list(Path().iterdir()) == []


def test_a_run_plays_difficulties_seeds_and_single_tasks_and_records_which() -> None:
    result = run(
        *("--environments", str(COUNTER), "--agent", "observe", "--out", "mine", "--json"),
        *("--difficulty", "1,2", "--difficulty", "4", "--seed", "100-101", "--task", "d5-s7"),
    )
    assert result.exit_code == 0, result.output
    tasks = ["d5-s7", *(f"d{level}-s{seed}" for level in (1, 2, 4) for seed in (100, 101))]
    assert {each.extra.task for each in read_trajectories(Path("mine"))} == set(tasks)
    assert json.loads(Path("mine/run.json").read_text())["begun"]["tasks"] == {"counter": tasks}
    recorded = {each.extra.task: each.extra for each in read_trajectories(Path("mine"))}
    assert (recorded["d2-s101"].difficulty, recorded["d2-s101"].seed) == (2, 101)
    assert all(each.oracle_calls for each in recorded.values())
    assert run("--resume", "mine").exit_code == 0


def test_a_seed_shifts_the_generated_tasks() -> None:
    assert evaluate("--agent", "oracle", "--seed", "100", "--tasks", "2", "--out", "mine").exit_code == 0
    (first, second) = sorted(read_trajectories(Path("mine")), key=lambda each: each.extra.key)
    assert (first.extra.task, second.extra.task) == ("d1-s100", "d1-s101")
    assert first.extra.oracle_calls == first.extra.calls


def test_a_folder_that_is_no_run_is_refused_and_nothing_in_it_is_overwritten() -> None:
    Path("mine").mkdir()
    Path("mine/summary.json").write_text("my own")
    result = evaluate("--agent", "oracle", "--out", "mine")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "mine is not empty and is not a run directory: it holds summary.json." in result.stderr
    assert Path("mine/summary.json").read_text() == "my own"
    assert [path.name for path in Path("mine").iterdir()] == ["summary.json"]


def failing_model(server: ModelServer, message: str) -> tuple[str, ...]:
    """The options for a model whose provider always fails."""
    script = server.script({"status": 500, "body": {"error": {"message": message}}})
    return ("--model", f"openai:{script}", "--base-url", f"{server.url}/v1", "--attempts", "2")


def test_a_provider_that_always_fails_is_reported_live_and_at_the_end(openai_server: ModelServer) -> None:
    options = failing_model(openai_server, "out of \x1b[31mmemory\x9b")
    result = evaluate(*options, "--tasks", "2", "--out", "mine")
    assert result.exit_code == 1
    assert "retrying: status 500, attempt 1" in result.stderr
    assert "2 of 2 episodes failed without the agent's fault and are not scored" in result.stderr
    assert "Resume with: codegym-mcp eval --resume mine" in result.stderr
    assert "Errors:" in result.stdout
    assert "  2 x ModelError: " in result.stdout
    assert "fault of the model's provider" in result.stdout
    assert not {"\x1b", "\x9b"} & set(result.output)
    listed = CliRunner().invoke(main, ("runs", ".")).stdout.splitlines()[1]
    assert "2 failed: ModelError: " in listed


def test_a_model_that_never_calls_a_tool_is_pointed_out(openai_server: ModelServer) -> None:
    script = openai_server.script({"say": {"text": "The answer is <tool_call>1</tool_call>."}})
    result = evaluate("--model", f"openai:{script}", "--base-url", f"{openai_server.url}/v1", "--out", "mine")
    assert result.exit_code == 0, result.output
    assert "In 1 of 1 episodes the agent called no tool and submitted nothing." in result.stdout
    assert "The model never called a tool. Does its server parse tool calls?" in result.stdout
    assert "The model stopped early: 1 text." in result.stdout


def test_loopback_addresses_are_never_reached_through_a_proxy(
    openai_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    result = evaluate("--agent", "oracle", "--out", "mine", "--json")
    assert json.loads(result.stdout)["reward"] == 1.0
    model = ("--model", "openai:climber", "--base-url", f"{openai_server.url}/v1")
    assert json.loads(evaluate(*model, "--out", "model", "--json").stdout)["reward"] == 1.0


def test_what_a_function_prints_is_not_in_the_json() -> None:
    Path("mine.py").write_text("def play(game):\n    print('printed')\n    return 1\n")
    result = evaluate("--agent", "mine.py:play", "--out", "mine", "--json")
    assert json.loads(result.stdout)["episodes"] == 1
    assert "printed" in result.stderr
    assert "printed" in evaluate("--agent", "mine.py:play", "--out", "plain").stdout


AGENT = """
import anyio

async def play(game):
    if game.task.id.endswith(("s0", "s1")):
        return 1
    await anyio.sleep_forever()
"""


def test_ctrl_c_keeps_recorded_episodes_and_prints_the_resume_command(tmp_path: Path) -> None:
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
        "Resume with: codegym-mcp eval --resume 'my run'",
    ]
    assert "Traceback" not in said
    summary = read_summary(path)
    assert (path / "summary.json").exists()
    assert (summary.episodes, summary.missing) == (2, 2)
    Path("agent.py").write_text(AGENT.replace("await anyio.sleep_forever()", "return 2"))
    assert run("--resume", "my run").exit_code == 0
    assert read_summary(path).missing == 0
