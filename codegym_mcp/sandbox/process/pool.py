"""Starts confined processes: one zygote, and one child of it for each role of each episode."""

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any, Literal, TypeVar

import anyio
from pydantic_core import to_json

from codegym_mcp.bundled_environments import installed_digests
from codegym_mcp.episode_limits import Limits
from codegym_mcp.errors import SandboxError, WorkerLostError
from codegym_mcp.sandbox.confinement.confinement_layers import ESSENTIAL, Layer, LayerState
from codegym_mcp.sandbox.process.confined_process import ConfinedProcess
from codegym_mcp.sandbox.process.forked_process import ForkedProcess
from codegym_mcp.sandbox.process.process_messages import Assignment, ServeTools, StartMessage, role_of
from codegym_mcp.sandbox.process.process_role_code import EnvironmentProgram
from codegym_mcp.sandbox.process.shared_process import SharedProcesses, ToolProcess
from codegym_mcp.sandbox.process.spawned_processes import SpawnedProcesses
from codegym_mcp.sandbox.process.zygote_client import ZygoteClient

logger = logging.getLogger(__name__)

ATTEMPTS = 5
"""How often an action is tried if its process is lost. Code that ends its own process does so every time."""

SERVING_CPU_GRACE = 4.0
"""The `cpu_grace` of a pool that serves episodes: on a busy machine a call may have to wait for a processor,
which is not the environment's fault."""

Isolation = Literal["process", "shared"]
"""Whether each episode has its own process, or shares one with other episodes of its environment."""

T = TypeVar("T")


async def retry_lost_process(action: Callable[[], Awaitable[T]]) -> T:
    """Performs a repeatable action, and repeats it if its process is lost.

    Raises:
        WorkerLostError: it was lost every time.
    """
    for _ in range(ATTEMPTS - 1):
        try:
            return await action()
        except WorkerLostError:
            continue
    return await action()


