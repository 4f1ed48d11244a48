"""On a system without a wall: everything imports, bundled environments run, all others only if that is allowed."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.episode_limits import Limits
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.sandbox.process.process_messages import ComputeReference, GenerateConfig
from tests.sandbox import other_system


@pytest.fixture(scope="module")
def played() -> Any:
    script = Path(other_system.__file__)
    done = subprocess.run([sys.executable, script], check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "Only bundled environments run, without protection." in done.stderr
    return json.loads(done.stdout)


def test_every_module_is_imported(played: Any) -> None:
    assert played["errors"] == {}


async def test_a_bundled_environment_computes_the_same_values(played: Any, pool: SandboxPool) -> None:
    program = Catalog.load(["bundled"])["parcel_hunt"].program
    config = await pool.ask(program, GenerateConfig("1/1", 1), Limits())
    assert played["config"] == config
    assert played["reference"] == await pool.ask(program, ComputeReference(config), Limits())
    assert played["alive"]


def test_another_environment_runs_only_if_that_is_allowed(played: Any) -> None:
    assert "cannot be confined here: rlimits (win32 cannot confine processes), seccomp" in played["refused"]
    assert "--allow-unconfined" in played["refused"]
    assert played["answer"] == 7


def test_an_evaluation_is_recorded(played: Any) -> None:
    assert (played["run"], played["run_in_progress"]) == (["no_submission"], False)


def test_the_doctor_says_what_is_missing(played: Any) -> None:
    assert not played["confined"]
    assert played["checks"] == {"an environment answers": True, "an endless loop is ended": True}
    assert "OFF  seccomp" in played["doctor"]
    assert "win32 cannot confine processes" in played["doctor"]
    assert "Only the bundled environments run" in played["doctor"]


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_the_command_runs_as_a_child_process(platform: str) -> None:
    script = (
        "import runpy, sys, codegym_mcp.cli\n"
        f"sys.platform = {platform!r}\n"
        "sys.argv = ['codegym-mcp', '1', '--version']\n"
        "runpy.run_module('codegym_mcp.cli.run_as_child', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "codegym-mcp" in done.stdout
