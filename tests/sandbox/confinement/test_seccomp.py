"""The filter's instructions, run here as the kernel would run them; so every architecture is checked."""

import errno
import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from codegym_mcp.sandbox.confinement.seccomp import MACHINES, Machine, program

ALLOW, KILL, REFUSE = 0x7FFF0000, 0x80000000, 0x00050000 | errno.EPERM
X86_64, AARCH64 = MACHINES["x86_64"], MACHINES["aarch64"]
I386_AUDIT, ARM_AUDIT = 0x40000003, 0x40000028

machines = st.sampled_from([X86_64, AARCH64])
numbers = st.integers(0, 600) | st.integers(0, 2**32 - 1)
protections = st.integers(0, 2**32 - 1)


def decide(machine: Machine, number: int, *, audit: int | None = None, third: int = 0) -> int:
    """What the filter says of a system call."""
    call = struct.pack("=IIQ6Q", number, audit or machine.audit, 0, 0, 0, third, 0, 0, 0)
    instructions = list(struct.iter_unpack("=HBBI", program(machine)))
    loaded = position = 0
    while True:
        code, when_true, when_false, operand = instructions[position]
        position += 1
        match code:
            case 0x20:
                (loaded,) = struct.unpack_from("=I", call, operand)
            case 0x15:
                position += when_true if loaded == operand else when_false
            case 0x35:
                position += when_true if loaded >= operand else when_false
            case 0x45:
                position += when_true if loaded & operand else when_false
            case 0x06:
                return operand
            case _:
                raise AssertionError(f"unknown instruction {code:#x}")


@given(machines, numbers, protections)
@example(X86_64, 0x40000000, 0)
@example(X86_64, 59, 0)
def test_only_what_is_listed_is_allowed(machine: Machine, number: int, third: int) -> None:
    verdict = decide(machine, number, third=third)
    if machine.x32 and number >= 0x40000000:
        assert verdict == KILL
    elif number in machine.allowed.values() or (number in machine.mapping.values() and not third & 4):
        assert verdict == ALLOW
    else:
        assert verdict == REFUSE


@pytest.mark.parametrize("machine", [X86_64, AARCH64], ids=["x86_64", "aarch64"])
@given(third=protections)
def test_memory_is_mapped_unless_it_is_to_be_executable(machine: Machine, third: int) -> None:
    for number in machine.mapping.values():
        assert decide(machine, number, third=third) == (REFUSE if third & 4 else ALLOW)


@given(machines, numbers, st.sampled_from([I386_AUDIT, ARM_AUDIT]) | st.integers(1, 2**32 - 1))
def test_a_call_in_the_manner_of_another_architecture_kills(
    machine: Machine, number: int, audit: int
) -> None:
    if audit != machine.audit:
        assert decide(machine, number, audit=audit) == KILL


def test_both_architectures_allow_the_same_calls() -> None:
    # aarch64 has no call for whole seconds.
    assert X86_64.allowed.keys() - {"time"} == AARCH64.allowed.keys()
    assert X86_64.mapping.keys() == AARCH64.mapping.keys()
