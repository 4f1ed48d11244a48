"""Task folders for Harbor. What its containers do is done here by processes on loopback."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from click.testing import CliRunner

from codegym_harness.runs.task_selection import SeedRange
from codegym_harness.task_sets.harbor_tasks import HarborOptions, write_harbor_tasks
from codegym_harness.task_sets.task_set_contents import Part, TaskSelection
from codegym_harness.task_sets.task_set_files import TaskSetSummary
from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.cli import main
from codegym_mcp.errors import CodegymError, TaskError
from codegym_mcp.task_reference import TaskReference
from tests.conftest import FIXTURES

LIFTS = Catalog.load([FIXTURES / "counter.py"])


async def write(out: Path, **options: Any) -> TaskSetSummary:
    parts = TaskSelection(difficulties=(3,), seeds=SeedRange(last=1)).tasks(LIFTS)
    return await write_harbor_tasks(LIFTS, parts, out, HarborOptions(**options))


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


async def test_each_task_has_a_folder(tmp_path: Path) -> None:
    summary = await write(tmp_path / "tasks", organization="lab", calls=40)
    (file,) = summary.files
    assert (file.part, file.tasks, file.environments) == (Part.TRAIN, 2, 1)
    assert sorted(path.name for path in (tmp_path / "tasks").iterdir()) == ["counter-d3-s0", "counter-d3-s1"]
    folder = tmp_path / "tasks" / "counter-d3-s1"
    assert files(folder) == {
        *("task.toml", "instruction.md", "tests/Dockerfile", "tests/test.sh"),
        *("environment/docker-compose.yaml", "environment/Dockerfile", "environment/codegym/Dockerfile"),
        *("environment/codegym/start.sh", "environment/codegym/collect.py", "environment/codegym/counter.py"),
        *("solution/solve.sh", "solution/solve.py", "solution/calls.json"),
    }
    configuration = tomllib.loads((folder / "task.toml").read_text())
    assert configuration["task"]["name"] == "lab/counter-d3-s1"
    assert configuration["metadata"]["seed"] == 1
    assert configuration["metadata"]["part"] == "train"
    assert configuration["environment"]["mcp_servers"][0]["url"] == "http://codegym:8000/mcp"
    assert "at most 40 calls" in (folder / "instruction.md").read_text()
    assert "`submit_answer`" in (folder / "instruction.md").read_text()


async def test_what_the_agent_receives_tells_neither_seed_nor_answer(tmp_path: Path) -> None:
    await write(tmp_path / "tasks")
    folder = tmp_path / "tasks" / "counter-d3-s1"
    # The agent's container has the instruction, and of the folder what its Dockerfile copies: nothing.
    assert "COPY" not in (folder / "environment" / "Dockerfile").read_text()
    assert "seed" not in (folder / "instruction.md").read_text()


async def test_solutions_and_the_image_of_the_server_are_chosen(tmp_path: Path) -> None:
    await write(tmp_path / "tasks", solutions=False, server_image="registry.example/gym:2")
    folder = tmp_path / "tasks" / "counter-d3-s0"
    assert not (folder / "solution").exists()
    assert (folder / "environment/codegym/Dockerfile").read_text().startswith("FROM registry.example/gym:2\n")


async def test_an_existing_directory_and_a_failure_leave_everything_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "tasks").mkdir()
    with pytest.raises(CodegymError, match="exists already"):
        await write(tmp_path / "tasks")
    with pytest.raises(TaskError, match="does not solve d3-s0 with 1 calls"):
        await write(tmp_path / "other", calls=1)
    assert [path.name for path in tmp_path.iterdir()] == ["tasks"]


async def test_texts_with_quotes_and_ids_of_any_characters_are_written(tmp_path: Path) -> None:
    source = (FIXTURES / "counter.py").read_text().replace("Bell in the lift shaft", "A 'b' \\\\ \\x7f 🔔")
    (tmp_path / "lift.py").write_text(source)
    task = {"id": "a b'$(c)\"/é", "config": {"start": 0, "bell": 2}}
    (tmp_path / "lift.jsonl").write_text(json.dumps(task))
    catalog = Catalog.load([tmp_path / "lift.py"])
    parts = {Part.FIXED: [TaskReference(environment="lift", task=task["id"])]}
    await write_harbor_tasks(catalog, parts, tmp_path / "tasks")
    folder = tmp_path / "tasks" / "lift-a-b-c-"
    configuration = tomllib.loads((folder / "task.toml").read_text())
    assert configuration["task"]["description"] == "A 'b' \\ \x7f 🔔"
    assert configuration["metadata"] == {
        "environment": "lift",
        "task": task["id"],
        "part": "fixed",
        "license": "MIT",
    }
    with in_containers(folder) as containers:
        containers.run("solution/solve.sh")
        assert containers.verdict() == {"reward": 1.0}


async def test_held_out_folders_are_apart_and_never_equal_to_training_tasks(tmp_path: Path) -> None:
    # Difficulty 1 has four different tasks.
    parts = TaskSelection(difficulties=(1,), seeds=SeedRange(last=1), held_out=9).tasks(LIFTS)
    summary = await write_harbor_tasks(LIFTS, parts, tmp_path / "tasks")
    train, held_out = summary.files
    assert held_out.tasks + held_out.left_out == 9
    assert len([*(tmp_path / "tasks" / "held_out").iterdir()]) == held_out.tasks < 9
    assert train.path == tmp_path / "tasks" / "train"


class Containers:
    """The processes of a task folder, with paths below a directory in place of those in containers."""

    def __init__(self, folder: Path, home: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self._home = home
        self._variables = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "CODEGYM_MCP_URL": f"http://127.0.0.1:{port}/mcp",
        }
        for path in folder.rglob("*"):
            if path.suffix in (".sh", ".py") and path.is_file() and path.name != "counter.py":
                text = path.read_text().replace("/run/codegym", str(home / "run"))
                text = text.replace("/task/", f"{folder}/environment/codegym/")
                text = text.replace("/logs/verifier", str(home)).replace("0.0.0.0:8000", f"127.0.0.1:{port}")
                path.write_text(text.replace("127.0.0.1:8000", f"127.0.0.1:{port}"))

    def start(self) -> "subprocess.Popen[str]":
        """Starts the server of the episode, and waits until it is healthy."""
        process = subprocess.Popen(
            ["sh", self.folder / "environment/codegym/start.sh"],
            env=self._variables,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        for line in process.stderr:
            if "Agents connect to" in line:
                break
        with urlopen(f"http://127.0.0.1:{self.port}/health") as response:
            assert json.load(response)["status"] == "ok"
        return process

    def run(self, script: str, *, check: bool = True) -> None:
        interpreter = "sh" if script.endswith(".sh") else sys.executable
        subprocess.run(
            [interpreter, self.folder / script],
            env=self._variables,
            check=check,
            timeout=60,
            capture_output=True,
        )

    def verdict(self) -> dict[str, float] | None:
        """Collects the verdict and verifies, as Harbor does after the agent was stopped."""
        self.run("environment/codegym/collect.py")
        self.run("tests/test.sh", check=False)
        reward = self._home / "reward.json"
        return json.loads(reward.read_text()) if reward.exists() else None


@contextmanager
def in_containers(folder: Path) -> Iterator[Containers]:
    home = folder.parent / f"home-{folder.name}"
    home.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    containers = Containers(folder, home, port)
    process = containers.start()
    try:
        yield containers
    finally:
        process.terminate()
        process.communicate(timeout=30)
        shutil.rmtree(home)


async def test_the_solution_is_paid_and_an_agent_that_does_nothing_is_not(tmp_path: Path) -> None:
    await write(tmp_path / "tasks")
    with in_containers(tmp_path / "tasks" / "counter-d3-s0") as containers:
        containers.run("solution/solve.sh")
        assert containers.verdict() == {"reward": 1.0}
        assert containers.verdict() == {"reward": 1.0}
    with in_containers(tmp_path / "tasks" / "counter-d3-s1") as containers:
        assert containers.verdict() == {"reward": 0.0}


async def test_an_episode_without_a_score_has_no_reward_file(tmp_path: Path) -> None:
    source = (FIXTURES / "counter.py").read_text().replace("    return bell\n", "    return 1 // 0\n")
    (tmp_path / "lift.py").write_text(source)
    catalog = Catalog.load([tmp_path / "lift.py"])
    parts = TaskSelection(difficulties=(1,), seeds=SeedRange(last=0)).tasks(catalog)
    await write_harbor_tasks(catalog, parts, tmp_path / "tasks", HarborOptions(solutions=False))
    await write(tmp_path / "solved")
    folder = tmp_path / "tasks" / "lift-d1-s0"
    (folder / "solution").mkdir()
    shutil.copy(tmp_path / "solved/counter-d3-s0/solution/solve.py", folder / "solution" / "solve.py")
    answer = {"name": "submit_answer", "arguments": {"answer": 1}}
    (folder / "solution" / "calls.json").write_text(json.dumps([answer]))
    with in_containers(folder) as containers:
        containers.run("solution/solve.py")
        assert containers.verdict() is None


def test_the_command_writes_folders_of_verified_environments(tmp_path: Path) -> None:
    selected = ("--env", "night_courier", "--difficulty", "1", "--seed", "3-4", "--held-out", "1")
    command = ("publish", "bundled", "--format", "harbor", "-o", str(tmp_path / "tasks"), *selected)
    done = CliRunner().invoke(main, [*command, "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout.splitlines()[-1])
    assert [(file["part"], file["tasks"]) for file in told["files"]] == [("train", 2), ("held_out", 1)]
    assert (tmp_path / "tasks/train/night_courier-d1-s4/task.toml").exists()
    again = CliRunner().invoke(main, command)
    assert (again.exit_code, "exists already" in again.output) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("bundled", "-o", "set.jsonl", "--difficulty", "1"), "--difficulty is for --format harbor only."),
        (("bundled", "--format", "harbor", "-o", "t", "--organization", "a b"), "--organization is wrong"),
        (
            ("bundled", "--format", "harbor", "-o", "t", "--server-image", "a\nRUN b"),
            "--server-image is wrong",
        ),
        (("nowhere", "--format", "harbor", "-o", "t"), "is not a directory, nor one of the words"),
    ],
)
def test_wrong_options_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["publish", *arguments])
    assert done.exit_code == 2
    assert told in done.output
