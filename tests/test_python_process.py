"""Processes of this project import what this process imports, wherever they are started."""

import subprocess
import sys
from pathlib import Path

import pytest

import codegym_harness  # noqa: F401  # Its folder is imported from only after it was imported.
from codegym_mcp.python_process import import_folders, python_command


def test_a_module_is_run_with_its_arguments() -> None:
    shown = subprocess.run(python_command("json.tool", "--help"), capture_output=True, text=True, check=True)
    assert "usage: " in shown.stdout


@pytest.mark.parametrize(
    "name", ["codegym_mcp", "codegym_harness", "environments", "harness", "anyio", "json"]
)
def test_a_folder_in_the_working_directory_replaces_no_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Also when it is the first folder that this process imports from, as with `python -m`."""
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text("raise SystemExit('replaced')")
    (tmp_path / "codegym.py").write_text("raise SystemExit('replaced')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", str(tmp_path), *sys.path])
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    command = python_command("codegym_harness.agent_enclosure.supervisor", "0", "0")
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert "replaced" not in result.stderr
    assert (result.returncode, result.stderr) == (0, "")


def test_the_working_directory_is_not_imported_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", str(tmp_path), "/elsewhere"])
    folders = import_folders("codegym_harness")
    assert folders[0] == "/elsewhere"
    assert {"", str(tmp_path)}.isdisjoint(folders)
