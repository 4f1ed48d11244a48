"""Runs the hostile agent program where it can do harm, and in each enclosure.

A program of its own, to be started by root: `python -m tests.harness.agent_enclosure.hostile_run root|user`
prints, as JSON, what each attack achieved: by situation ("outside", "namespaces", "landlock"), then by attack.

Attacks do harm outside an enclosure: that is what they show. Therefore all of them run, the outside one too,
where nothing of the machine can be harmed: its file systems are read-only, /tmp and /dev/shm are new, and the
only processes, networks and shared memory are those of this program.
"""

import base64
import ctypes
import json
import os
import secrets
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import anyio

from codegym_harness.agent_enclosure import network_namespace
from codegym_harness.agent_enclosure.enclosure_options import Enclosure
from codegym_harness.agents.command_agent import ProgramAgent
from codegym_harness.clients.control_client import ControlClient
from codegym_harness.episode_sources.episode_source import Assignment
from codegym_harness.episode_sources.mcp_episodes import ServedEpisodes
from codegym_harness.processes.server_process import ServerProcess, start_server
from codegym_harness.rollouts.rollout import roll_out
from codegym_mcp.control_plane_messages import OpenRequest
from codegym_mcp.sandbox.confinement import linux_functions
from tests.harness.agent_enclosure.enclosures import allows
from tests.sandbox.restricted_user import become_ordinary_user

ROOT = Path(__file__).parents[3]
FIXTURES = ROOT / "tests" / "fixtures"
PREFIX = "SECRET-"
EVIDENCE = frozenset(
    {"reached", "signalled", "limited", "pinned", "opened", "entered", "changed", "possible"}
)
"""What an attack returns that has achieved something else than to learn a secret."""
_NAMESPACES = 0x20000 | 0x8000000 | 0x20000000 | 0x40000000
"""Mounts, shared memory, processes and network."""
_MS_BIND, _MS_REC, _MS_PRIVATE = 0x1000, 0x4000, 0x40000
_MOUNT_SETATTR, _AT_FDCWD, _AT_RECURSIVE, _ATTR_RDONLY = 442, -100, 0x8000, 1


@dataclass(frozen=True)
class Ground:
    """Folders and processes that an agent program must not reach.

    Attributes:
        folder: where all of them are.
        targets: what the program is told, so that it needs not search.
        killed: a process that an attack tries to kill.
    """

    folder: Path
    targets: dict[str, Any]
    killed: subprocess.Popen[bytes]

    @classmethod
    @contextmanager
    def prepare(cls) -> Iterator["Ground"]:
        """Prepares a ground until the block is left."""
        secret = PREFIX + secrets.token_hex(8)
        # Not deleted: an attack may have mounted something there, and /tmp ends with this program.
        folder = Path(mkdtemp(prefix="codegym-hostile-", dir="/tmp"))
        _write_files(
            folder, f'{{"id": "night-1", "config": {{"answer": "{secret}"}}, "difficulty": 3}}\n' * 2
        )
        _cover(folder / "covered", secret)
        answer = folder / "checkout" / "environments" / "night.jsonl"
        with subprocess.Popen(["sleep", "1000"]) as killed, _victim(folder, secret) as told:
            targets = {
                **told,
                "ground": str(folder),
                "answer": str(answer),
                "pattern": PREFIX,
                "killed": killed.pid,
                "harness": os.getpid(),
                "left": f"left-{secrets.token_hex(8)}",
                "handle": base64.b64encode(_handle(answer)).decode(),
            }
            try:
                yield cls(folder, targets, killed)
            finally:
                killed.kill()

    def harm(self) -> dict[str, str]:
        """Returns, by attack, what was done here without a trace in its result."""
        left = self.targets["left"]
        found = [place for place in ("/tmp", "/dev/shm", self.folder) if Path(place, left).exists()]
        for place in found:
            Path(place, left).unlink()
        return {
            "kill_a_process": "changed" if self.killed.poll() is not None else "",
            "leave_a_file_for_other_programs": "changed" if found else "",
        }


