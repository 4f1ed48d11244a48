"""Calls of the Linux kernel that Python's standard library does not offer, through the C library."""

import ctypes
import errno
import os
import sys
from typing import Any

if sys.platform != "win32":
    import resource

try:
    _libc = ctypes.CDLL(None, use_errno=True)
except (OSError, TypeError):
    # No C library can be opened by name: every call below raises OSError.
    _libc = None  # type: ignore[assignment]

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38
_CAPABILITY_VERSION_3 = 0x20080522


def call(function: str, *arguments: Any) -> int:
    """Calls a function of the C library.

    Args:
        function: its name.
        arguments: integers are passed as unsigned long; bytes, None and ctypes objects unchanged.

    Returns:
        Its result, which is never negative.

    Raises:
        OSError: it failed, or this system does not have it.
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
    """Has this process killed when the thread that started it ends. A change of user undoes it."""
    prctl(_PR_SET_PDEATHSIG, 9)


def forbid_inspection() -> None:
    """Prevents core dumps, and that other processes of the same user trace this one or read its memory."""
    prctl(_PR_SET_DUMPABLE, 0)


def forbid_new_privileges() -> None:
    """Prevents this process, permanently, from gaining rights through what it executes."""
    prctl(_PR_SET_NO_NEW_PRIVS, 1)


def drop_capabilities() -> None:
    """Gives up all capabilities, including those within a user namespace."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    call("capset", header, (ctypes.c_uint32 * 6)())


def use_batch_scheduling() -> None:
    """Schedules this process, and those that it starts, so that waking up interrupts no other process.

    Raises:
        OSError: this system has no batch scheduling, or refuses it.
    """
    if not hasattr(os, "SCHED_BATCH"):
        raise OSError(errno.ENOSYS, "this system has no batch scheduling")
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def close_descriptors(first: int, keep: int = -1) -> None:
    """Closes every descriptor from `first` on, except `keep`."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0] if sys.platform != "win32" else 0
    end = max(limit, keep + 1, 65536)
    if keep >= first:
        os.closerange(first, keep)
        first = keep + 1
    os.closerange(first, end)
