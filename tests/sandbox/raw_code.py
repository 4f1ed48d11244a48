"""Runs raw Python, which the language policy has not checked, in confined processes."""

import asyncio
import marshal
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from textwrap import dedent, indent
from typing import Any

from codegym_mcp.episode_limits import Limits
from codegym_mcp.errors import LimitError, WorkerLostError
from codegym_mcp.sandbox.confinement.confinement_layers import Layer
from codegym_mcp.sandbox.process.confined_process import ConfinedProcess
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.sandbox.process.process_messages import Role, ServeTools
from codegym_mcp.sandbox.process.process_role_code import EnvironmentProgram

LIMITS = Limits(memory_bytes=64 << 20)
NAMESPACES = frozenset(layer for layer in Layer if layer.endswith("_namespace"))
_POOLS_KEPT = 4

_PRELUDE = '''
for _class in ().__class__.__base__.__subclasses__():
    if _class.__name__ == "_wrap_close":
        _modules = _class.__init__.__globals__["sys"].modules
# From here on, functions have all builtins, and `import` imports.
__builtins__ = _modules["builtins"].__dict__


def _import():
    global ctypes, errno, gc, os, resource, signal, socket, struct, sys
    import ctypes, errno, gc, os, resource, signal, socket, struct, sys


_import()
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p

NUMBERS = {
    "add_key": (248, 217), "bpf": (321, 280), "chroot": (161, 51), "io_uring_setup": (425, 425),
    "keyctl": (250, 219), "memfd_create": (319, 279), "mount": (165, 40), "openat": (257, 56),
    "perf_event_open": (298, 241), "personality": (135, 92), "pidfd_getfd": (438, 438),
    "pidfd_open": (434, 434), "pkey_mprotect": (329, 288), "prctl": (157, 167),
    "process_vm_readv": (310, 270), "ptrace": (101, 117), "setns": (308, 268), "sysinfo": (99, 179),
    "clock_gettime": (228, 113), "futex": (202, 98), "getrandom": (318, 278), "mremap": (25, 216),
    "unshare": (272, 97), "userfaultfd": (323, 282), "inotify_init1": (294, 26), "prlimit64": (302, 261),
}


def checked(result):
    if result is None or result in (-1, 2**64 - 1):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def syscall(name, *arguments):
    number = NUMBERS[name][MACHINE == "aarch64"] if isinstance(name, str) else name
    return checked(libc.syscall(number, *[ctypes.c_ulong(a) if isinstance(a, int) else a for a in arguments]))


def channel():
    """The socket to the server."""
    return next(item for item in gc.get_objects() if isinstance(item, socket.socket))
'''
_BODY = """
def payload(given):
{body}


class Environment:
    def __init__(self, **given):
        global MACHINE
        MACHINE = given.get("machine")
        self.given = given
        self.calls = 0

    def count(self):
        self.calls += 1
        return self.calls

    def go(self):
        try:
            evidence = payload(self.given)
        except OSError as error:
            return {{"refused": errno.errorcode.get(error.errno, str(error))}}
        except MemoryError:
            return {{"refused": "ENOMEM"}}
        return {{"escaped": evidence}} if evidence else {{"refused": "it found nothing"}}
"""


class RawProgram(EnvironmentProgram):
    """A program whose code the language policy has not checked."""

    def code(self, _role: Role) -> bytes:
        return marshal.dumps(compile(self.source, self.path, "exec"))


@dataclass(frozen=True)
class Payload:
    """An attack by environment code.

    Attributes:
        name: what it does.
        code: the body of a function of the facts about the target; it returns evidence of success, or raises
            OSError or MemoryError.
        stopped_by: the layers that prevent it, each of them without the others.
        aside: layers that would prevent this attack indirectly, and are disabled with the others.
        as_root: it can succeed only if the server is root.
        contained: layers that must be active so that its success does no harm.
    """

    name: str
    code: str
    stopped_by: tuple[Layer, ...]
    aside: tuple[Layer, ...] = ()
    as_root: bool = False
    contained: tuple[Layer, ...] = ()

    def __str__(self) -> str:
        return self.name.replace(" ", "-")


@dataclass(frozen=True)
class Outcome:
    """The result of a payload: evidence of its success, or the error that prevented it."""

    escaped: Any = None
    met: str = ""


def program(code: str, *, before: str = "") -> RawProgram:
    """Returns a program whose tool `go` runs this code, after the code `before` at the top of the module."""
    body = indent(dedent(code).strip(), "    ")
    return RawProgram("<hostile>", _PRELUDE + before + _BODY.format(body=body))


async def open_worker(pool: SandboxPool, raw: RawProgram, **given: Any) -> ConfinedProcess:
    """Opens an environment of raw code in a confined process."""
    worker = await pool.start(raw, ServeTools(given), LIMITS)
    await worker.result(seconds=LIMITS.start_seconds)
    return worker


async def attack(pool: SandboxPool, payload: Payload, **given: Any) -> Outcome:
    """Runs a payload in its own process.

    Raises:
        EnvironmentFaultError: the payload itself has an error.
    """
    worker = await open_worker(pool, program(payload.code), **given)
    try:
        answer = await worker.call("go", {}, seconds=5)
    except (WorkerLostError, LimitError) as error:
        return Outcome(met=type(error).__name__)
    finally:
        worker.kill()
        await worker.ended()
    return Outcome(escaped=answer.get("escaped"), met=answer.get("refused", ""))


@dataclass
class AttackedPool:
    """A pool, and an environment in it that is not part of the attack."""

    pool: SandboxPool
    neighbour: ConfinedProcess
    counted: int = 0

    @classmethod
    @asynccontextmanager
    async def open(cls, disabled: Collection[Layer]) -> AsyncIterator["AttackedPool"]:
        async with SandboxPool.open(allow_unconfined=True, _disabled=disabled) as pool:
            yield cls(pool, await open_worker(pool, program("return None")))

    @property
    def zygote(self) -> int:
        """The pid of the zygote."""
        started = self.pool.zygote_pid
        assert started is not None
        with open(f"/proc/{started}/task/{started}/children") as children:
            inner = children.read().split()
        return int(inner[0]) if self.pool.layers[Layer.PID_NAMESPACE].active else started

    async def neighbour_still_works(self) -> bool:
        """Checks that the neighbour works and has kept its state."""
        self.counted += 1
        return await self.neighbour.call("count", {}, seconds=5) == self.counted


class AttackedPools:
    """Attacked pools by their disabled layers; only the last few stay open."""

    def __init__(self) -> None:
        self._open: dict[frozenset[Layer], tuple[AttackedPool, AsyncExitStack]] = {}
        self._lock = asyncio.Lock()

    @classmethod
    @asynccontextmanager
    async def open(cls) -> AsyncIterator["AttackedPools"]:
        pools = cls()
        try:
            yield pools
        finally:
            while pools._open:
                await pools._close_oldest()

    async def without(self, disabled: Collection[Layer]) -> AttackedPool:
        """A attacked that lacks these layers."""
        key = frozenset(disabled)
        async with self._lock:
            if key in self._open:
                self._open[key] = self._open.pop(key)
            else:
                if len(self._open) == _POOLS_KEPT:
                    await self._close_oldest()
                stack = AsyncExitStack()
                self._open[key] = (await stack.enter_async_context(AttackedPool.open(key)), stack)
        return self._open[key][0]

    async def _close_oldest(self) -> None:
        _, stack = self._open.pop(next(iter(self._open)))
        await stack.aclose()
