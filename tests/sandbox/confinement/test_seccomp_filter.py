"""The filter's instructions, interpreted here as the kernel does it, so that every architecture is checked."""

import errno
import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from codegym_mcp.sandbox.confinement.allowed_system_calls import ALLOWED_CALLS, MACHINES, Machine
from codegym_mcp.sandbox.confinement.seccomp_filter import program

ALLOW, KILL, REFUSE = 0x7FFF0000, 0x80000000, 0x00050000 | errno.EPERM
X86_64, AARCH64 = MACHINES["x86_64"], MACHINES["aarch64"]
I386_AUDIT, ARM_AUDIT = 0x40000003, 0x40000028
WORD = 2**64

machines = st.sampled_from([X86_64, AARCH64])
each_machine = pytest.mark.parametrize("machine", [X86_64, AARCH64], ids=["x86_64", "aarch64"])
numbers = st.integers(0, 600) | st.integers(0, 2**32 - 1)


def decide(machine: Machine, number: int, *arguments: int, audit: int | None = None) -> int:
    """Returns the filter's verdict on a system call."""
    words = [argument % WORD for argument in (*arguments, *[0] * 6)][:6]
    call = struct.pack("=IIQ6Q", number, audit or machine.audit, 0, *words)
    instructions = list(struct.iter_unpack("=HBBI", program(machine)))
    loaded = position = 0
    while True:
        code, when_true, when_false, operand = instructions[position]
        position += 1
        match code:
            case 0x20:
                (loaded,) = struct.unpack_from("=I", call, operand)
            case 0x54:
                loaded &= operand
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


# What the interpreter and the C library ask for, and what nothing in a confined process needs.
NEEDED = {
    "recvfrom": [(5, 1, 65536, 0, 0, 0)],
    "sendto": [(5, 1, 100, 0, 0, 0)],
    "mmap": [(0, 4096, 3, 0x22, -1, 0), (0, 4096, 0, 0x4022, -1, 0), (1 << 40, 4096, 3, 0x32, -1, 0)],
    "mprotect": [(1 << 40, 4096, 3), (1 << 40, 4096, 0)],
    "futex": [
        (1, 128, 0),
        (1, 129, 1),
        (1, 0x189, 0, 0, 0, -1),
        (1, 0x89, 0, 0, 0, -1),
        (1, 138, 1),
        (1, 0, 0),
    ],
    "mremap": [(1 << 40, 4096, 8192, 1, 0), (1 << 40, 4096, 8192, 0, 0)],
    "madvise": [(1 << 40, 4096, 4), (1 << 40, 4096, 8), (1 << 40, 4096, 14)],
    "clock_gettime": [(0, 1), (1, 1), (2, 1), (3, 1)],
    "getrandom": [(1, 32, 0), (1, 32, 1)],
    "read": [(5, 1, 100)],
    "write": [(1, 1, 1 << 20)],
}
UNNEEDED = {
    "recvfrom": {"out of band": (5, 1, 1, 0x1), "peek": (5, 1, 1, 0x2), "from errors": (5, 1, 1, 0x2000)},
    "sendto": {
        "out of band": (5, 1, 1, 0x1),
        "zero copy": (5, 1, 1, 0x4000000),
        "fast open": (5, 1, 1, 0x20000000),
        "to an address": (5, 1, 1, 0, 4096, 16),
        "to a high address": (5, 1, 1, 0, 1 << 40, 16),
    },
    "mmap": {
        "executable": (0, 4096, 7, 0x22),
        "executable only": (0, 4096, 4, 0x22),
        "shared": (0, 4096, 3, 0x21),
        "validated and shared": (0, 4096, 3, 0x23),
        "huge pages": (0, 4096, 3, 0x40022),
        "locked": (0, 4096, 3, 0x2022),
        "growing down": (0, 4096, 3, 0x122),
        "a protection to come": (0, 4096, 0x13, 0x22),
    },
    "mprotect": {"executable": (1 << 40, 4096, 5), "growing down": (1 << 40, 4096, 0x1000003)},
    "futex": {
        "priority inheritance": (1, 6 | 128),
        "requeue": (1, 3 | 128),
        "compare and requeue": (1, 4 | 128),
        "wake with an operation": (1, 5 | 128),
        "requeue with priority": (1, 12 | 128),
        "wait for requeue": (1, 11 | 128),
        "a descriptor": (1, 2),
    },
    "mremap": {
        "to a fixed address": (1 << 40, 4096, 4096, 3, 1 << 41),
        "without unmapping": (1 << 40, 4096, 4096, 5),
    },
    "madvise": {
        "merge equal pages": (1 << 40, 4096, 12),
        "keep from a fork": (1 << 40, 4096, 10),
        "poison": (1 << 40, 4096, 100),
        "populate": (1 << 40, 4096, 23),
    },
    "clock_gettime": {
        "since boot": (7, 1),
        "raw": (4, 1),
        "process 1": ((~1 << 3) | 2, 1),
        "process 1 in 32 bits": (((~1 << 3) | 2) % 2**32, 1),
        "thread 1": ((~1 << 3) | 6, 1),
        "a device": ((~3 << 3) | 3, 1),
    },
    "getrandom": {"from the limited pool": (1, 1, 2), "insecure": (1, 1, 4)},
}
needed = [(name, arguments) for name, cases in NEEDED.items() for arguments in cases]
unneeded = {
    f"{name} {what}": (name, case) for name, cases in UNNEEDED.items() for what, case in cases.items()
}


