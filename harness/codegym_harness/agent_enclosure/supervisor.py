"""Runs one agent program and ends every process that it started.

A process of its own between the harness and the program. It reads a `SupervisorRequest` from its standard
input, one line of JSON, and writes a `SupervisorReport` to a descriptor, in parts, each a line of JSON. The
program runs until it ends by itself, or until the standard input is closed: the harness closes it at the
deadline, and the kernel when the harness has ended.

The first enclosure of the request that the system allows is used. With namespaces, the program has a root and
processes of its own, and all it started ends with its process namespace. Otherwise this process inherits the
processes that the program leaves behind, and kills its children until it has none.
"""

import json
import os
import select
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TypedDict

from codegym_harness.agent_enclosure import landlock_rules, network_namespace, root_filesystem
from codegym_harness.agent_enclosure.dropped_privileges import give_up_privileges
from codegym_harness.processes.child_processes import end_children, fork
from codegym_mcp.sandbox.confinement import landlock, linux_functions

_PR_SET_CHILD_SUBREAPER = 36
_CLONE_NEWNS, _CLONE_NEWIPC, _CLONE_NEWUSER = 0x00020000, 0x08000000, 0x10000000
_CLONE_NEWPID, _CLONE_NEWNET = 0x20000000, 0x40000000
_NOT_STARTED = 127


class SupervisorRequest(TypedDict):
    """A program to run, and how to enclose it."""

    command: list[str]
    directory: str
    environ: dict[str, str]
    enclosures: list[str]
    """The values of `Enclosure` to try, in their order."""
    readable: list[str]
    """Files, folders and symbolic links that the program may find; those above others come first."""
    writable: list[str]
    """Folders that it may change."""
    temporary: str
    """The folder that it finds as /tmp."""
    scratch: str
    """An empty folder, on which its root is built."""
    ports: list[int] | None
    """TCP ports of the loopback address that it may reach, the rest of the network excluded; None for all."""


class SupervisorReport(TypedDict, total=False):
    """The result of a request; keys that do not apply are missing."""

    unavailable: dict[str, str]
    """By enclosure that the system refused, the reason."""
    enclosure: str
    """The enclosure that is in place. The program is started now."""
    error: str
    """Why the program could not be started."""
    status: int
    """The program's exit code; if negative, the number of the signal that ended it."""


def main() -> None:
    """Runs one request.

    The arguments of the process are the descriptor for the report, and that of a Unix socket over which
    listening sockets are sent.
    """
    report, listeners = int(sys.argv[1]), int(sys.argv[2])
    os.set_inheritable(report, False)
    os.set_inheritable(listeners, False)
    # Python would print a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    line = sys.stdin.buffer.readline()
    if not line:
        return
    request: SupervisorRequest = json.loads(line)
    linux_functions.prctl(_PR_SET_CHILD_SUBREAPER, 1)
    for enclosure in request["enclosures"]:
        known = _attend(partial(_RUNS[enclosure], request, listeners), report)
        if "enclosure" in known or not known:
            return


# --- the supervisor itself

Tell = Callable[[SupervisorReport], None]


def _attend(run: Callable[[Tell], None], report: int) -> SupervisorReport:
    """Performs an action in a child until it ends or the harness closes our input, then ends all processes.

    Returns:
        The child's report, which was passed on.
    """
    reading, writing = os.pipe()
    fork(lambda: run(lambda part: _write(writing, part)))
    os.close(writing)
    known: SupervisorReport = {}
    # The program never has the other end: the end of the file is the end of the child.
    while sys.stdin.fileno() not in select.select([sys.stdin.fileno(), reading], [], [])[0]:
        lines = os.read(reading, select.PIPE_BUF)
        if not lines:
            break
        os.write(report, lines)
        for line in lines.splitlines():
            known.update(json.loads(line))
    os.close(reading)
    end_children()
    return known


def _write(descriptor: int, part: SupervisorReport) -> None:
    """Writes a part in one piece, which a pipe guarantees for short ones."""
    os.write(descriptor, json.dumps(part).encode() + b"\n")


# --- its child, the parent of the program


