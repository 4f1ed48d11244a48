"""Children of this process: how they are started, and how all of them are ended."""

import os
import signal
import traceback
from collections.abc import Callable
from pathlib import Path


def fork(action: Callable[[], None]) -> int:
    """Performs an action in a child process, which then ends."""
    pid = os.fork()
    if pid == 0:
        try:
            action()
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)
    return pid


def end_children() -> None:
    """Kills children until none is left; a process whose parent has ended becomes a child of this one.

    No other process is hit: only its parent, which is this process, can free the pid of a child. There is no
    pause between listing and killing, since a program may keep forking.
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
    own = os.getpid()
    try:
        return [int(pid) for pid in Path(f"/proc/self/task/{own}/children").read_text().split()]
    except FileNotFoundError:
        # Some kernels are built without this file.
        return [pid for pid in _processes() if _parent(pid) == own]


def _processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdecimal()]


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[1])
    except OSError:
        return 0
