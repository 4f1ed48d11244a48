"""The file, the scripts and the commands of docs/environments.md work as printed, one after another."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.environment_definition.environment import Task
from codegym_mcp.verification.audit.audit import audit
from codegym_mcp.verification.gates.all_gates import verify
from codegym_mcp.verification.verification_context import VerificationContext

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "environments.md").read_text(encoding="utf-8")
CODEGYM_CLASS = ROOT / "tests" / "fixtures" / "codegym" / "Orchard_7__LightestBasketEnv.py"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", DOCUMENT, re.M | re.S)


ENVIRONMENT, LARDER, *SCRIPTS = sorted(blocks("python"), key=lambda block: "META" not in block)
COMMANDS = [line for block in blocks("sh") for line in block.splitlines()]
SERVING = "codegym-mcp serve"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the files that the page creates or mentions."""
    created = tmp_path_factory.mktemp("document")
    (created / "breaking_floor.py").write_text(ENVIRONMENT, encoding="utf-8")
    (created / "larder.py").write_text(LARDER, encoding="utf-8")
    (created / "classes").mkdir()
    shutil.copy(CODEGYM_CLASS, created / "classes")
    return created


@pytest.mark.parametrize("number", range(len(SCRIPTS)))
def test_a_script_runs(folder: Path, number: int) -> None:
    script = folder / f"script_{number}.py"
    script.write_text(SCRIPTS[number], encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", script.name], cwd=folder, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


@pytest.mark.parametrize("command", [line for line in COMMANDS if not line.startswith(SERVING)])
def test_a_command_succeeds(folder: Path, command: str) -> None:
    program, *arguments = shlex.split(command)
    assert program == "codegym-mcp"
    done = subprocess.run(
        [sys.executable, "-m", "codegym_mcp.cli", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr + done.stdout


def test_the_oracle_of_the_example_earns_every_reward(folder: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "codegym_mcp.cli", "eval", "--agent", "oracle", "--difficulty", "2"),
            *("--environments", "breaking_floor.py", "--tasks", "3", "--out", "run"),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    results = (folder / "run" / "trajectories.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(results) == 3
    summary = json.loads((folder / "run" / "summary.json").read_bytes())
    assert summary["reward_estimate"]["mean"] == 1.0


async def test_the_example_with_a_state_is_verified_and_has_grade_a(folder: Path) -> None:
    (larder,) = [entry.read() for entry in Catalog.load([folder / "larder.py"]).entries]
    async with VerificationContext.open() as context:
        assert (await verify(context, larder)).problems == []
        audited = await audit(context, larder)
    assert audited.findings == []
    assert audited.figures.answer_only == 0
    assert [each.name for each in audited.figures.mistakes] == ["throws jars of this year away"]


def test_the_task_of_the_page_is_a_task_of_the_example(folder: Path) -> None:
    (task,) = [Task.model_validate_json(line) for block in blocks("json") for line in block.splitlines()]

    Catalog.load([folder / "breaking_floor.py"])["breaking_floor"].check_task(task)
