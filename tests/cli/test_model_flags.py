"""`codegym-mcp eval --model`, from the command line to the files of the run."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from codegym_harness.runs.run_directory_reader import read_trajectories
from codegym_mcp.cli import main
from tests.conftest import ModelServer

COUNTER = str(Path(__file__).parents[1] / "fixtures" / "counter.py")


def evaluate(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Executes the command as a process."""
    command = [sys.executable, "-m", "codegym_mcp.cli", "eval", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, env={**os.environ, **environment}, check=False
    )


@pytest.fixture
def climber(openai_server: ModelServer) -> tuple[str, ...]:
    """The options for a model that plays the counter."""
    model = ("--model", "openai:climber", "--base-url", f"{openai_server.url}/v1")
    return ("--environments", COUNTER, *model)


def test_a_model_is_evaluated_from_end_to_end(climber: tuple[str, ...], tmp_path: Path) -> None:
    prompt = tmp_path / "prompt.txt"
    prompt.write_text("Find the bell, then call {submission}.")
    out = tmp_path / "run"
    tasks = ("--env", "counter", "--difficulty", "2", "--tasks", "3", "--epochs", "2", "--concurrency", "4")
    sampling = ("--temperature", "0.5", "--top-p", "0.9", "--max-tokens", "99", "--sampling-seed", "7")
    limits = ("--model-concurrency", "3", "--max-total-tokens", "1000000", "--turns", "50")
    done = evaluate(
        *climber,
        *tasks,
        *sampling,
        *limits,
        "--system-prompt",
        f"@{prompt}",
        "--api-key-env",
        "MY_SECRET_KEY",
        "--out",
        str(out),
        "--json",
        MY_SECRET_KEY="sk-very-secret",
    )
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert (summary["agent"], summary["episodes"], summary["reward"]) == ("openai:climber", 6, 1.0)
    trajectories = list(read_trajectories(out))
    assert len(trajectories) == 6
    for trajectory in trajectories:
        assert trajectory.steps[0].message == "Find the bell, then call submit_answer."
        assert trajectory.final_metrics.total_completion_tokens == 10 * (len(trajectory.steps) - 2)
    run = json.loads((out / "run.json").read_text())
    assert run["model"]["name"] == "openai:climber"
    assert run["model"]["system_prompt"] == prompt.read_text()
    assert {name: run["model"][name] for name in ("temperature", "top_p", "max_tokens", "seed", "turns")} == {
        "temperature": 0.5,
        "top_p": 0.9,
        "max_tokens": 99,
        "seed": 7,
        "turns": 50,
    }
    assert run["model"]["tool_choice"] == "auto"
    assert run["model"]["api_key_variable"] == "MY_SECRET_KEY"
    for path in out.rglob("*"):
        assert path.is_dir() or "sk-very-secret" not in path.read_text()
    assert "sk-very-secret" not in done.stderr + done.stdout


def test_a_limit_of_tokens_ends_the_run_and_a_higher_one_resumes_it(
    climber: tuple[str, ...], tmp_path: Path
) -> None:
    out = tmp_path / "run"
    tasks = ("--difficulty", "1", "--tasks", "4", "--concurrency", "1", "--out", str(out))
    done = evaluate(*climber, *tasks, "--max-total-tokens", "1500")
    assert done.returncode == 1
    assert "the limit is 1500. Raise the limit with --max-total-tokens." in done.stderr
    kept = [each.extra.key for each in read_trajectories(out)]
    assert 0 < len(kept) < 4
    again = evaluate("--resume", str(out), "--max-total-tokens", "1500")
    assert again.returncode == 1
    assert [each.extra.key for each in read_trajectories(out)] == kept
    more = evaluate("--resume", str(out), "--max-total-tokens", "70000", "--json")
    assert more.returncode == 0, more.stderr
    assert json.loads(more.stdout)["episodes"] == 4
    keys = [each.extra.key for each in read_trajectories(out)]
    assert len(set(keys)) == len(keys) == 4
    assert keys[: len(kept)] == kept