class SandboxPool:
    """Confined processes on demand.

    Use `SandboxPool.open()`; when its block is left, every process of the pool has ended. A pool belongs to
    the event loop in which it was opened, which may run on any thread; the kernel ends the pool's processes
    with that thread.

    Attributes:
        started: the number of processes that were started so far.
    """

    def __init__(
        self,
        *,
        allow_unconfined: bool,
        disabled: Collection[Layer],
        hash_seed: int,
        cpu_grace: float,
        isolation: Isolation,
    ) -> None:
        self._allow_unconfined = allow_unconfined
        self._disabled = disabled
        self._hash_seed = hash_seed
        self._cpu_grace = cpu_grace
        self._zygote: ZygoteClient | SpawnedProcesses | None = None
        self._missing = ""
        self._start_lock = asyncio.Lock()
        self._processes: set[ConfinedProcess] = set()
        self.started = 0
        self._shared = SharedProcesses(self.start) if isolation == "shared" else None
        self._closed = False

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        *,
        allow_unconfined: bool = False,
        hash_seed: int = 0,
        cpu_grace: float = 1.0,
        isolation: Isolation = "process",
        _disabled: Collection[Layer] = (),
    ) -> AsyncIterator["SandboxPool"]:
        """Opens a pool, whose zygote runs until the block is left.

        Args:
            allow_unconfined: run every environment if essential layers of confinement cannot be put in place.
                Otherwise only the bundled environments run there, after a warning.
            hash_seed: decides in which order processes iterate over sets of strings.
            cpu_grace: an answer may take this many times its allowed seconds, as long as the process has not
                received that much processor time. So limits do not depend on how busy the machine is.
            isolation: whether `serve` gives an episode its own process or a shared one.
            _disabled: layers to leave out; tests show with it what each layer prevents.

        Raises:
            SandboxError: the zygote cannot be started.
        """
        pool = cls(
            allow_unconfined=allow_unconfined,
            disabled=_disabled,
            hash_seed=hash_seed,
            cpu_grace=cpu_grace,
            isolation=isolation,
        )
        try:
            await pool._ready_zygote()
            yield pool
        finally:
            # Also if the block is left because everything is cancelled.
            with anyio.CancelScope(shield=True):
                await pool._close()

    @property
    def layers(self) -> Mapping[Layer, LayerState]:
        """The state of each layer of confinement, as the running zygote reported it."""
        return self._zygote.layers if self._zygote is not None else {}

    @property
    def running(self) -> int:
        """The number of processes that run."""
        return len(self._processes)

    @property
    def zygote_pid(self) -> int | None:
        """The process id of the running zygote; with a pid namespace, of the process outside it."""
        return self._zygote.pid if self._zygote is not None and self._zygote.alive else None

    async def start(
        self, program: EnvironmentProgram, assignment: Assignment, limits: Limits
    ) -> ConfinedProcess:
        """Starts a process for an assignment; `ConfinedProcess.result` waits for its result.

        Args:
            program: the environment's source.
            assignment: what the process does.
            limits: `memory_bytes` applies to the process.

        Raises:
            SourceError: the language policy refuses the source.
            SandboxError: no process can be started, or it would not be confined and may not run so.
        """
        await self._use_zygote(self._layers)
        if self._missing and not self._allow_unconfined and program.digest not in installed_digests():
            raise SandboxError(
                f"Environments cannot be confined here: {self._missing}.",
                hint="Use Linux on x86-64 or aarch64. If you trust every environment, run without protection "
                "with --allow-unconfined.",
            )
        role = role_of(assignment)
        code = program.code(role)
        forked = await self._fork(limits.memory_bytes)
        try:
            process = await ConfinedProcess.connect(role, forked, cpu_grace=self._cpu_grace)
        except BaseException:
            # Nothing else knows the process yet, also if the caller was cancelled.
            forked.discard()
            raise
        self.started += 1
        self._processes.add(process)
        process.on_end = self._processes.discard
        start_message = StartMessage(
            role, program.dialect, program.entry, program.infinite, program.one_config, assignment
        )
        process.send(to_json(start_message), code)
        return process

    async def serve(
        self, program: EnvironmentProgram, limits: Limits, config: dict[str, Any], *, alone: bool = False
    ) -> ToolProcess:
        """Opens an environment that serves its tools.

        Args:
            alone: use a separate process, even if episodes share processes.

        Raises:
            SourceError, SandboxError: as `start`.
            EnvironmentFaultError, LimitError, WorkerLostError: as `ConfinedProcess.call`.
        """
        if self._shared is not None and not alone:
            return await self._shared.open(program, limits, config)
        process = await self.start(program, ServeTools(config), limits)
        try:
            await process.result(seconds=limits.start_seconds)
        except BaseException:
            # The caller receives no handle of the process, also if it was cancelled.
            process.kill()
            raise
        return process

    async def ask(self, program: EnvironmentProgram, assignment: Assignment, limits: Limits) -> Any:
        """Runs an assignment with one result, in a fresh process that ends afterwards.

        Returns:
            The result, as plain JSON data.

        Raises:
            SourceError, SandboxError: as `start`.
            EnvironmentFaultError, LimitError: as `ConfinedProcess.call`.
            WorkerLostError: its process was lost in every attempt.
        """

        async def once() -> Any:
            process = await self.start(program, assignment, limits)
            try:
                return await process.result(seconds=limits.start_seconds)
            finally:
                process.kill()

        return await retry_lost_process(once)

    def abandon(self) -> None:
        """Closes every descriptor of the pool in a child after `os.fork`, for `os.register_at_fork`.

        The parent's pool and processes are not affected. The event loop is not touched, because the child
        shares its selector with the parent. The child cannot use the pool afterwards, and must keep it
        referenced: finalizers of its transports would warn.
        """
        self._closed = True
        for process in self._processes:
            process.close_descriptors()
        if self._zygote is not None:
            self._zygote.close_descriptors()

    async def _fork(self, memory: int) -> ForkedProcess:
        """Forks a process; if the zygote has died, of a new zygote."""
        return await self._use_zygote(lambda zygote: zygote.fork(memory))

    async def _use_zygote(self, use: Callable[[ZygoteClient | SpawnedProcesses], Awaitable[T]]) -> T:
        """Uses the zygote; if it dies meanwhile or while it starts, uses a new one."""
        for _ in range(ATTEMPTS - 1):
            try:
                return await use(await self._ready_zygote())
            except SandboxError:
                if self._closed or (self._zygote is not None and self._zygote.alive):
                    raise
        return await use(await self._ready_zygote())

    async def _layers(self, zygote: ZygoteClient | SpawnedProcesses) -> Mapping[Layer, LayerState]:
        return zygote.layers

    async def _ready_zygote(self) -> ZygoteClient | SpawnedProcesses:
        async with self._start_lock:
            if self._closed:
                raise SandboxError("The sandbox is closed.")
            if self._zygote is None or not self._zygote.alive:
                if self._zygote is not None:
                    await self._zygote.close()
                self._zygote = await self._start_zygote()
                self._missing = self._missing_layers(self._zygote.layers)
            return self._zygote

    async def _start_zygote(self) -> ZygoteClient | SpawnedProcesses:
        if hasattr(os, "fork") and hasattr(socket, "send_fds"):
            return await ZygoteClient.start(self._disabled, hash_seed=self._hash_seed)
        return SpawnedProcesses(self._hash_seed)

    async def _close(self) -> None:
        self._closed = True
        processes = list(self._processes)
        for process in processes:
            process.kill()
        # A zygote that is being started is awaited; no other will be started.
        async with self._start_lock:
            if self._zygote is not None:
                await self._zygote.close()
        # The processes have ended; their sockets must still be seen closing.
        for process in processes:
            await process.ended()

    def _missing_layers(self, layers: Mapping[Layer, LayerState]) -> str:
        """Returns the essential layers that are not active, with the reasons, and warns about them."""
        missing = ", ".join(
            f"{layer} ({layers[layer].detail})" for layer in sorted(ESSENTIAL) if not layers[layer].active
        )
        if missing and not self._allow_unconfined:
            logger.warning(
                "Environments cannot be confined here: %s. "
                "Only bundled environments run, without protection.",
                missing,
            )
        return missing
