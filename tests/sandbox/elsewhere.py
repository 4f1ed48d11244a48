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

from codegym_mcp import doctor
from codegym_mcp.sandbox.confinement import linux_calls
from tests.sandbox.hostile import Pools
from tests.sandbox.payloads import PAYLOADS
from tests.sandbox.target import Target
from tests.sandbox.test_wall import SITUATIONS, strike

_STRANGER = 54321
_NEWNS, _NEWUSER = 0x20000, 0x10000000
_MS_BIND, _MS_REC, _MS_PRIVATE = 0x1000, 0x4000, 0x40000


def become_a_stranger() -> None:
    """Root becomes an ordinary user, to whom this Python is shown even if it lies in root's own folders."""
    # Modules that are loaded late have to be found too.
    open_the_way(
        {Path(sys.base_prefix), Path(sys.prefix), *(Path(path) for path in sys.path if Path(path).is_dir())}
    )
    os.setgroups([])
    os.setresgid(_STRANGER, _STRANGER, _STRANGER)
    os.setresuid(_STRANGER, _STRANGER, _STRANGER)


def open_the_way(needed: set[Path]) -> None:
    """Makes folders reachable for everyone, for this process alone, whatever the folders above them allow."""
    linux_calls.call("unshare", _NEWNS)
    linux_calls.call("mount", None, b"/", None, _MS_REC | _MS_PRIVATE, None)
    closed: dict[Path, list[tuple[Path, int]]] = {}
    for path in needed:
        above = [part for part in reversed(path.parents) if not part.stat().st_mode & 0o001]
        if above and needed.isdisjoint(path.parents):
            closed.setdefault(above[0], []).append((path, os.open(path, os.O_PATH)))
    for above, hidden in closed.items():
        linux_calls.call("mount", b"tmpfs", bytes(above), b"tmpfs", 0, b"mode=755")
        for path, descriptor in hidden:
            path.mkdir(parents=True, exist_ok=True)
            there = f"/proc/self/fd/{descriptor}".encode()
            linux_calls.call("mount", there, bytes(path), None, _MS_BIND | _MS_REC, None)


def enter_a_container(user: int) -> None:
    """Becomes what a program is in a container that grants nothing: no rights, and no new user namespaces."""
    outside = os.geteuid()
    linux_calls.call("unshare", _NEWUSER)
    Path("/proc/self/uid_map").write_text(f"{user} {outside} 1")
    Path("/proc/sys/user/max_user_namespaces").write_text("0")
    linux_calls.forbid_new_privileges()
    linux_calls.drop_capabilities()


PLACES = {
    "stranger": become_a_stranger,
    "container": lambda: enter_a_container(1000),
    "container-as-root": lambda: enter_a_container(0),
}


async def strike_all(situation: str) -> dict[str, Any]:
    with Target.set_up() as target:
        async with Pools.open() as pools:
            ground = await pools.without(SITUATIONS[situation])
            outcomes = {payload.name: await strike(ground, payload, target) for payload in PAYLOADS}
            unharmed = await ground.neighbour_is_unharmed()
    report = await doctor.examine(_disabled=SITUATIONS[situation])
    return {
        "doctor": report.model_dump(mode="json"),
        "outcomes": {name: dataclasses.asdict(outcome) for name, outcome in outcomes.items()},
        "unharmed": unharmed,
    }


if __name__ == "__main__":
    try:
        PLACES[sys.argv[1]]()
    except OSError as error:
        sys.exit(f"cannot go there: {error}")
    print(json.dumps(asyncio.run(strike_all(sys.argv[2]))))
