"""Confinement by a server with few rights: an ordinary user, and a container without privileges."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from codegym_mcp.doctor import DoctorReport
from codegym_mcp.sandbox.confinement.confinement_layers import Layer
from tests.sandbox.payloads import PAYLOADS
from tests.sandbox.raw_code import NAMESPACES

ROOT = Path(__file__).parents[2]


def run(place: str, situation: str = "every layer") -> dict[str, Any]:
    if place == "ordinary-user" and os.geteuid() != 0:
        pytest.skip("the tests already run as an ordinary user")
    ran = subprocess.run(
        [sys.executable, "-m", "tests.sandbox.restricted_user", place, situation],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if "cannot be restricted so" in ran.stderr:
        pytest.skip(ran.stderr.strip())
    assert ran.returncode == 0, ran.stderr
    report_data: dict[str, Any] = json.loads(ran.stdout)
    return report_data


def check_all_refused(report_data: dict[str, Any]) -> DoctorReport:
    outcomes = report_data["outcomes"]
    assert outcomes.keys() == {payload.name for payload in PAYLOADS}
    through = {
        name: outcome for name, outcome in outcomes.items() if outcome["escaped"] or not outcome["met"]
    }
    assert through == {}
    assert report_data["unharmed"]
    report = DoctorReport.model_validate(report_data["doctor"])
    assert report.healthy
    return report


@pytest.mark.parametrize("situation", ["every layer", "no namespaces"])
def test_no_payload_succeeds_if_the_server_is_not_root(situation: str) -> None:
    check_all_refused(run("ordinary-user", situation))


@pytest.mark.parametrize("place", ["container", "container-as-root"])
def test_no_payload_succeeds_if_all_namespaces_are_refused(place: str) -> None:
    report = check_all_refused(run(place))
    off = {layer.name: layer.detail for layer in report.layers if not layer.active}
    assert off.keys() - {Layer.LANDLOCK} == NAMESPACES | ({Layer.UNPRIVILEGED} if "root" in place else set())
    assert "user.max_user_namespaces is 0" in off[Layer.USER_NAMESPACE]
    assert all(off.values())


def test_no_payload_succeeds_if_the_system_calls_for_namespaces_are_refused() -> None:
    report = check_all_refused(run("container-engine-as-root"))
    off = {layer.name: layer.detail for layer in report.layers if not layer.active}
    assert off.keys() - {Layer.LANDLOCK} == NAMESPACES | {Layer.UNPRIVILEGED}
    assert "Operation not permitted" in off[Layer.USER_NAMESPACE]
