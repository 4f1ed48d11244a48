"""Output and exit codes of the commands `verify` and `audit`."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from codegym_mcp.cli import main
from tests.verification.planting import PLANTED


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("guessable", "sound", "unused_tool"):
        shutil.copy(PLANTED / f"{name}.py", tmp_path)
    return tmp_path


def run(*arguments: Any) -> Result:
    # In a thread of its own no event loop of the tests is in the way.
    with ThreadPoolExecutor(max_workers=1) as threads:
        command = [str(argument) for argument in arguments]
        return threads.submit(CliRunner().invoke, main, command).result()


def test_verify_exits_with_0_where_everything_is_verified(folder: Path) -> None:
    result = run("verify", folder / "sound.py", "--no-cache")
    assert result.exit_code == 0, result.output
    assert "1 of 1 verified." in result.stdout


def test_verify_exits_with_1_and_reports_the_problems(folder: Path, tmp_path: Path) -> None:
    result = run("verify", folder, "--cache", tmp_path / "cache")
    assert result.exit_code == 1
    assert "2 of 3 verified." in result.stdout
    assert "tools_used: The oracle never uses the tool count." in result.stdout
    assert "verify: 3/3" in result.stderr


def test_verify_prints_json_for_programs_and_nothing_else(folder: Path, tmp_path: Path) -> None:
    arguments = ("verify", folder, "--json", "--cache", tmp_path / "cache")
    result = run(*arguments)
    listed = json.loads(result.stdout)
    assert [each["environment"] for each in listed] == ["guessable", "sound", "unused_tool"]
    assert [each["verified"] for each in listed] == [True, True, False]
    assert all(each.keys() == {"environment", "verified", "gates", "problems"} for each in listed)
    assert json.loads(run(*arguments).stdout) == listed


def test_environments_are_named_by_path_and_by_name(folder: Path, tmp_path: Path) -> None:
    options = ("--json", "--cache", tmp_path / "cache")
    by_name = run("verify", "so*", "--environments", folder, *options)
    assert [each["environment"] for each in json.loads(by_name.stdout)] == ["sound"]
    both = run("verify", folder / "guessable.py", "sound", "--environments", folder, *options)
    assert [each["environment"] for each in json.loads(both.stdout)] == ["guessable", "sound"]


@pytest.mark.parametrize("command", ["verify", "audit"])
def test_unknown_names_and_missing_files_are_reported(command: str, tmp_path: Path) -> None:
    unknown = run(command, "no_such_environment")
    assert unknown.exit_code == 1
    assert "no_such_environment" in unknown.stderr
    missing = run(command, tmp_path / "missing.py")
    assert missing.exit_code == 1
    assert "does not exist" in missing.stderr


def test_a_named_cache_that_cannot_be_written_is_an_error(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    result = run("verify", folder / "sound.py", "--cache", tmp_path / "file" / "cache")
    assert result.exit_code == 1
    assert "--cache" in result.stderr


def test_audit_prints_grades_and_writes_the_audits(tmp_path: Path) -> None:
    for file in PLANTED.glob("unseen_order.*"):
        shutil.copy(file, tmp_path)
    result = run("audit", tmp_path)
    assert result.exit_code == 0, result.output
    assert "D ambiguous: Several answers are right" in result.stdout
    assert "\n1 D\n" in result.stdout
    kept = json.loads((tmp_path / "unseen_order.audit.json").read_text())
    assert kept["grade"] == "D"
    assert json.loads(run("audit", tmp_path, "--json").stdout) == [kept]


def test_audit_reports_environments_that_cannot_be_audited(tmp_path: Path) -> None:
    result = run("audit", PLANTED / "clock.py", "--out", tmp_path)
    assert result.exit_code == 1
    assert "Not audited: clock" in result.stderr
    assert not list(tmp_path.iterdir())
