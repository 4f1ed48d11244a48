"""The seccomp filter of a confined process: which system calls it may make, and with which arguments.

A call that is not allowed fails with EPERM. A call in the convention of another architecture kills the
process, because the numbers mean other calls there.
"""

import ctypes
import errno
import platform
import struct

from codegym_mcp.sandbox.confinement import linux_functions
from codegym_mcp.sandbox.confinement.allowed_system_calls import (
    ALLOWED_CALLS,
    MACHINES,
    ArgumentRule,
    Machine,
    OnlyBits,
    OnlyValues,
)

_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2

# Classic BPF: load a word of the call's description, mask it, jump on a comparison, return a verdict.
_LOAD, _AND, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_BITS, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT, _ARGUMENT_SIZE, _WORD = 0, 4, 16, 8, 4
_ALLOW, _KILL, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050000 | errno.EPERM
_X32 = 0x40000000
_ALL_BITS = 0xFFFFFFFF


def _instruction(code: int, operand: int, when_true: int = 0, when_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, when_true, when_false, operand)


def program(machine: Machine) -> bytes:
    """Returns the filter for an architecture, as classic BPF instructions of eight bytes."""
    lines = [
        _instruction(_LOAD, _ARCHITECTURE),
        _instruction(_JUMP_EQUAL, machine.audit, when_true=1),
        _instruction(_RETURN, _KILL),
        _instruction(_LOAD, _NUMBER),
    ]
    if machine.x32:
        lines += [_instruction(_JUMP_AT_LEAST, _X32, when_false=1), _instruction(_RETURN, _KILL)]
    for name, rules in ALLOWED_CALLS.items():
        if name not in machine.numbers:
            continue
        block = [line for rule in rules for line in _check(rule)] + [_instruction(_RETURN, _ALLOW)]
        lines += [_instruction(_JUMP_EQUAL, machine.numbers[name], when_false=len(block)), *block]
    lines.append(_instruction(_RETURN, _REFUSE))
    return b"".join(lines)


def _check(rule: ArgumentRule) -> list[bytes]:
    """Returns instructions that refuse the call unless the rule holds. They overwrite the loaded number."""
    offset = _FIRST_ARGUMENT + _ARGUMENT_SIZE * rule.argument
    match rule:
        case OnlyBits(_, bits, high_word):
            return [
                _instruction(_LOAD, offset + (_WORD if high_word else 0)),
                _instruction(_JUMP_BITS, ~bits & _ALL_BITS, when_false=1),
                _instruction(_RETURN, _REFUSE),
            ]
        case OnlyValues(_, values, ignored_bits):
            return [
                _instruction(_LOAD, offset),
                _instruction(_AND, ~ignored_bits & _ALL_BITS),
                *(
                    _instruction(_JUMP_EQUAL, value, when_true=len(values) - position)
                    for position, value in enumerate(values)
                ),
                _instruction(_RETURN, _REFUSE),
            ]


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


class Filter:
    """A filter for this machine, ready to be installed.

    It is built before the first fork, because every child pays for what it does itself.
    """

    def __init__(self) -> None:
        """Builds the filter; raises OSError if this architecture is not supported."""
        name = platform.machine()
        if name not in MACHINES or struct.calcsize("P") != 8:
            raise OSError(errno.ENOSYS, f"no list of system calls for {name or 'this machine'}")
        instructions = program(MACHINES[name])
        self._program = _Program(len(instructions) // 8, instructions)

    def install(self) -> None:
        """Installs the filter for this process; it cannot be removed.

        Raises:
            OSError: the kernel has no seccomp filters, or the process may still gain privileges.
        """
        linux_functions.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(self._program))
