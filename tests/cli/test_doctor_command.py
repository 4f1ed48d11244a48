"""The command `doctor`: its report, its JSON, and its exit code."""

import json

import pytest
from click.testing import CliRunner

from codegym_mcp.cli import main
from codegym_mcp.doctor import DoctorReport
from codegym_mcp.sandbox.confinement.confinement_layers import Layer


def test_doctor_lists_every_layer_and_exits_with_0() -> None:
    result = CliRunner().invoke(main, ["doctor"])
    assert result.exit_code == 0
    for layer in Layer:
        assert layer in result.stdout
    assert "ok   an environment answers" in result.stdout


def test_doctor_prints_its_report_as_json() -> None:
    result = CliRunner().invoke(main, ["doctor", "--json"])
    assert result.exit_code == 0
    data = json.loads(result.stdout)
    assert data.pop("healthy") is True
    assert DoctorReport.model_validate(data).confined


def test_doctor_exits_with_1_if_environments_cannot_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    result = CliRunner().invoke(main, ["doctor"])
    assert result.exit_code == 1
    assert "Environments cannot run here." in result.stdout


def test_doctor_reports_the_enclosure_of_agent_programs() -> None:
    result = CliRunner().invoke(main, ["doctor", "--json"])
    report = json.loads(result.stdout)["agent_programs"]
    assert report["enclosure"] in ("namespaces", "landlock", "none")
    assert (report["refused"] == {}) == (report["enclosure"] == "namespaces")
