"""Which enclosure this machine allows, and what happens where it allows too little."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from codegym_harness.agent_enclosure import enclosure_probe
from codegym_harness.agent_enclosure.enclosure_options import Enclosure, EnclosureOptions
from codegym_harness.agent_enclosure.enclosure_probe import (
    EnclosureReport,
    check_enclosure,
    examine_enclosure,
)
from codegym_mcp.errors import CodegymError
from tests.harness.agent_enclosure.enclosures import allows

ROOT = Path(__file__).parents[3]
IN_A_CONTAINER = """
import json, sys, anyio
from pathlib import Path
from codegym_harness.agent_enclosure.enclosure_options import EnclosureOptions
from codegym_harness.runs.run_config import RunConfig
from codegym_harness.runs.run_directory_reader import read_trajectories
from codegym_harness.runs.run_execution import run_evaluation
from codegym_harness.runs.task_selection import Selection
from tests.sandbox.restricted_user import enter_container

enter_container(int(sys.argv[1]))
command, counter, out = json.loads(sys.argv[2])
shown = []
for allowed in (False, True):
    config = RunConfig(agent="command", command=command, paths=(Path(counter),), allow_unconfined=True,
                       selection=Selection(difficulties=(2,)), enclosure=EnclosureOptions(allow_unenclosed=allowed))
    try:
        summary = anyio.run(lambda: run_evaluation(config, out=Path(out)))
    except Exception as error:
        shown.append([str(error), Path(out).exists()])
    else:
        (trajectory,) = read_trajectories(Path(out))
        shown.append([trajectory.extra.outcome, trajectory.extra.program.enclosed, summary.enclosures])
print(json.dumps(shown))
"""


async def test_the_strongest_enclosure_that_the_machine_allows_is_found() -> None:
    expected = next(enclosure for enclosure in Enclosure if allows(enclosure))
    report = await examine_enclosure()
    assert report.enclosure is expected
    assert expected in report.text
    assert (report.refused == {}) == (expected is Enclosure.NAMESPACES)


@pytest.mark.parametrize("found", [Enclosure.LANDLOCK, Enclosure.NONE])
async def test_anything_weaker_than_namespaces_has_to_be_allowed(
    found: Enclosure, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def examine() -> EnclosureReport:
        return EnclosureReport(enclosure=found, refused={"namespaces": "Operation not permitted"})

    monkeypatch.setattr(enclosure_probe, "examine_enclosure", examine)
    with pytest.raises(CodegymError, match=rf"enclosed by: {found}\. Give --allow-unenclosed"):
        await check_enclosure(EnclosureOptions())
    assert await check_enclosure(EnclosureOptions(allow_unenclosed=True)) is found


@pytest.mark.parametrize("user", [0, 1000])
def test_in_a_container_a_run_refuses_to_start_unless_that_is_allowed(
    user: int, fixtures: Path, tmp_path: Path
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become a process of a container here")
    command = f"{sys.executable} {fixtures / 'agents' / 'honest.py'} {{mcp_url}}"
    told = json.dumps([command, str(fixtures / "counter.py"), str(tmp_path / "run")])
    run = subprocess.run(
        [sys.executable, "-c", IN_A_CONTAINER, str(user), told],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    refused, played = json.loads(run.stdout)
    expected = Enclosure.LANDLOCK if allows(Enclosure.LANDLOCK) else Enclosure.NONE
    assert "refuses namespaces" in refused[0]
    assert f"enclosed by: {expected}" in refused[0]
    assert refused[1] is False
    assert played == ["correct", expected, {expected: 1}]
