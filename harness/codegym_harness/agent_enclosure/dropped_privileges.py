"""Takes from an agent program the rights and system calls by which it could reach beyond its root."""

import ctypes
import errno
import platform
import struct
import sys
from contextlib import suppress
from dataclasses import dataclass

from codegym_mcp.sandbox.confinement import linux_functions

if sys.platform != "win32":
    import resource

_PR_CAPBSET_DROP, _PR_SET_SECCOMP = 24, 22
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
_SECCOMP_MODE_FILTER = 2
_CAPABILITY_VERSION_3 = 0x20080522
_MOST_CAPABILITIES = 64

KEPT_CAPABILITIES = {
    0: "chown: root that unpacks an archive sets the owners that are recorded in it",
    3: "fowner: root then sets the modes of these files",
}
"""Capabilities that root keeps, with the reason. Both concern files that it can write: its own folders."""


def give_up_privileges(*, datagrams: bool = True, shared_ipc: bool = True) -> None:
    """Limits this process and all that it executes, for good.

    Args:
        datagrams: whether Internet sockets other than TCP are allowed.
        shared_ipc: whether System V shared memory and message queues are allowed, and limits of other
            processes. A process without namespaces shares them with all others.

    Raises:
        OSError: the system has no filter for system calls.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    linux_functions.forbid_new_privileges()
    _keep_capabilities()
    _install_filter(datagrams=datagrams, shared_ipc=shared_ipc)


def _keep_capabilities() -> None:
    for capability in range(_MOST_CAPABILITIES):
        if capability not in KEPT_CAPABILITIES:
            # A user without the right to give them up has none that an execution would keep.
            with suppress(OSError):
                linux_functions.prctl(_PR_CAPBSET_DROP, capability)
    with suppress(OSError):
        linux_functions.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    held = (ctypes.c_uint32 * 6)()
    linux_functions.call("capget", header, held)
    kept = sum(1 << capability for capability in KEPT_CAPABILITIES)
    # Effective, permitted and inheritable; the upper half holds those from 32 on.
    limited = (ctypes.c_uint32 * 6)(held[0] & kept, held[1] & kept, 0, 0, 0, 0)
    linux_functions.call("capset", header, limited)


# --- system calls

_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_BITS, _AND, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT, _SECOND_ARGUMENT = 0, 4, 16, 24
_ALLOW, _KILL, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050000
_CLONE_NEWUSER = 0x10000000
_X32 = 0x40000000
_CLONE3 = 435
_AF_INET, _AF_INET6, _SOCK_STREAM, _SOCKET_TYPES = 2, 10, 1, 0xF
_SHARED_NUMBERS = {"io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427}


@dataclass(frozen=True)
class _Architecture:
    audit: int
    refused: dict[str, int]
    """System calls that fail with EPERM."""
    shared_ipc: tuple[int, ...]
    """shmget, shmat, shmctl, semget, semop, semctl, semtimedop, msgget, msgsnd, msgrcv, msgctl, mq_open."""
    unshare: int
    clone: int
    socket: int
    prlimit: int
    x32: bool = False


# open_by_handle_at opens files outside the root; the keyrings are shared by all processes of a user;
# bpf, perf_event_open and io_uring reach past this filter or into other processes; the others change mounts
# or namespaces.
_ARCHITECTURES = {
    "x86_64": _Architecture(
        audit=0xC000003E,
        refused={
            "open_by_handle_at": 304,
            "add_key": 248,
            "request_key": 249,
            "keyctl": 250,
            "bpf": 321,
            "perf_event_open": 298,
            "userfaultfd": 323,
            "setns": 308,
            "mount": 165,
            "umount2": 166,
            "pivot_root": 155,
            "chroot": 161,
            "kexec_load": 246,
        },
        shared_ipc=(29, 30, 31, 64, 65, 66, 220, 68, 69, 70, 71, 240),
        unshare=272,
        clone=56,
        socket=41,
        prlimit=302,
        x32=True,
    ),
    "aarch64": _Architecture(
        audit=0xC00000B7,
        refused={
            "open_by_handle_at": 265,
            "add_key": 217,
            "request_key": 218,
            "keyctl": 219,
            "bpf": 280,
            "perf_event_open": 241,
            "userfaultfd": 282,
            "setns": 268,
            "mount": 40,
            "umount2": 39,
            "pivot_root": 41,
            "chroot": 51,
            "kexec_load": 104,
        },
        shared_ipc=(194, 196, 195, 190, 193, 191, 192, 186, 189, 188, 187, 180),
        unshare=97,
        clone=220,
        socket=198,
        prlimit=261,
    ),
}
_NEW_MOUNT_CALLS = {
    "open_tree": 428,
    "move_mount": 429,
    "fsopen": 430,
    "fsmount": 432,
    "fspick": 433,
    "mount_setattr": 442,
}


def _instruction(code: int, operand: int, when_true: int = 0, when_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, when_true, when_false, operand)


def _refuse(number: int, error: int = errno.EPERM) -> list[bytes]:
    return [_instruction(_JUMP_EQUAL, number, when_false=1), _instruction(_RETURN, _REFUSE | error)]


def _refuse_user_namespaces(number: int) -> list[bytes]:
    """Refuses a call whose first argument asks for a user namespace, in which every capability is had."""
    return [
        _instruction(_JUMP_EQUAL, number, when_false=4),
        _instruction(_LOAD, _FIRST_ARGUMENT),
        _instruction(_JUMP_BITS, _CLONE_NEWUSER, when_false=1),
        _instruction(_RETURN, _REFUSE | errno.EPERM),
        _instruction(_RETURN, _ALLOW),
    ]


def _refuse_datagrams(number: int) -> list[bytes]:
    return [
        _instruction(_JUMP_EQUAL, number, when_false=8),
        _instruction(_LOAD, _FIRST_ARGUMENT),
        _instruction(_JUMP_EQUAL, _AF_INET, when_true=1),
        _instruction(_JUMP_EQUAL, _AF_INET6, when_false=4),
        _instruction(_LOAD, _SECOND_ARGUMENT),
        _instruction(_AND, _SOCKET_TYPES),
        _instruction(_JUMP_EQUAL, _SOCK_STREAM, when_true=1),
        _instruction(_RETURN, _REFUSE | errno.EPERM),
        _instruction(_RETURN, _ALLOW),
    ]


def _refuse_other_processes(number: int) -> list[bytes]:
    """Refuses a call whose first argument is a process other than the caller, which is 0."""
    return [
        _instruction(_JUMP_EQUAL, number, when_false=4),
        _instruction(_LOAD, _FIRST_ARGUMENT),
        _instruction(_JUMP_EQUAL, 0, when_true=1),
        _instruction(_RETURN, _REFUSE | errno.EPERM),
        _instruction(_RETURN, _ALLOW),
    ]


def _filter(architecture: _Architecture, *, datagrams: bool, shared_ipc: bool) -> bytes:
    """Returns the filter as instructions of classic BPF, eight bytes each."""
    lines = [
        _instruction(_LOAD, _ARCHITECTURE),
        _instruction(_JUMP_EQUAL, architecture.audit, when_true=1),
        _instruction(_RETURN, _KILL),
        _instruction(_LOAD, _NUMBER),
    ]
    if architecture.x32:
        lines += [
            _instruction(_JUMP_AT_LEAST, _X32, when_false=1),
            _instruction(_RETURN, _REFUSE | errno.ENOSYS),
        ]
    for number in (architecture.refused | _SHARED_NUMBERS | _NEW_MOUNT_CALLS).values():
        lines += _refuse(number)
    # Its flags lie in memory, which a filter cannot read; C libraries then use clone.
    lines += _refuse(_CLONE3, errno.ENOSYS)
    if not datagrams:
        lines += _refuse_datagrams(architecture.socket)
    if not shared_ipc:
        for number in architecture.shared_ipc:
            lines += _refuse(number)
        lines += _refuse_other_processes(architecture.prlimit)
    lines += _refuse_user_namespaces(architecture.unshare)
    lines += _refuse_user_namespaces(architecture.clone)
    lines.append(_instruction(_RETURN, _ALLOW))
    return b"".join(lines)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def _install_filter(*, datagrams: bool, shared_ipc: bool) -> None:
    name = platform.machine()
    if name not in _ARCHITECTURES or struct.calcsize("P") != 8:
        raise OSError(errno.ENOSYS, f"there is no list of system calls for {name or 'this machine'}")
    instructions = _filter(_ARCHITECTURES[name], datagrams=datagrams, shared_ipc=shared_ipc)
    program = _Program(len(instructions) // 8, instructions)
    linux_functions.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program))
