"""The system calls that a confined process may make: those of computing and of its one open channel.

Calls that take flags, commands or other small arguments are allowed only with the values that the interpreter
and the C library use. There is no rule for `fcntl`, `ioctl`, `prctl`, `rt_sigaction` and many others: they
are not allowed at all. Descriptors are not checked: only the channel and /dev/null are open.
"""

from dataclasses import dataclass
from typing import NamedTuple


class OnlyBits(NamedTuple):
    """The argument must have no other bits set than these.

    Attributes:
        argument: zero-based position of the argument.
        bits: the allowed ones, of the lower 32. The kernel ignores or refuses the upper bits of flags.
        high_word: check the upper 32 bits instead, for pointers.
    """

    argument: int
    bits: int
    high_word: bool = False


class OnlyValues(NamedTuple):
    """The argument, without some of its bits, must be one of these values."""

    argument: int
    values: tuple[int, ...]
    ignored_bits: int = 0


ArgumentRule = OnlyBits | OnlyValues

_READ_WRITE = 0x1 | 0x2
_PRIVATE, _FIXED, _ANONYMOUS, _NORESERVE, _STACK, _FIXED_NOREPLACE = (
    0x2,
    0x10,
    0x20,
    0x4000,
    0x20000,
    0x100000,
)
_MAY_MOVE = 0x1
_WAIT, _WAKE, _WAIT_BITSET, _WAKE_BITSET = 0, 1, 9, 10
_PRIVATE_FUTEX, _REALTIME_FUTEX = 0x80, 0x100
_DONTNEED, _FREE, _HUGEPAGE = 4, 8, 14
_REALTIME, _MONOTONIC, _PROCESS_CPU, _THREAD_CPU = 0, 1, 2, 3
_NONBLOCKING = 0x1

# Ordered by how often they are made: the kernel evaluates the filter from the top.
ALLOWED_CALLS: dict[str, tuple[ArgumentRule, ...]] = {
    # No flags: MSG_OOB would leave the order of the stream, MSG_PEEK and others serve no purpose.
    "recvfrom": (OnlyBits(3, 0),),
    # No flags, and no address: the channel is connected.
    "sendto": (OnlyBits(3, 0), OnlyBits(4, 0), OnlyBits(4, 0, high_word=True)),
    # Never executable. Private and anonymous: nothing shared, no huge pages of the host, nothing locked.
    "mmap": (
        OnlyBits(2, _READ_WRITE),
        OnlyBits(3, _PRIVATE | _FIXED | _ANONYMOUS | _NORESERVE | _STACK | _FIXED_NOREPLACE),
    ),
    "mprotect": (OnlyBits(2, _READ_WRITE),),
    "munmap": (),
    "brk": (),
    # Waiting and waking. The commands for priority inheritance and requeueing are not used by locks here, and
    # have had exploitable bugs in the kernel.
    "futex": (OnlyValues(1, (_WAIT, _WAKE, _WAIT_BITSET, _WAKE_BITSET), _PRIVATE_FUTEX | _REALTIME_FUTEX),),
    # Not to a fixed address, which could move executable pages to where others are expected.
    "mremap": (OnlyBits(3, _MAY_MOVE),),
    # What allocators use. Merging of equal pages, for example, would show what other processes contain.
    "madvise": (OnlyValues(2, (_DONTNEED, _FREE, _HUGEPAGE)),),
    "read": (),
    "write": (),
    # Not the time since the machine was started; negative ids are the clocks of other processes and devices.
    "clock_gettime": (OnlyValues(0, (_REALTIME, _MONOTONIC, _PROCESS_CPU, _THREAD_CPU)),),
    "gettimeofday": (),
    "time": (),
    # Not GRND_RANDOM, which exhausts the pool of other processes on older kernels.
    "getrandom": (OnlyBits(2, _NONBLOCKING),),
    "getpid": (),
    "rt_sigreturn": (),
    "restart_syscall": (),
    "sigaltstack": (),
    "sched_yield": (),
    "exit": (),
    "exit_group": (),
}
"""The rules for the arguments of each allowed call.

A call without rules takes only addresses and sizes of the process's own memory, descriptors and exit codes.
"""


@dataclass(frozen=True)
class Machine:
    """An architecture's numbers.

    Attributes:
        audit: the kernel's number of the architecture.
        numbers: the number of each allowed call that the architecture has.
        x32: whether numbers from 0x40000000 on are a second calling convention.
    """

    audit: int
    numbers: dict[str, int]
    x32: bool = False


MACHINES = {
    "x86_64": Machine(
        audit=0xC000003E,
        numbers={
            "recvfrom": 45,
            "sendto": 44,
            "mmap": 9,
            "mprotect": 10,
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
        x32=True,
    ),
    "aarch64": Machine(
        audit=0xC00000B7,
        numbers={
            "recvfrom": 207,
            "sendto": 206,
            "mmap": 222,
            "mprotect": 226,
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
    ),
}
