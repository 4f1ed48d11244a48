"""Builds the root in which an agent program finds only what it needs.

The caller has entered a mount namespace of its own.
"""

import ctypes
import errno
import os
import struct
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from codegym_mcp.sandbox.confinement import linux_functions

_MS_NOSUID, _MS_NODEV, _MS_NOEXEC = 2, 4, 8
_MS_REMOUNT, _MS_BIND, _MS_REC, _MS_PRIVATE = 0x20, 0x1000, 0x4000, 0x40000
_MNT_DETACH = 2
_MOUNT_SETATTR = 442
"""The same number on every architecture."""
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000
_ATTR_RDONLY, _ATTR_NOSUID, _ATTR_NODEV = 1, 2, 4

_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_DEVICE_LINKS = {
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
}
_READ_ONLY_PROC = ("acpi", "asound", "bus", "driver", "fs", "irq", "scsi", "sys", "sysrq-trigger")
"""Parts of /proc through which root changes the kernel's settings."""
_EMPTY_PROC = (
    *("kallsyms", "kcore", "keys", "key-users", "kmsg", "kpagecgroup", "kpagecount", "kpageflags"),
    *("latency_stats", "modules", "sched_debug", "slabinfo", "timer_list", "vmallocinfo"),
)
"""Parts of /proc that tell of the kernel's memory or of other processes."""
_SKIPPED = (errno.EACCES, errno.EPERM, errno.ENOENT, errno.ELOOP)
"""Errors for a path that the user cannot read, or that has just been removed: the program goes without."""


def enter_root(readable: Sequence[str], writable: Sequence[str], temporary: str, scratch: str) -> None:
    """Makes a new root and leaves the old one, which then cannot be reached any more.

    Args:
        readable: files, folders and symbolic links to show at their own paths, read-only; those above others
            come first.
        writable: folders to show at their own paths.
        temporary: the folder to show as /tmp and /var/tmp.
        scratch: an empty folder, on which the new root is built.

    Raises:
        OSError: the system does not allow it.
    """
    linux_functions.call("mount", None, b"/", None, _MS_REC | _MS_PRIVATE, None)
    flags = _MS_NOSUID | _MS_NODEV
    linux_functions.call("mount", b"tmpfs", os.fsencode(scratch), b"tmpfs", flags, b"size=16m,mode=755")
    root = _Root(Path(scratch))
    # First, since what may be read can lie there.
    for place in ("/tmp", "/var/tmp"):  # noqa: S108
        root.bind(Path(temporary), Path(place), read_only=False)
    for path in readable:
        with suppress(_SkippedError):
            root.show(Path(path))
    for path in writable:
        root.bind(Path(path), Path(path), read_only=False)
    root.add_devices()
    root.add_proc()
    root.enter()


class _SkippedError(Exception):
    """A path cannot be shown."""


class _Root:
    """A root under construction."""

    def __init__(self, top: Path) -> None:
        self._top = top

    def show(self, path: Path) -> None:
        """Shows a file, a folder or a symbolic link at its own path, read-only.

        Raises:
            _SkippedError: this user cannot read it, or it is no longer there.
        """
        try:
            if path.is_symlink():
                place = self._place(path)
                place.parent.mkdir(parents=True, exist_ok=True)
                if not os.path.lexists(place):
                    place.symlink_to(os.readlink(path))
            else:
                self.bind(path, path, read_only=True)
        except OSError as error:
            if error.errno in _SKIPPED:
                raise _SkippedError from error
            raise

    def bind(self, source: Path, path: Path, *, read_only: bool, devices: bool = False) -> None:
        """Shows a file or a folder at a path."""
        place = self._place(path)
        if source.is_dir():
            place.mkdir(parents=True, exist_ok=True)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.touch()
        # Not what is mounted below, which nobody has looked at; some systems allow it only together.
        try:
            linux_functions.call("mount", bytes(source), bytes(place), None, _MS_BIND, None)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            linux_functions.call("mount", bytes(source), bytes(place), None, _MS_BIND | _MS_REC, None)
        attributes = _ATTR_NOSUID | (_ATTR_RDONLY if read_only else 0) | (0 if devices else _ATTR_NODEV)
        _set_attributes(place, attributes)

    def add_devices(self) -> None:
        """Adds the devices that every program may expect, and terminals of its own where possible."""
        for name in _DEVICES:
            if os.path.exists(f"/dev/{name}"):
                self.bind(Path("/dev", name), Path("/dev", name), read_only=True, devices=True)
        for name, target in _DEVICE_LINKS.items():
            (self._top / "dev" / name).symlink_to(target)
        memory, terminals = self._top / "dev/shm", self._top / "dev/pts"
        memory.mkdir()
        terminals.mkdir()
        flags = _MS_NOSUID | _MS_NODEV | _MS_NOEXEC
        linux_functions.call("mount", b"tmpfs", bytes(memory), b"tmpfs", flags, b"size=256m,mode=1777")
        with suppress(OSError):
            options = b"newinstance,ptmxmode=0666,mode=620"
            linux_functions.call("mount", b"devpts", bytes(terminals), b"devpts", flags & ~_MS_NODEV, options)
            (self._top / "dev/ptmx").symlink_to("pts/ptmx")

    def add_proc(self) -> None:
        """Adds /proc of the program's own process namespace, without the kernel's settings and memory."""
        proc = self._top / "proc"
        proc.mkdir()
        flags = _MS_NOSUID | _MS_NODEV | _MS_NOEXEC
        linux_functions.call("mount", b"proc", bytes(proc), b"proc", flags, None)
        for name in _READ_ONLY_PROC:
            if (proc / name).exists():
                place = bytes(proc / name)
                linux_functions.call("mount", place, place, None, _MS_BIND | _MS_REC, None)
                _set_attributes(proc / name, _ATTR_RDONLY | _ATTR_NOSUID | _ATTR_NODEV)
        for name in _EMPTY_PROC:
            if (proc / name).exists():
                linux_functions.call("mount", b"/dev/null", bytes(proc / name), None, _MS_BIND, None)
                _set_attributes(proc / name, _ATTR_RDONLY | _ATTR_NOSUID)

    def enter(self) -> None:
        """Makes this the root of the process, read-only, and detaches the old one."""
        _set_attributes(self._top, _ATTR_RDONLY | _ATTR_NOSUID | _ATTR_NODEV, recursive=False)
        os.chdir(self._top)
        # The old root is then mounted upon the new one, and removed from there.
        linux_functions.call("pivot_root", b".", b".")
        linux_functions.call("umount2", b".", _MNT_DETACH)
        os.chdir("/")

    def _place(self, path: Path) -> Path:
        return self._top / path.relative_to("/")


def _set_attributes(place: Path, attributes: int, *, recursive: bool = True) -> None:
    """Adds attributes to a mount, and to those below it."""
    structure = ctypes.create_string_buffer(struct.pack("=QQQQ", attributes, 0, 0, 0), 32)
    flags = _AT_RECURSIVE if recursive else 0
    try:
        linux_functions.call("syscall", _MOUNT_SETATTR, _AT_FDCWD, bytes(place), flags, structure, 32)
    except OSError as error:
        if error.errno != errno.ENOSYS:
            raise
        # The attributes and the flags of `mount` have the same values. Before Linux 5.12.
        linux_functions.call("mount", None, bytes(place), None, _MS_REMOUNT | _MS_BIND | attributes, None)