def _run_in_namespaces(request: SupervisorRequest, listeners: int, tell: Tell) -> None:
    """Runs the program with a root and processes of its own."""
    try:
        _enter_namespaces(own_network=request["ports"] is not None)
        # The first process of the process namespace: when it ends, the kernel kills all others in it.
        first = os.fork()
        if first != 0:
            _wait_apart(first)
            return
        linux_functions.die_with_parent()
        if request["ports"] is not None:
            network_namespace.listen_for(request["ports"], listeners)
        root_filesystem.enter_root(
            request["readable"], request["writable"], request["temporary"], request["scratch"]
        )
        _give_up_privileges()
    except OSError as error:
        tell({"unavailable": {"namespaces": error.strerror or str(error)}})
    else:
        _run(request, tell, "namespaces")


def _run_with_landlock(request: SupervisorRequest, _: int, tell: Tell) -> None:
    """Runs the program on the machine's root, of which it may read and change only what the request lists."""

    def restrict() -> None:
        # The network's other protocols have no rules in Landlock.
        landlock_rules.restrict_paths(request["readable"], request["writable"], request["ports"])

    try:
        if landlock.version() < landlock_rules.LEAST_VERSION:
            raise OSError(0, f"Landlock of this kernel is older than version {landlock_rules.LEAST_VERSION}")
        _give_up_privileges(datagrams=request["ports"] is None, shared_ipc=False)
    except OSError as error:
        tell({"unavailable": {"landlock": error.strerror or str(error)}})
    else:
        _run(request, tell, "landlock", restrict)


def _run_unenclosed(request: SupervisorRequest, _: int, tell: Tell) -> None:
    """Runs the program as its user, without new privileges where the system allows that."""
    with suppress(OSError):
        _give_up_privileges()
    _run(request, tell, "none")


_RUNS = {"namespaces": _run_in_namespaces, "landlock": _run_with_landlock, "none": _run_unenclosed}


def _wait_apart(child: int) -> None:
    """Waits with no descriptor open, so that the pipe to the supervisor belongs to the child alone."""
    linux_functions.die_with_parent()
    linux_functions.close_descriptors(0)
    os.waitpid(child, 0)


def _enter_namespaces(*, own_network: bool) -> None:
    """Enters new namespaces; a user without that right enters a user namespace too, under its own id."""
    flags = _CLONE_NEWPID | _CLONE_NEWNS | _CLONE_NEWIPC | (_CLONE_NEWNET if own_network else 0)
    try:
        linux_functions.call("unshare", flags)
    except PermissionError:
        user, group = os.geteuid(), os.getegid()
        linux_functions.call("unshare", flags | _CLONE_NEWUSER)
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1", encoding="ascii")


def _give_up_privileges(*, datagrams: bool = True, shared_ipc: bool = True) -> None:
    """Limits this process and the program."""
    # The program could otherwise write reports through our descriptors.
    linux_functions.forbid_inspection()
    with suppress(OSError):
        landlock_rules.restrict_sockets_and_signals()
    give_up_privileges(datagrams=datagrams, shared_ipc=shared_ipc)


def _run(
    request: SupervisorRequest, tell: Tell, enclosure: str, restrict: Callable[[], None] = lambda: None
) -> None:
    """Starts the program and waits until it ends, reaping the processes that it leaves behind meanwhile."""
    linux_functions.die_with_parent()
    linux_functions.prctl(_PR_SET_CHILD_SUBREAPER, 1)
    tell({"enclosure": enclosure})
    try:
        program = fork(lambda: _execute(request, tell, restrict))
    except OSError as error:
        tell({"error": error.strerror or str(error)})
        return
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == program:
            tell({"status": os.waitstatus_to_exitcode(status)})
            return


def _execute(request: SupervisorRequest, tell: Tell, restrict: Callable[[], None]) -> None:
    """Replaces this process by the program."""
    try:
        linux_functions.die_with_parent()
        os.setsid()
        os.chdir(request["directory"])
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        # A program would inherit that Python ignores these signals.
        for ignored in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(ignored, signal.SIG_DFL)
        restrict()
        os.execve(request["command"][0], request["command"], request["environ"])  # noqa: S606
    except OSError as error:
        tell({"error": error.strerror or str(error)})
        os._exit(_NOT_STARTED)


if __name__ == "__main__":
    main()
