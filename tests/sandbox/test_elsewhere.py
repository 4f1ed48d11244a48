"""The wall where rights are few: with a server that is not root, and in containers that grant nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from codegym_mcp.doctor import DoctorReport
from codegym_mcp.sandbox.confinement.confinement_layers import Layer
from tests.sandbox.hostile import NAMESPACES
from tests.sandbox.payloads import PAYLOADS

ROOT = Path(__file__).parents[2]


def run(place: str, situation: str = "every layer") -> dict[str, Any]:
    if place == "stranger" and os.geteuid() != 0:
        pytest.skip("the tests themselves do not run as root already")
    ran = subprocess.run(
        [sys.executable, "-m", "tests.sandbox.elsewhere", place, situation],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if "cannot go there" in ran.stderr:
        pytest.skip(ran.stderr.strip())
    assert ran.returncode == 0, ran.stderr
    told: dict[str, Any] = json.loads(ran.stdout)
    return told


def check_nothing_got_through(told: dict[str, Any]) -> DoctorReport:
    outcomes = told["outcomes"]
    assert outcomes.keys() == {payload.name for payload in PAYLOADS}
    through = {
        name: outcome for name, outcome in outcomes.items() if outcome["escaped"] or not outcome["met"]
    }
    assert through == {}
    assert told["unharmed"]
    report = DoctorReport.model_validate(told["doctor"])
    assert report.healthy
    return report


@pytest.mark.parametrize("situation", ["every layer", "no namespaces"])
def test_no_payload_gets_through_where_the_server_is_not_root(situation: str) -> None:
    check_nothing_got_through(run("stranger", situation))


@pytest.mark.parametrize("place", ["container", "container-as-root"])
def test_no_payload_gets_through_where_all_namespaces_are_refused(place: str) -> None:
    report = check_nothing_got_through(run(place))
    off = {layer.name: layer.detail for layer in report.layers if not layer.active}
    assert off.keys() - {Layer.LANDLOCK} == NAMESPACES | ({Layer.UNPRIVILEGED} if "root" in place else set())
    assert "user.max_user_namespaces is 0" in off[Layer.USER_NAMESPACE]
    assert all(off.values())
