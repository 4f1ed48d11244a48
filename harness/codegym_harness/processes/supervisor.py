"""Keeps one program: starts it, and leaves nothing of it or of anything that it started.

A process of its own between the harness and the program, run as `python -m codegym_harness.processes.supervisor DESCRIPTOR`. It
reads a `SupervisorRequest` from its standard input, one line of JSON, and writes a `SupervisorReport` to the descriptor, part by
part, each a line of JSON. The program runs until it ends by itself, or until the standard input is closed:
the harness does that at the deadline, and the kernel when the harness is no more.

Where the system allows it, the program gets a pid namespace: it sees no other processes, and whatever it
started ends with the namespace. It also gets a mount namespace, in which some paths are hidden. Elsewhere the
warden is the reaper of all that the program leaves behind, and kills its children until there are none.
"""

import json
import os
import select
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypedDict

from codegym_mcp.sandbox.confinement import linux_calls

_PR_CAPBSET_DROP = 24
_PR_SET_CHILD_SUBREAPER = 36
_CAPABILITIES = {"sys_ptrace": 19, "sys_admin": 21, "perfmon": 38}
"""Those by which root undoes a mount or reads the memory of others."""
_CLONE_NEWNS, _CLONE_NEWUSER, _CLONE_NEWPID = 0x00020000, 0x10000000, 0x20000000
_MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_BIND, _MS_REC, _MS_PRIVATE = 2, 4, 8, 0x1000, 0x4000, 0x40000
_NOT_STARTED = 127


class SupervisorRequest(TypedDict):
    """What is to be run."""

    command: list[str]
    directory: str
    environ: dict[str, str]
    hidden: list[str]
    """Files and directories that the program finds empty, where there are namespaces. All exist."""
    namespaces: bool
    """Whether to try them."""


class SupervisorReport(TypedDict, total=False):
    """How it went, as far as it came."""

    unavailable: str
    """Why there are no namespaces."""
    started: bool
    """All is ready; the program is started now."""
    error: str
    """Why it could not be."""
    status: int
    """The program's exit code; negative, the signal that ended it."""


def main() -> None:
    """Runs one request."""
    report = int(sys.argv[1])
    os.set_inheritable(report, False)
    # A Python program would die of it in words.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    line = sys.stdin.buffer.readline()
    if not line:
        return
    request: SupervisorRequest = json.loads(line)
    linux_calls.prctl(_PR_SET_CHILD_SUBREAPER, 1)
    for run in (_run_enclosed, _run) if request["namespaces"] else (_run,):
        if "unavailable" not in _attend(run, request, report):
            return


# --- the warden itself

Tell = Callable[[SupervisorReport], None]
Run = Callable[[SupervisorRequest, Tell], None]


def _attend(run: Run, request: SupervisorRequest, report: int) -> SupervisorReport:
    """Performs an action in a child, until it ends or the harness lets go; then nothing is left of it.

    Returns:
        What the child told, which was passed on.
    """
    told, telling = os.pipe()
    _fork(lambda: run(request, lambda part: _write(telling, part)))
    os.close(telling)
    known: SupervisorReport = {}
    # The program never has the other end: end of file is the end of the child.
    while sys.stdin.fileno() not in select.select([sys.stdin.fileno(), told], [], [])[0]:
        lines = os.read(told, select.PIPE_BUF)
        if not lines:
            break
        os.write(report, lines)
        for line in lines.splitlines():
            known.update(json.loads(line))
    os.close(told)
    _end_children()
    return known


def _write(descriptor: int, part: SupervisorReport) -> None:
    """Writes a part in one piece, as a pipe does with what is short."""
    os.write(descriptor, json.dumps(part).encode() + b"\n")


def _fork(action: Callable[[], None]) -> int:
    """Performs an action in a child process, which ends with it."""
    pid = os.fork()
    if pid == 0:
        try:
            action()
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)
    return pid


def _end_children() -> None:
    """Kills children until there are none; what a child leaves behind becomes a child.

    Nobody else is hit: nothing but its parent can free the pid of a child, and that is this process. There is
    no pause between looking and killing, since a program may go on by forking and ending.
    """
    while True:
        try:
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
        except ChildProcessError:
            return
        for child in _children():
            os.kill(child, signal.SIGKILL)


