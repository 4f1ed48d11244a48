"""A hostile agent program achieves nothing in an enclosure, and all that it tries succeeds outside.

`fixtures/agents/hostile.py` holds the attacks. They run in `hostile_run.py`, apart from the machine.
"""

import ast
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from codegym_harness.agent_enclosure.enclosure_options import Enclosure
from tests.harness.agent_enclosure.enclosures import allows
from tests.harness.agent_enclosure.hostile_run import EVIDENCE, FIXTURES, PREFIX

ROOT = Path(__file__).parents[3]
HOSTILE = FIXTURES / "agents" / "hostile.py"
ATTACKS = [
    node.name
    for node in ast.parse(HOSTILE.read_text()).body
    if isinstance(node, ast.FunctionDef) and node.decorator_list
]
USERS = ("root", "user")

NEEDS_ROOT = frozenset(
    {
        "bind_the_answers_elsewhere",
        "change_the_rights_of_a_device",
        "create_a_device",
        "enter_the_namespaces_of_a_process",
        "leave_the_root",
        "listen_to_tcp",
        "listen_to_the_loopback_device",
        "open_a_setting_of_the_kernel",
        "open_the_answer_by_handle",
        "open_the_log_of_the_kernel",
        "open_the_memory_of_the_kernel",
        "open_the_programs_of_the_kernel",
        "uncover_a_mount",
        "use_a_program_in_the_kernel",
        "write_to_the_supervisor",
    }
)
"""Attacks that only root can make outside an enclosure."""
SWITCHES = {
    "use_a_ring_of_system_calls": ("/proc/sys/kernel/io_uring_disabled", 0),
    "watch_the_processor": ("/proc/sys/kernel/perf_event_paranoid", 2),
}
"""Attacks that a machine may have switched off for all programs: the switch, and its highest value for on."""
LANDLOCK_ALLOWS = {
    "change_the_rights_of_a_device": "Landlock has no rules for the rights of files, and root owns the device",
    "connect_to_a_unix_socket": "Landlock has no rules for sockets with a path",
    "pin_a_process": "it tells nothing and changes no record",
}
"""Why Landlock is weaker than namespaces, so that it is used only with --allow-unenclosed."""

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0,
    reason="only root can lead the attacks away from the machine",
)


@cache
def results(user: str) -> dict[str, dict[str, str]]:
    """By situation and attack, what a user's hostile program achieved; one run for all tests."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.harness.agent_enclosure.hostile_run", user],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    found: dict[str, dict[str, str]] = json.loads(run.stdout)
    return found


def achieved(result: str) -> bool:
    return (
        PREFIX in result
        or result in EVIDENCE
        or result.startswith(("holds", "opened"))
        or "night.audit" in result
    )


def switched_off(attack: str) -> bool:
    """Checks whether this machine refuses to all programs what an attack uses."""
    switch, highest = SWITCHES.get(attack, ("", 0))
    return bool(switch) and (not Path(switch).exists() or int(Path(switch).read_text()) > highest)


def test_there_are_many_attacks() -> None:
    assert len(ATTACKS) >= 40
    assert NEEDS_ROOT | SWITCHES.keys() | LANDLOCK_ALLOWS.keys() <= set(ATTACKS)


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("attack", ATTACKS)
def test_outside_an_enclosure_an_attack_succeeds(attack: str, user: str) -> None:
    if user != "root" and attack in NEEDS_ROOT:
        pytest.skip("needs root")
    if switched_off(attack):
        pytest.skip(f"this machine has switched it off in {SWITCHES[attack][0]}")
    assert achieved(results(user)["outside"][attack]), results(user)["outside"][attack]


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("enclosure", [Enclosure.NAMESPACES, Enclosure.LANDLOCK])
@pytest.mark.parametrize("attack", ATTACKS)
def test_in_an_enclosure_an_attack_achieves_nothing(attack: str, enclosure: Enclosure, user: str) -> None:
    if not allows(enclosure):
        pytest.skip(f"this system has no {enclosure}")
    if enclosure is Enclosure.LANDLOCK and attack in LANDLOCK_ALLOWS:
        pytest.skip(LANDLOCK_ALLOWS[attack])
    result = results(user)[enclosure][attack]
    assert not achieved(result), result
