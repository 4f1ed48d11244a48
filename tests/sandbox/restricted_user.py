"""Runs every payload where the tests themselves are not: with a server of another user, or of fewer rights.

A program of its own: `python elsewhere.py place situation` prints what the doctor says there, and what
came of each payload, as JSON.
"""

import asyncio
import dataclasses
import json
import os
import sys
from pathlib import Path
from typing import Any

from codegym_harness.agent_enclosure.dropped_privileges import give_up_privileges
from codegym_mcp import doctor
from codegym_mcp.sandbox.confinement import linux_functions
from tests.sandbox.attack_targets import Target
from tests.sandbox.payloads import PAYLOADS
from tests.sandbox.raw_code import AttackedPools
from tests.sandbox.test_payloads import DISABLED_LAYERS, run_payload

_ORDINARY_USER = 54321
_NEWNS, _NEWUSER = 0x20000, 0x10000000
_MS_BIND, _MS_REC, _MS_PRIVATE = 0x1000, 0x4000, 0x40000


def become_ordinary_user() -> None:
    """Becomes an ordinary user, who can read this Python even if it is in root's own folders."""
    # Modules that are imported later must be readable too.
    make_reachable(
        {Path(sys.base_prefix), Path(sys.prefix), *(Path(path) for path in sys.path if Path(path).is_dir())}
    )
    os.setgroups([])
    os.setresgid(_ORDINARY_USER, _ORDINARY_USER, _ORDINARY_USER)
    os.setresuid(_ORDINARY_USER, _ORDINARY_USER, _ORDINARY_USER)


def make_reachable(needed: set[Path]) -> None:
    """Makes folders readable for all users, in this process only, whatever their parent folders allow."""
    linux_functions.call("unshare", _NEWNS)
    linux_functions.call("mount", None, b"/", None, _MS_REC | _MS_PRIVATE, None)
    closed: dict[Path, list[tuple[Path, int]]] = {}
    for path in needed:
        above = [part for part in reversed(path.parents) if not part.stat().st_mode & 0o001]
        if above and needed.isdisjoint(path.parents):
            closed.setdefault(above[0], []).append((path, os.open(path, os.O_PATH)))
    for above, hidden in closed.items():
        linux_functions.call("mount", b"tmpfs", bytes(above), b"tmpfs", 0, b"mode=755")
        for path, descriptor in hidden:
            path.mkdir(parents=True, exist_ok=True)
            there = f"/proc/self/fd/{descriptor}".encode()
            linux_functions.call("mount", there, bytes(path), None, _MS_BIND | _MS_REC, None)


def enter_container(user: int) -> None:
    """Restricts this process as a container without privileges does: no rights, no new user namespaces."""
    outside = os.geteuid()
    linux_functions.call("unshare", _NEWUSER)
    Path("/proc/self/uid_map").write_text(f"{user} {outside} 1")
    Path("/proc/sys/user/max_user_namespaces").write_text("0")
    linux_functions.forbid_new_privileges()
    linux_functions.drop_capabilities()


def enter_container_engine() -> None:
    """Restricts this process as a container engine's default does: system calls for namespaces fail with EPERM."""
    outside = os.geteuid()
    linux_functions.call("unshare", _NEWUSER)
    Path("/proc/self/uid_map").write_text(f"0 {outside} 1")
    give_up_privileges()


RESTRICTIONS = {
    "ordinary-user": become_ordinary_user,
    "container": lambda: enter_container(1000),
    "container-as-root": lambda: enter_container(0),
    "container-engine-as-root": enter_container_engine,
}


async def run_all_payloads(situation: str) -> dict[str, Any]:
    with Target.set_up() as target:
        async with AttackedPools.open() as pools:
            attacked = await pools.without(DISABLED_LAYERS[situation])
            outcomes = {payload.name: await run_payload(attacked, payload, target) for payload in PAYLOADS}
            unharmed = await attacked.neighbour_still_works()
    report = await doctor.examine(_disabled=DISABLED_LAYERS[situation])
    return {
        "doctor": report.model_dump(mode="json"),
        "outcomes": {name: dataclasses.asdict(outcome) for name, outcome in outcomes.items()},
        "unharmed": unharmed,
    }


if __name__ == "__main__":
    try:
        RESTRICTIONS[sys.argv[1]]()
    except OSError as error:
        sys.exit(f"cannot be restricted so: {error}")
    print(json.dumps(asyncio.run(run_all_payloads(sys.argv[2]))))