@each_machine
@pytest.mark.parametrize(("name", "arguments"), needed, ids=[f"{name}{case}" for name, case in needed])
def test_what_the_interpreter_needs_is_allowed(
    machine: Machine, name: str, arguments: tuple[int, ...]
) -> None:
    assert decide(machine, machine.numbers[name], *arguments) == ALLOW


@each_machine
@pytest.mark.parametrize(("name", "arguments"), unneeded.values(), ids=unneeded)
def test_an_allowed_call_with_other_arguments_is_refused(
    machine: Machine, name: str, arguments: tuple[int, ...]
) -> None:
    assert decide(machine, machine.numbers[name], *arguments) == REFUSE


def test_every_call_with_rules_has_cases_of_both_kinds() -> None:
    with_rules = {name for name, rules in ALLOWED_CALLS.items() if rules}
    assert with_rules == UNNEEDED.keys()
    assert with_rules <= NEEDED.keys()


@given(machines, numbers)
@example(X86_64, 0x40000000)
@example(X86_64, 59)
def test_only_listed_calls_are_allowed(machine: Machine, number: int) -> None:
    verdict = decide(machine, number)
    if machine.x32 and number >= 0x40000000:
        assert verdict == KILL
    elif number in machine.numbers.values():
        assert verdict in (ALLOW, REFUSE)
    else:
        assert verdict == REFUSE


@each_machine
@given(protection=st.integers(0, 2**32 - 1))
def test_executable_memory_is_never_mapped(machine: Machine, protection: int) -> None:
    allowed = ALLOW if protection & ~3 == 0 else REFUSE
    assert decide(machine, machine.numbers["mmap"], 0, 4096, protection, 0x22) == allowed
    assert decide(machine, machine.numbers["mprotect"], 0, 4096, protection) == allowed


@each_machine
@given(clock=st.integers(-(2**31), 2**31 - 1))
def test_only_clocks_of_the_system_and_of_the_process_itself_are_read(machine: Machine, clock: int) -> None:
    verdict = decide(machine, machine.numbers["clock_gettime"], clock)
    assert verdict == (ALLOW if clock in range(4) else REFUSE)


@given(machines, numbers, st.sampled_from([I386_AUDIT, ARM_AUDIT]) | st.integers(1, 2**32 - 1))
def test_a_call_in_the_convention_of_another_architecture_kills(
    machine: Machine, number: int, audit: int
) -> None:
    if audit != machine.audit:
        assert decide(machine, number, audit=audit) == KILL


def test_both_architectures_allow_the_same_calls() -> None:
    # aarch64 has no call for whole seconds.
    assert X86_64.numbers.keys() == ALLOWED_CALLS.keys()
    assert X86_64.numbers.keys() - {"time"} == AARCH64.numbers.keys()
