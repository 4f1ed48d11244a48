"""The official conformance suite of MCP, against an episode with some of the fixtures that it asks for.

What is known to fail stands, with the reasons, in `conformance_failures_<revision>.yaml`, in the suite's own
format for expected failures. The suite compares only the scenarios that it scores and lets checks pass that
were never reached; here all that ran has to agree with the file.
"""

import json
from pathlib import Path

import pytest
import yaml

from tests.interop.node import run_program
from tests.interop.serving import RunningServer

pytestmark = pytest.mark.interop

FOLDER = Path(__file__).parent


def failed_checks(results: Path) -> set[str]:
    """The checks of a run that failed or warned, as scenario:check."""
    failed: set[str] = set()
    for file in results.glob("server-*/checks.json"):
        scenario = file.parent.name.removeprefix("server-")[: -len("-2026-07-28T00-00-00-000Z")]
        checks = json.loads(file.read_text())
        bad = [check for check in checks if check["status"] in ("FAILURE", "WARNING")]
        failed |= {f"{scenario}:{check['id']}" for check in bad}
    return failed


@pytest.mark.parametrize(("revision", "scenarios"), [("2025-11-25", 33), ("2026-07-28", 50)])
def test_exactly_the_expected_checks_fail(
    server: RunningServer, tmp_path: Path, revision: str, scenarios: int
) -> None:
    episode = server.open("conformance_environment", difficulty=1)
    baseline = FOLDER / f"conformance_failures_{revision}.yaml"
    what = ("--requirements", revision, "--expected-failures", str(baseline))
    where = ("--url", episode.mcp_url, "--output-dir", str(tmp_path))
    ran = run_program("conformance", "server", *what, *where, seconds=120)
    assert len(list(tmp_path.glob("server-*/checks.json"))) == scenarios, ran.stdout + ran.stderr
    expected = set(yaml.safe_load(baseline.read_text())["server"])
    failed = failed_checks(tmp_path)
    assert failed - expected == set(), "fails unexpectedly"
    assert expected - failed == set(), "expected to fail and did not"
    assert ran.returncode == 0, ran.stdout
    assert episode.info()["state"] == "open"