def _write_files(folder: Path, answer: str) -> None:
    environments = folder / "checkout" / "environments"
    here = folder / "here"
    for path in (
        *(environments / name for name in ("night.py", "night.jsonl", "night.audit.json", "deleted.jsonl")),
        *(environments / "changed.py", folder / "checkout" / "answers.jsonl", here / "copied.txt"),
        *(folder / "runs" / run / "trajectories.jsonl" for run in ("earlier", "present")),
        *(folder / "cache" / "verdicts.json", folder / "workspaces" / "other" / "work" / "mcp.json"),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(answer)
    for run in ("earlier", "present"):
        (folder / "runs" / run / "run.json").write_text("{}")
        (folder / "runs" / run / "results.jsonl").write_text("{}\n")
    (here / "linked").symlink_to("../checkout/environments")
    (here / "changed.py").write_text("'''Part of the program.'''\n")
    shutil.copy(FIXTURES / "agents" / "hostile.py", here)
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(folder / "checkout"))
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "answers.jsonl"], check=True)
    subprocess.run([*git, "commit", "-qm", "answers"], check=True)
    subprocess.run([*git, "clone", "-q", "--bare", ".", str(folder / "bare.git")], check=True)
    (folder / "checkout" / "answers.jsonl").unlink()


def _cover(folder: Path, secret: str) -> None:
    """Creates a folder whose content is covered by a mount, if the user may mount."""
    folder.mkdir()
    (folder / "secret").write_text(secret)
    with suppress(OSError):
        linux_functions.call("mount", b"tmpfs", bytes(folder), b"tmpfs", 0, b"size=64k")


@contextmanager
def _victim(folder: Path, secret: str) -> Iterator[dict[str, Any]]:
    command = [sys.executable, str(Path(__file__).with_name("victim.py")), str(folder), secret]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, env={"SECRET": secret}, text=True, **pipes) as process:
        yield json.loads(process.stdout.readline())
        process.stdin.close()


def _handle(path: Path) -> bytes:
    """The handle of a file, by which root opens it from anywhere; empty if the file system has none."""
    handle = ctypes.create_string_buffer((128).to_bytes(4, "little") + bytes(132), 136)
    mount = ctypes.c_int()
    try:
        linux_functions.call(
            "name_to_handle_at", ctypes.c_int(-100), bytes(path), handle, ctypes.byref(mount), 0
        )
    except OSError:
        return b""
    return handle.raw


def _command(ground: Ground, url: str, targets: dict[str, Any]) -> list[str]:
    told = base64.b64encode(json.dumps(targets).encode()).decode()
    return [sys.executable, str(ground.folder / "here" / "hostile.py"), url, told]


async def attack_outside(server: ServerProcess) -> dict[str, str]:
    """Runs the program as any other program of the user."""
    with Ground.prepare() as ground:
        directory = ground.folder / "workspaces" / "own" / "work"
        directory.mkdir(parents=True)
        targets = {**ground.targets, "server": str(server.socket_path), "other_path": "/episodes"}
        url = f"{server.url}/episodes/none/mcp"
        with (ground.folder / "cache" / "verdicts.json").open() as inherited:
            command = _command(ground, url, targets)
            result = await anyio.run_process(command, cwd=directory, pass_fds=[inherited.fileno()])
        return json.loads(result.stdout) | ground.harm()


async def attack_in(enclosure: Enclosure, server: ServerProcess, control: ControlClient) -> dict[str, str]:
    """Runs the program as the agent of an episode."""
    with Ground.prepare() as ground:
        other = await control.open_episode(OpenRequest(environment="counter", difficulty=1))
        targets = {**ground.targets, "other_path": "/" + other.mcp_url.split("/", 3)[3]}
        agent = ProgramAgent(
            _command(ground, "{mcp_url}", targets),
            workspaces=ground.folder / "workspaces",
            answers=[ground.folder / name for name in ("checkout/environments", "runs", "cache")],
            _enclosures=[enclosure],
        )
        assignment = Assignment(environment="counter", difficulty=2, seed=0)
        with (ground.folder / "cache" / "verdicts.json").open() as inherited:
            os.set_inheritable(inherited.fileno(), True)
            trajectory = await roll_out(agent, ServedEpisodes(control), assignment, seconds=300)
        program = trajectory.extra.program
        if program is None or program.exit_code != 0 or trajectory.extra.verdict is not None:
            sys.exit(f"The program did not run as it should: {trajectory.to_json()}")
        await control.close(other.id)
        return json.loads(program.stdout) | ground.harm()


