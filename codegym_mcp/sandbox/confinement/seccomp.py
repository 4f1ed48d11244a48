"""The system calls that a confined process may make: those of computing and of its one open channel.

Everything else fails with EPERM, which a program can be told about. A call in the manner of another
architecture kills the process: the numbers below mean something else there.
"""

import ctypes
import errno
import platform
import struct
from dataclasses import dataclass

from codegym_mcp.sandbox.confinement import linux_calls

_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2

# Classic BPF: load a word of the call's description, jump on a comparison, return a verdict.
_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _THIRD_ARGUMENT = 0, 4, 32
_ALLOW, _KILL, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050000 | errno.EPERM
_PROT_EXEC = 4
_X32 = 0x40000000


@dataclass(frozen=True)
class Machine:
    """What an architecture calls things.

    Attributes:
        audit: the kernel's number of the architecture.
        allowed: number of each call that is allowed whatever its arguments.
        mapping: those that are allowed unless they ask for executable memory; protection is their third
            argument.
        x32: whether numbers from 0x40000000 on are a second way into the kernel.
    """

    audit: int
    allowed: dict[str, int]
    mapping: dict[str, int]
    x32: bool = False


# Ordered by how often they are made: the filter is read from the top.
MACHINES = {
    "x86_64": Machine(
        audit=0xC000003E,
        allowed={
            "recvfrom": 45,
            "sendto": 44,
            "munmap": 11,
            "brk": 12,
            "futex": 202,
            "mremap": 25,
            "madvise": 28,
            "read": 0,
            "write": 1,
            "clock_gettime": 228,
            "gettimeofday": 96,
            "time": 201,
            "getrandom": 318,
            "getpid": 39,
            "rt_sigreturn": 15,
            "restart_syscall": 219,
            "sigaltstack": 131,
            "sched_yield": 24,
            "exit": 60,
            "exit_group": 231,
        },
        mapping={"mmap": 9, "mprotect": 10},
        x32=True,
    ),
    "aarch64": Machine(
        audit=0xC00000B7,
        allowed={
            "recvfrom": 207,
            "sendto": 206,
            "munmap": 215,
            "brk": 214,
            "futex": 98,
            "mremap": 216,
            "madvise": 233,
            "read": 63,
            "write": 64,
            "clock_gettime": 113,
            "gettimeofday": 169,
            "getrandom": 278,
            "getpid": 172,
            "rt_sigreturn": 139,
            "restart_syscall": 128,
            "sigaltstack": 132,
            "sched_yield": 124,
            "exit": 93,
            "exit_group": 94,
        },
        mapping={"mmap": 222, "mprotect": 226},
    ),
}


def _instruction(code: int, operand: int, when_true: int = 0, when_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, when_true, when_false, operand)


def program(machine: Machine) -> bytes:
    """The filter for an architecture, as classic BPF instructions of eight bytes."""
    lines = [
        _instruction(_LOAD, _ARCHITECTURE),
        _instruction(_JUMP_EQUAL, machine.audit, when_true=1),
        _instruction(_RETURN, _KILL),
        _instruction(_LOAD, _NUMBER),
    ]
    if machine.x32:
        lines += [_instruction(_JUMP_AT_LEAST, _X32, when_false=1), _instruction(_RETURN, _KILL)]
    for number in machine.mapping.values():
        lines += [
            _instruction(_JUMP_EQUAL, number, when_false=4),
            _instruction(_LOAD, _THIRD_ARGUMENT),
            _instruction(_JUMP_BITS, _PROT_EXEC, when_false=1),
            _instruction(_RETURN, _REFUSE),
            _instruction(_RETURN, _ALLOW),
        ]
    for number in machine.allowed.values():
        lines += [_instruction(_JUMP_EQUAL, number, when_false=1), _instruction(_RETURN, _ALLOW)]
    lines.append(_instruction(_RETURN, _REFUSE))
    return b"".join(lines)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


class Filter:
    """A filter for this machine, ready to be put in place.

    It is built before the first fork: what a child does itself, each child pays for.
    """

    def __init__(self) -> None:
        """Builds the filter; raises OSError where this architecture is not known."""
        name = platform.machine()
        if name not in MACHINES or struct.calcsize("P") != 8:
            raise OSError(errno.ENOSYS, f"no list of system calls for {name or 'this machine'}")
        instructions = program(MACHINES[name])
        self._program = _Program(len(instructions) // 8, instructions)

    def install(self) -> None:
        """Puts the filter in place for this process, for good.

        Raises:
            OSError: the kernel has no seccomp filters, or new privileges are not forbidden yet.
        """
        linux_calls.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(self._program))