def test_a_model_that_cannot_be_used_is_reported_before_the_first_episode(
    openai_server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv("BAD_KEY", "sk-bad-key")
    base_url = ("--base-url", f"{openai_server.url}/v1")
    for arguments, words in (
        (("--model", "opnai:x"), "Did you mean openai"),
        (("--model", "gpt-6-luna"), "named without its provider"),
        (("--model", "openai"), "names a provider, and no model. Write the model behind it: openai:MODEL"),
        (("--model", "ollama:"), "names a provider, and no model. Write the model behind it: ollama:MODEL"),
        (("--model", ":small"), "named without its provider"),
        (("--model", "openai:x"), "OPENAI_API_KEY is not set"),
        (("--model", "openai:nowhere", *base_url), "does not know openai:nowhere"),
        (("--model", "openai:climber", *base_url, "--api-key-env", "BAD_KEY"), "Check the key"),
        (("--model", "openai:climber", "--base-url", "http://127.0.0.1:1/v1"), "cannot be reached"),
        (("--model", "openai:climber", *base_url, "--max-cost", "1"), "price of this model is not known"),
    ):
        out = tmp_path / "run"
        done = CliRunner().invoke(main, ["eval", "--environments", COUNTER, *arguments, "--out", str(out)])
        assert done.exit_code == 1
        assert words in done.output
        assert "sk-bad-key" not in done.output
        assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "No agent is given"),
        (("--agent", "oracle", "--model", "openai:x"), "name two agents"),
        (("--agent", "oracle", "--temperature", "1"), "--temperature needs --model"),
        (("--model", "openai:x", "--extra-body", "[1]"), "not a JSON object"),
        (("--model", "openai:x", "--extra-body", "{"), "not JSON"),
        (("--model", "openai:x", "--system-prompt", "@nowhere.txt"), "nowhere.txt cannot be read"),
        (("--model", "openai:x", "--base-url", "here"), "--base-url: an address is needed"),
        (("--model", "openai:x", "--tool-format", "xml"), "'hermes'"),
        (("--model", "openai:x", "--max-tokens-field", "tokens"), "'max_completion_tokens'"),
    ],
)
def test_options_that_do_not_fit_are_explained(arguments: Any, words: str) -> None:
    done = CliRunner().invoke(main, ["eval", *arguments])
    assert done.exit_code == 2
    assert words in done.output
    assert "Value error" not in done.output


def test_a_server_without_an_address_is_reported() -> None:
    done = CliRunner().invoke(main, ["eval", "--model", "ollama:qwen3"], env={"OLLAMA_BASE_URL": ""})
    assert done.exit_code == 1
    assert "--base-url http://127.0.0.1:11434/v1" in done.output


def test_a_model_that_writes_calls_as_text_plays_with_a_tool_format(
    openai_server: ModelServer, tmp_path: Path
) -> None:
    listen = {"say": {"text": '<tool_call>{"name": "listen", "arguments": {}}</tool_call>'}}
    submit = {"say": {"text": '<tool_call>{"name": "submit_answer", "arguments": {"answer": 0}}</tool_call>'}}
    name = openai_server.script(listen, submit)
    out = tmp_path / "run"
    done = evaluate(
        *("--environments", COUNTER, "--difficulty", "1", "--out", str(out), "--tool-format", "hermes"),
        *("--model", f"openai:{name}", "--base-url", f"{openai_server.url}/v1"),
    )
    assert done.returncode == 0, done.stderr
    (trajectory,) = read_trajectories(out)
    made = [call.function_name for step in trajectory.steps for call in step.tool_calls or []]
    assert made == ["listen", "submit_answer"]
    assert trajectory.extra.state == "submitted"


def test_no_model_is_reached_through_the_proxy_of_the_environment(
    climber: tuple[str, ...], tmp_path: Path
) -> None:
    out = tmp_path / "run"
    proxy = "http://127.0.0.1:9"
    done = evaluate(
        *climber,
        *("--difficulty", "1", "--out", str(out)),
        HTTP_PROXY=proxy,
        http_proxy=proxy,
        NO_PROXY="",
        no_proxy="",
    )
    assert done.returncode == 0, done.stderr
    assert [each.extra.outcome for each in read_trajectories(out)] == ["correct"]