async def main() -> dict[str, dict[str, str]]:
    async with (
        start_server([FIXTURES / "counter.py"]) as server,
        ControlClient.connect(server.url, server.token, socket_path=server.socket_path) as control,
    ):
        found = {"outside": await attack_outside(server)}
        for enclosure in (Enclosure.NAMESPACES, Enclosure.LANDLOCK):
            if allows(enclosure):
                found[enclosure.value] = await attack_in(enclosure, server, control)
        return found


def leave_the_machine() -> None:
    """Enters namespaces in which this process and its children can harm nothing of the machine.

    This process waits for a child, the first of the process namespace, in which the caller continues.
    """
    linux_functions.call("unshare", _NAMESPACES)
    child = os.fork()
    if child:
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    linux_functions.die_with_parent()
    linux_functions.call("mount", None, b"/", None, _MS_REC | _MS_PRIVATE, None)
    attributes = ctypes.create_string_buffer(_ATTR_RDONLY.to_bytes(8, "little") + bytes(24), 32)
    linux_functions.call("syscall", _MOUNT_SETATTR, _AT_FDCWD, b"/", _AT_RECURSIVE, attributes, 32)
    # This program itself may be in /tmp, as a clone often is; it is shown there, read-only.
    needed = {str(path) for path in (ROOT, sys.prefix, sys.base_prefix) if Path(path).is_relative_to("/tmp")}
    kept = {path: os.open(path, os.O_PATH) for path in sorted(needed)}
    for place in ("/tmp", "/dev/shm"):
        linux_functions.call("mount", b"tmpfs", place.encode(), b"tmpfs", 0, b"mode=1777")
    for path, descriptor in kept.items():
        os.makedirs(path, exist_ok=True)
        linux_functions.call(
            "mount", f"/proc/self/fd/{descriptor}".encode(), path.encode(), None, _MS_BIND | _MS_REC, None
        )
        os.close(descriptor)
    linux_functions.call("mount", b"proc", b"/proc", b"proc", 0, None)
    _replace_null_device()
    check_nothing_of_the_machine_can_be_changed()
    # The numbers of these processes are none that an agent program has in its own process namespace.
    Path("/proc/sys/kernel/ns_last_pid").write_text("5000")
    first = os.fork()
    if first:
        _reap_until(first)
    network_namespace.start_loopback()


def _replace_null_device() -> None:
    """Puts a device of this program's own in the place of the machine's, so that its rights may be changed."""
    device = "/dev/shm/null"
    os.mknod(device, stat.S_IFCHR, os.makedev(1, 3))
    os.chmod(device, 0o666)
    linux_functions.call("mount", device.encode(), b"/dev/null", None, _MS_BIND, None)


def _reap_until(child: int) -> None:
    """Waits as the first process of a namespace, and ends as the child does."""
    while True:
        pid, status = os.wait()
        if pid == child:
            os._exit(os.waitstatus_to_exitcode(status))


def check_nothing_of_the_machine_can_be_changed() -> None:
    """Ends this program if a folder of the machine is writable."""
    for folder in ("/", "/etc", "/home", "/root", "/usr", "/var", str(Path(__file__).parent)):
        if os.path.isdir(folder) and os.access(folder, os.W_OK):
            sys.exit(f"{folder} is writable. No attack was made.")
    if len([name for name in os.listdir("/proc") if name.isdecimal()]) > 1:
        sys.exit("Processes of the machine are visible. No attack was made.")


if __name__ == "__main__":
    leave_the_machine()
    if sys.argv[1] == "user":
        become_ordinary_user()
    os.environ["HOME"] = "/tmp"
    print(json.dumps(anyio.run(main)))
