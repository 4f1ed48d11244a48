"""Landlock rules for an agent program: what it may read, write and connect to on the machine's own root."""

import errno
import os
import stat
import struct
from collections.abc import Iterable, Sequence
from contextlib import suppress

from codegym_mcp.sandbox.confinement import landlock, linux_functions

# The same numbers on every architecture.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_PATH_BENEATH, _NET_PORT = 1, 2
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_FOLDER = 1, 2, 4, 8
_TRUNCATE, _DEVICE_CONTROL = 1 << 14, 1 << 15
_ALL_FILE_RIGHTS = 0xFFFF
_CONNECT_TCP = 2
_ABSTRACT_SOCKETS_AND_SIGNALS = 3
LEAST_VERSION = 6
"""The first version of Landlock with rules for abstract sockets and signals."""

_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_PROC = ("cpuinfo", "filesystems", "loadavg", "meminfo", "stat", "sys/kernel", "sys/vm", "uptime", "version")
_FILE_RIGHTS = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _DEVICE_CONTROL


def restrict_paths(readable: Sequence[str], writable: Sequence[str], ports: Sequence[int] | None) -> None:
    """Allows this process, and all that it starts, only what is listed.

    Args:
        readable: files and folders; symbolic links among them change nothing.
        writable: folders.
        ports: TCP ports that it may connect to; all of them if None.

    Raises:
        OSError: the kernel has no Landlock, or one without rules for signals.
    """
    version = landlock.version()
    if version < LEAST_VERSION:
        raise OSError(errno.ENOSYS, f"Landlock has version {version} here; {LEAST_VERSION} is needed")
    network = _CONNECT_TCP if ports is not None else 0
    ruleset = _create(_ALL_FILE_RIGHTS, network, _ABSTRACT_SOCKETS_AND_SIGNALS)
    try:
        reading = _EXECUTE | _READ_FILE | _READ_FOLDER
        _allow(ruleset, readable, reading)
        _allow(ruleset, [f"/proc/{name}" for name in (*_PROC, os.getpid())], _READ_FILE | _READ_FOLDER)
        _allow(ruleset, _DEVICES, _READ_FILE | _WRITE_FILE | _TRUNCATE | _DEVICE_CONTROL)
        _allow(ruleset, writable, _ALL_FILE_RIGHTS)
        for port in ports or ():
            rule = struct.pack("=QQ", _CONNECT_TCP, port)
            linux_functions.call("syscall", _ADD_RULE, ruleset, _NET_PORT, rule, 0)
        linux_functions.call("syscall", _RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def restrict_sockets_and_signals() -> None:
    """Keeps this process, and all that it starts, from abstract sockets and signals of other processes.

    Raises:
        OSError: the kernel's Landlock has no rules for them.
    """
    if landlock.version() < LEAST_VERSION:
        raise OSError(errno.ENOSYS, "Landlock of this kernel has no rules for signals")
    ruleset = _create(0, 0, _ABSTRACT_SOCKETS_AND_SIGNALS)
    try:
        linux_functions.call("syscall", _RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _create(files: int, network: int, scope: int) -> int:
    attributes = struct.pack("=QQQ", files, network, scope)
    return linux_functions.call("syscall", _CREATE_RULESET, attributes, len(attributes), 0)


def _allow(ruleset: int, paths: Iterable[str], rights: int) -> None:
    """Allows something beneath paths; those that this user cannot open are left out."""
    for path in paths:
        with suppress(FileNotFoundError, PermissionError, NotADirectoryError):
            if os.path.islink(path):
                continue
            descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
            try:
                folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
                fitting = rights if folder else rights & _FILE_RIGHTS
                rule = struct.pack("=Qi", fitting, descriptor)
                linux_functions.call("syscall", _ADD_RULE, ruleset, _PATH_BENEATH, rule, 0)
            finally:
                os.close(descriptor)