def say(*calls: tuple[str, Any], **more: Any) -> dict[str, Any]:
    made = [{"id": f"c{n}", "name": name, "arguments": given} for n, (name, given) in enumerate(calls)]
    return {"say": {"calls": made, **more}}


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_failures_of_the_provider_and_errors_of_the_model_are_recorded(
    provider: str, openai_server: ModelServer, anthropic_server: ModelServer, tmp_path: Path
) -> None:
    server = {"openai": openai_server, "anthropic": anthropic_server}[provider]
    base_url = {"openai": f"{server.url}/v1", "anthropic": server.url}[provider]
    name = server.script(
        *({"status": 429, "headers": {"Retry-After": "0"}}, say(("listen", {}), ("move", {"floors": "x"}))),
        *({"status": 500, "body": {"error": {"message": "not for sk-very-secret"}}},),
        say(text="The bell must be near."),
        *({"fault": "cut"}, say(("fly", {}))),
        *({"fault": "garbage"}, say(("submit_answer", {"answer": 0}), ("listen", {}))),
    )
    out = tmp_path / "run"
    done = evaluate(
        *("--environments", COUNTER, "--difficulty", "1", "--out", str(out)),
        *("--model", f"{provider}:{name}", "--base-url", base_url, "--api-key-env", "MY_SECRET_KEY"),
        MY_SECRET_KEY="sk-very-secret",
    )
    assert done.returncode == 0, done.stderr
    (sent, *_) = server.requests(name)
    assert "sk-very-secret" in json.dumps(sent["headers"])
    assert "sk-very-secret" not in done.stdout + done.stderr
    assert all("sk-very-secret" not in path.read_text() for path in out.rglob("*") if path.is_file())
    (trajectory,) = read_trajectories(out)
    _, _, both, text, reminder, unknown, last = trajectory.steps
    failures = [step.metrics.extra.failed_attempts for step in (both, text, unknown, last)]
    assert failures[1][0].error == "status 500: not for [key]"
    assert [[each.status for each in failed] for failed in failures] == [[429], [500], [None], [None]]
    assert [result.extra.is_error for result in both.observation.results] == [False, True]
    assert (text.message, text.tool_calls) == ("The bell must be near.", None)
    assert (reminder.source, "not called a tool" in reminder.message) == ("user", True)
    assert unknown.tool_calls[0].extra.invalid == "unknown_tool"
    assert [result.extra.by for result in last.observation.results] == ["server", "agent"]
    record = trajectory.extra
    assert (record.outcome, record.state, record.calls, record.error) == ("incorrect", "submitted", 3, None)


def test_an_episode_in_which_the_provider_failed_is_not_scored_and_is_played_again(
    openai_server: ModelServer, tmp_path: Path
) -> None:
    name = openai_server.script({"status": 500, "body": {"error": {"message": "boom"}}})
    out = tmp_path / "run"
    begin = ("--environments", COUNTER, "--difficulty", "1", "--out", str(out), "--attempts", "1", "--json")
    done = evaluate(*begin, "--model", f"openai:{name}", "--base-url", f"{openai_server.url}/v1")
    summary = json.loads(done.stdout)
    assert (summary["reward"], summary["verdicts"]["failed"]) == (None, 1)
    (failed,) = read_trajectories(out)
    assert (failed.extra.outcome, failed.extra.error.fault) == ("failed", "provider")
    openai_server.set_script(name, say(("submit_answer", {"answer": 0})))
    again = evaluate("--resume", str(out), "--json")
    assert again.returncode == 0, again.stderr
    (played,) = read_trajectories(out)
    assert played.extra.outcome == "incorrect"
    assert json.loads((out / "failed.jsonl").read_text()) == json.loads(failed.to_json())
