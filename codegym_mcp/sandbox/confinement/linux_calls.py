"""Calls of the Linux kernel that Python's standard library does not offer, through the C library."""

import ctypes
import errno
import os
import resource
import sys
from typing import Any

try:
    _libc = ctypes.CDLL(None, use_errno=True)
except (OSError, TypeError):
    # No C library that can be asked by name: every call below says so.
    _libc = None  # type: ignore[assignment]

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38
_CAPABILITY_VERSION_3 = 0x20080522


def call(function: str, *arguments: Any) -> int:
    """Calls a function of the C library.

    Args:
        function: its name.
        arguments: whole numbers are passed as unsigned long; bytes, None and ctypes objects as they are.

    Returns:
        What it returned, never negative.

    Raises:
        OSError: it failed, or this system has no such function.
    """
    if sys.platform != "linux":
        raise OSError(errno.ENOSYS, f"{function} exists on Linux only")
    implementation = getattr(_libc, function, None)
    if implementation is None:
        raise OSError(errno.ENOSYS, f"the C library has no {function}")
    passed = [ctypes.c_ulong(value) if isinstance(value, int) else value for value in arguments]
    result: int = implementation(*passed)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{function}: {os.strerror(number)}")
    return result


def prctl(option: int, value: int, argument: Any = 0) -> None:
    """Changes a property of this process; raises OSError."""
    call("prctl", option, value, argument, 0, 0)


def die_with_parent() -> None:
    """This process is killed when its parent ends. A change of user undoes it."""
    prctl(_PR_SET_PDEATHSIG, 9)


def forbid_inspection() -> None:
    """Other processes of the same user can neither trace this one nor read its memory; it dumps no core."""
    prctl(_PR_SET_DUMPABLE, 0)


def forbid_new_privileges() -> None:
    """Nothing that this process executes gains rights, for good."""
    prctl(_PR_SET_NO_NEW_PRIVS, 1)


def drop_capabilities() -> None:
    """Gives up all capabilities, those within a user namespace too."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    call("capset", header, (ctypes.c_uint32 * 6)())


def use_batch_scheduling() -> None:
    """No other process is interrupted because this one wakes up; processes that it starts inherit that.

    Raises:
        OSError: it is not to be had here.
    """
    if not hasattr(os, "SCHED_BATCH"):
        raise OSError(0, "this system has no batch scheduling")
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def close_descriptors(first: int, keep: int = -1) -> None:
    """Closes every descriptor from `first` on, but `keep`."""
    end = max(resource.getrlimit(resource.RLIMIT_NOFILE)[0], keep + 1, 65536)
    if keep >= first:
        os.closerange(first, keep)
        first = keep + 1
    os.closerange(first, end)