def _children() -> list[int]:
    me = os.getpid()
    try:
        return [int(pid) for pid in Path(f"/proc/self/task/{me}/children").read_text().split()]
    except FileNotFoundError:
        # Some kernels are built without.
        return [pid for pid in _processes() if _parent(pid) == me]


def _processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdecimal()]


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[1])
    except OSError:
        return 0


# --- its child, which is the program's parent


def _run_enclosed(request: SupervisorRequest, tell: Tell) -> None:
    """Runs the program in namespaces of its own."""
    try:
        _enter_namespaces()
        # The first process of the pid namespace: when it ends, all in it are killed.
        first = os.fork()
        if first != 0:
            _wait_apart(first)
            return
        linux_calls.die_with_parent()
        _arrange_files(request)
    except OSError as error:
        tell({"unavailable": error.strerror or str(error)})
    else:
        _run(request, tell)


def _wait_apart(child: int) -> None:
    """Waits with nothing open, so that the pipe to the warden is the child's alone."""
    linux_calls.die_with_parent()
    linux_calls.close_descriptors(0)
    os.waitpid(child, 0)


def _enter_namespaces() -> None:
    """Root enters by its own right, everyone else through a user namespace, staying who they are."""
    flags = _CLONE_NEWPID | _CLONE_NEWNS
    try:
        linux_calls.call("unshare", flags)
    except PermissionError:
        user, group = os.geteuid(), os.getegid()
        linux_calls.call("unshare", flags | _CLONE_NEWUSER)
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1", encoding="ascii")


def _arrange_files(request: SupervisorRequest) -> None:
    """Shows the processes of the namespace alone, and hides what is to be hidden."""
    directory = request["directory"]
    kept = os.open(directory, os.O_PATH | os.O_DIRECTORY)
    linux_calls.call("mount", None, b"/", None, _MS_REC | _MS_PRIVATE, None)
    linux_calls.call("mount", b"proc", b"/proc", b"proc", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC, None)
    for path in request["hidden"]:
        if os.path.isdir(path):
            flags = _MS_NOSUID | _MS_NODEV | _MS_NOEXEC
            linux_calls.call("mount", b"tmpfs", os.fsencode(path), b"tmpfs", flags, b"size=4k,mode=755")
        else:
            linux_calls.call("mount", b"/dev/null", os.fsencode(path), None, _MS_BIND, None)
    if not os.path.isdir(directory):
        # It lies in a hidden one; it alone is shown there.
        os.makedirs(directory)
        linux_calls.call(
            "mount", f"/proc/self/fd/{kept}".encode(), os.fsencode(directory), None, _MS_BIND, None
        )
    os.close(kept)


def _run(request: SupervisorRequest, tell: Tell) -> None:
    """Starts the program and waits until it ends, reaping whatever it leaves behind meanwhile."""
    linux_calls.die_with_parent()
    linux_calls.prctl(_PR_SET_CHILD_SUBREAPER, 1)
    _give_up_rights()
    tell({"started": True})
    try:
        program = _fork(lambda: _execute(request, tell))
    except OSError as error:
        tell({"error": error.strerror or str(error)})
        return
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == program:
            tell({"status": os.waitstatus_to_exitcode(status)})
            return


def _give_up_rights() -> None:
    """Nothing executed from here on can undo the mounts or read the memory of others, be it root."""
    linux_calls.forbid_new_privileges()
    for capability in _CAPABILITIES.values():
        # Who may not give them up has none that an execution would keep.
        with suppress(OSError):
            linux_calls.prctl(_PR_CAPBSET_DROP, capability)


def _execute(request: SupervisorRequest, tell: Tell) -> None:
    """Becomes the program."""
    try:
        linux_calls.die_with_parent()
        os.setsid()
        os.chdir(request["directory"])
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        # What Python ignores, a program would ignore with it.
        for ignored in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(ignored, signal.SIG_DFL)
        os.execve(request["command"][0], request["command"], request["environ"])  # noqa: S606
    except OSError as error:
        tell({"error": error.strerror or str(error)})
        os._exit(_NOT_STARTED)


if __name__ == "__main__":
    main()
