"""verifiers' `NeMoGymTaskset` plays and validates tasks of the server, by verifiers' own commands.

verifiers needs another version of `mcp` than this project, so it has a virtual environment of its own.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import codegym_mcp
from codegym_mcp.server.background_server import Server
from tests.interop.bundled import bundled_tasks
from tests.server.serving import ENVIRONMENTS
from tests.trainers.scripted_model import scripted_model

pytestmark = pytest.mark.trainers

COMMANDS = Path(__file__).parents[2] / ".venv-verifiers" / "bin"
PLAYED = ("night_courier", "refund_desk", "crew_rota")
TASKS = [task for task in bundled_tasks() if task.environment in PLAYED]
CONFIGURATION = """
model = "scripted"
push = false

[client]
base_url = "{model}"
api_key_var = "SCRIPTED_KEY"

[env.agent]
harness = {{ id = "null" }}
runtime = {{ type = "subprocess" }}

[env.taskset]
id = "nemo_gym"
dataset = "rows.jsonl"

[env.taskset.task]
resources_url = "{url}"
headers = {{ Authorization = "Bearer {token}" }}
"""
VALIDATION = """
[runtime]
type = "subprocess"

[taskset]
id = "nemo_gym"
dataset = "rows.jsonl"

[taskset.task]
resources_url = "{url}"
headers = {{ Authorization = "Bearer {token}" }}
"""


@pytest.fixture
def server() -> Iterator[Server]:
    with codegym_mcp.serve(["bundled", ENVIRONMENTS / "fragile.py"], protocols=["nemo-gym"]) as serving:
        yield serving


def write_rows(folder: Path, *rows: tuple[str, str]) -> None:
    """Writes a data set; the text of a task is its environment's name, by which the model knows its calls."""
    with (folder / "rows.jsonl").open("w") as file:
        for environment, task in rows:
            request = {"input": [{"role": "user", "content": f"Play {environment}."}], "tools": []}
            row = {"responses_create_params": request, "environment": environment, "task": task}
            file.write(json.dumps(row) + "\n")


def run(folder: Path, command: str, configuration: str, *arguments: str) -> str:
    (folder / "run.toml").write_text(configuration)
    path = f"{COMMANDS}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [COMMANDS / command, "@", "run.toml", *arguments],
        cwd=folder,
        env={**os.environ, "PATH": path, "SCRIPTED_KEY": "none"},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def read_traces(folder: Path) -> dict[str, dict[str, Any]]:
    """The traces of a run, by the environment."""
    (file,) = folder.glob("outputs/*/traces.jsonl")
    traces = [trace for line in file.read_text().splitlines() for trace in json.loads(line)["traces"]]
    return {trace["task"]["data"]["row"]["environment"]: trace for trace in traces}


def test_a_model_plays_and_is_paid_and_an_episode_that_is_not_scored_is_an_error(
    server: Server, tmp_path: Path
) -> None:
    write_rows(tmp_path, *((task.environment, task.id) for task in TASKS), ("fragile", "unjudged"))
    scripts = {f"Play {task.environment}.": [*task.calls, _submission(task)] for task in TASKS}
    scripts["Play fragile."] = [("submit_answer", {"answer": 0})]
    with scripted_model(scripts) as model:
        run(tmp_path, "vf-eval", CONFIGURATION.format(model=model, url=server.url, token=server.token))
    traces = read_traces(tmp_path)
    for task in TASKS:
        trace = traces[task.environment]
        assert trace["errors"] == []
        assert trace["rewards"]["nemo_gym"]["score"] == 1.0
        assert trace["info"]["nemo_gym"]["codegym_outcome"] == "correct"
        assert trace["metrics"]["codegym_calls"] == len(task.calls)
    unscored = traces["fragile"]
    assert "409" in unscored["errors"][0]["message"]
    assert unscored["rewards"] == {"nemo_gym": None}


def test_rows_are_validated(server: Server, tmp_path: Path) -> None:
    write_rows(tmp_path, *((task.environment, task.id) for task in TASKS), ("night_courier", "no-such-task"))
    configuration = VALIDATION.format(url=server.url, token=server.token)
    run(tmp_path, "vf-validate", configuration, "--only-setup")
    (file,) = tmp_path.glob("outputs/*/results.jsonl")
    results = [json.loads(line) for line in file.read_text().splitlines()]
    found = [result["valid"] for result in sorted(results, key=lambda each: each["index"])]
    assert found == [True, True, True, False]


def _submission(task: Any) -> tuple[str, dict[str, Any]]:
    """The call that submits; it has another name where the state alone is judged."""
    environment = codegym_mcp.load("bundled")[task.environment]
    return environment.submission.name, task.submission
