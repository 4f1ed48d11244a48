"""What the doctor finds, and how it says it."""

import pytest

from codegym_mcp import doctor
from codegym_mcp.doctor import DoctorReport
from codegym_mcp.sandbox.confinement.confinement_layers import Layer


async def test_the_report_names_every_layer_and_what_was_tried() -> None:
    report = await doctor.examine()
    assert [layer.name for layer in report.layers] == list(Layer)
    assert report.confined
    assert report.healthy
    assert {check.name for check in report.checks} == {"an environment answers", "an endless loop is ended"}
    assert DoctorReport.model_validate_json(report.model_dump_json()) == report


async def test_a_missing_layer_is_shown_with_its_reason() -> None:
    report = await doctor.examine(_disabled=[Layer.LANDLOCK])
    assert report.confined
    assert [layer.name for layer in report.layers if not layer.active] == [Layer.LANDLOCK]
    text = doctor.render(report)
    (line,) = [line for line in text.splitlines() if Layer.LANDLOCK in line]
    assert line.startswith("OFF")
    assert "switched off for a test" in line
    assert "by the layers that are on" in text


async def test_without_an_essential_layer_the_machine_does_not_count_as_confined() -> None:
    report = await doctor.examine(_disabled=[Layer.SECCOMP])
    assert not report.confined
    assert not report.healthy
    assert all(check.passed for check in report.checks)
    assert "seccomp is missing" in doctor.render(report)
    assert "--allow-unconfined" in doctor.render(report)


async def test_where_nothing_starts_the_report_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    report = await doctor.examine()
    assert report.layers == []
    assert not report.healthy
    text = doctor.render(report)
    assert "BAD" in text
    assert "cannot be started" in text
    assert text.endswith("Environments cannot run here.")
