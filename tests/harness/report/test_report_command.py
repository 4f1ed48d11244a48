import json
from pathlib import Path

from click.testing import CliRunner, Result

import codegym_mcp
from codegym_mcp.cli import main
from tests.made_runs import made_run


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["report", *map(str, arguments)])


def test_the_command_writes_a_page_and_says_what_is_wrong(tmp_path: Path) -> None:
    made_run(tmp_path / "first", {"lift/low/1": "correct"})
    made_run(tmp_path / "second", {"lift/low/1": "incorrect"}, missing=1)
    done = invoke(tmp_path / "first", tmp_path / "second", "-o", tmp_path / "out" / "report.html")
    assert done.exit_code == 0, done.output
    assert "2 episodes of A someone, B someone" in done.stdout
    assert "B: The run was interrupted: 1 of 2" in done.stderr
    assert (tmp_path / "out" / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_the_data_behind_is_printed_as_json(tmp_path: Path) -> None:
    made_run(tmp_path / "run", {"lift/low/1": "correct"})
    data = json.loads(invoke(tmp_path / "run", "--json").stdout)
    assert data["runs"][0]["summary"]["reward"] == 1.0


def test_a_file_or_json_must_be_asked_for(tmp_path: Path) -> None:
    made_run(tmp_path / "run", {"lift/low/1": "correct"})
    assert invoke(tmp_path / "run").exit_code == 2
    wrong = invoke(tmp_path / "run", "-o", tmp_path / "report.pdf")
    assert (wrong.exit_code, "does not end with .html" in wrong.output) == (1, True)
    assert invoke(tmp_path / "nowhere", "-o", tmp_path / "report.html").exit_code == 1


def test_the_function_writes_the_same_and_returns_the_data(tmp_path: Path) -> None:
    made_run(tmp_path / "run", {"lift/low/1": "correct"})
    report = codegym_mcp.report(codegym_mcp.open_run(tmp_path / "run"), tmp_path / "report.html")
    assert report.runs[0].summary.reward == 1.0
    assert (tmp_path / "report.html").exists()
    assert codegym_mcp.report([tmp_path / "run"]).runs == report.runs
