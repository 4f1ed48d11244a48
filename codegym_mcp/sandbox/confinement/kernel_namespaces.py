"""Namespaces of the kernel: a process gets its own empty network, file system and process list.

Each is optional: some systems allow all of them to every user, some none. Root can enter all of them
directly; other users must first enter a user namespace, which gives them the right to enter the others.
"""

import os
import select
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from codegym_mcp.sandbox.confinement import linux_functions
from codegym_mcp.sandbox.confinement.confinement_layers import Layer, Step

_CLONE_NEWNS = 0x00020000
_CLONE_NEWUTS = 0x04000000
_CLONE_NEWIPC = 0x08000000
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWPID = 0x20000000
_CLONE_NEWNET = 0x40000000

_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC = 1, 2, 4, 8
_MS_REC, _MS_PRIVATE = 0x4000, 0x40000
_MNT_DETACH = 2
_AGAINST_USER_NAMESPACES = {
    "user/max_user_namespaces": "0",
    "kernel/unprivileged_userns_clone": "0",
    "kernel/apparmor_restrict_unprivileged_userns": "1",
}
_HOST_NAME = b"sandbox"


def enter_user() -> None:
    """Enters a user namespace in which no user is mapped."""
    try:
        linux_functions.call("unshare", _CLONE_NEWUSER)
    except OSError as error:
        raise OSError(error.errno, f"{error.strerror}{_setting_against()}") from None


def _setting_against() -> str:
    """Returns the setting of this system that refuses user namespaces, or an empty string."""
    for setting, value in _AGAINST_USER_NAMESPACES.items():
        with suppress(OSError):
            if Path("/proc/sys", setting).read_text(encoding="ascii").strip() == value:
                return f" ({setting.replace('/', '.')} is {value})"
    return ""


def _enter_uts() -> None:
    linux_functions.call("unshare", _CLONE_NEWUTS)
    linux_functions.call("sethostname", _HOST_NAME, len(_HOST_NAME))


def _enter_mount() -> None:
    """Enters a mount namespace and replaces the whole file system with an empty, read-only one."""
    linux_functions.call("unshare", _CLONE_NEWNS)
    linux_functions.call("mount", None, b"/", None, _MS_REC | _MS_PRIVATE, None)
    # Any existing directory can be the mount point.
    flags = _MS_RDONLY | _MS_NOSUID | _MS_NODEV | _MS_NOEXEC
    linux_functions.call("mount", b"tmpfs", b"/proc", b"tmpfs", flags, b"size=4k,mode=555")
    os.chdir("/proc")
    # This mounts the old root on top of the new one, from where it is unmounted.
    linux_functions.call("pivot_root", b".", b".")
    linux_functions.call("umount2", b".", _MNT_DETACH)
    os.chdir("/")


STEPS: dict[Layer, Step] = {
    Layer.NETWORK_NAMESPACE: partial(linux_functions.call, "unshare", _CLONE_NEWNET),
    Layer.IPC_NAMESPACE: partial(linux_functions.call, "unshare", _CLONE_NEWIPC),
    Layer.UTS_NAMESPACE: _enter_uts,
    # Only children of this process will be in the namespace.
    Layer.PID_NAMESPACE: partial(linux_functions.call, "unshare", _CLONE_NEWPID),
    Layer.MOUNT_NAMESPACE: _enter_mount,
}
"""How each namespace but the user namespace is entered. The mount namespace is last: it hides all files."""


def become_init() -> Callable[[], bool]:
    """Forks into the new pid namespace and continues as its first process, with which all others in it end.

    The process that forked remains outside, with nothing open, and ends together with this one.

    Returns:
        A function that checks whether the process outside is still running.
    """
    watched, held = os.pipe()
    pid = os.fork()
    if pid != 0:
        try:
            linux_functions.die_with_parent()
            linux_functions.close_descriptors(3, keep=held)
            os.waitpid(pid, 0)
        finally:
            os._exit(0)
    os.close(held)
    return lambda: not select.select([watched], [], [], 0)[0]
