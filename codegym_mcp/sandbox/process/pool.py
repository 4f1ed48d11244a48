"""Starts confined processes: one zygote, and from it one child for each role of each episode."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any, Literal, TypeVar

import anyio
from pydantic_core import to_json

from codegym_mcp.errors import SandboxError, WorkerLostError
from codegym_mcp.limits import Limits
from codegym_mcp.sandbox.confinement.confinement_layers import ESSENTIAL, Layer, LayerState
from codegym_mcp.sandbox.process.environment_program import EnvironmentProgram, Role
from codegym_mcp.sandbox.process.shared_process import SharedProcesses, ToolProcess
from codegym_mcp.sandbox.process.worker import ConfinedProcess
from codegym_mcp.sandbox.process.zygote_client import ForkedProcess, ZygoteClient

ATTEMPTS = 5
"""How often something is tried whose process was lost. Whatever ends its own process does so every time."""

BUSY_PATIENCE = 4.0
"""The `patience` of whoever serves episodes: on a busy machine a call may wait for a processor, which is not
the environment's fault."""

Isolation = Literal["process", "shared"]
"""Whether each episode has a process of its own, or shares one with others of its environment."""

T = TypeVar("T")


async def retry_lost_process(action: Callable[[], Awaitable[T]]) -> T:
    """Performs an action that can be repeated, again where its process was lost.

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

    Use `SandboxPool.open()`; when it is left, every process that came from it has ended.
    """

    def __init__(
        self,
        *,
        allow_unconfined: bool,
        disabled: Collection[Layer],
        hash_seed: int,
        patience: float,
        isolation: Isolation,
    ) -> None:
        self._allow_unconfined = allow_unconfined
        self._disabled = disabled
        self._hash_seed = hash_seed
        self._patience = patience
        self._zygote: ZygoteClient | None = None
        self._starting = asyncio.Lock()
        self._workers: set[ConfinedProcess] = set()
        self._shared = SharedProcesses(self.start) if isolation == "shared" else None
        self._closed = False

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        *,
        allow_unconfined: bool = False,
        hash_seed: int = 0,
        patience: float = 1.0,
        isolation: Isolation = "process",
        _disabled: Collection[Layer] = (),
    ) -> AsyncIterator["SandboxPool"]:
        """A pool whose zygote runs until the block is left.

        Args:
            allow_unconfined: work even where the layers that matter most cannot be put in place.
            hash_seed: decides in which order processes iterate over sets of strings.
            patience: how many times as long as allowed an answer may take while the process has not had that
                much processor time, so that what is allowed does not depend on what else the machine does.
            isolation: what `serve` gives an episode: a process of its own, or a shared one.
            _disabled: layers to leave out, so that tests can show what each is good for.

        Raises:
            SandboxError: the zygote cannot be started, or would not be confined.
        """
        pool = cls(
            allow_unconfined=allow_unconfined,
            disabled=_disabled,
            hash_seed=hash_seed,
            patience=patience,
            isolation=isolation,
        )
        try:
            await pool._ready_zygote()
            yield pool
        finally:
            # Also where the reason for leaving is that everything is cancelled.
            with anyio.CancelScope(shield=True):
                await pool._close()

    @property
    def layers(self) -> Mapping[Layer, LayerState]:
        """Which layers of confinement stand, as the running zygote found them."""
        return self._zygote.layers if self._zygote is not None else {}

    async def start(
        self, program: EnvironmentProgram, role: Role, limits: Limits, **message: Any
    ) -> ConfinedProcess:
        """Starts a process for one role; the role's first answer is still to be received.

        Args:
            program: the environment's source.
            role: what the process is for.
            limits: `memory_bytes` holds for the process.
            message: what the role needs to know, as plain data.

        Raises:
            SourceError: the policy refuses the source.
            SandboxError: no process can be started.
        """
        code = program.code(role)
        forked = await self._fork(limits.memory_bytes)
        try:
            worker = await ConfinedProcess.connect(role, forked.connection, forked.kill)
            if forked.clock is not None:
                worker.be_patient(self._patience, forked.clock)
        except BaseException:
            forked.abandon()
            raise
        self._workers.add(worker)
        worker.on_end = self._workers.discard
        part = {"role": role, "format": program.format, "entry": program.entry, "infinite": program.infinite}
        worker.start(to_json({**part, **message}), code)
        return worker

    async def serve(
        self, program: EnvironmentProgram, limits: Limits, config: dict[str, Any], *, alone: bool = False
    ) -> ToolProcess:
        """Opens an environment that serves its tools.

        Args:
            alone: in a process of its own, also where episodes share one.

        Raises:
            SourceError, SandboxError: as `start`.
            EnvironmentFaultError, LimitError, WorkerLostError: as `ConfinedProcess.call`.
        """
        if self._shared is not None and not alone:
            return await self._shared.open(program, limits, config)
        worker = await self.start(program, Role.TOOLS, limits, config=config)
        try:
            worker.outcome(await worker.receive(limits.start_seconds))
        except BaseException:
            worker.kill()
            raise
        return worker

    async def ask(self, program: EnvironmentProgram, role: Role, limits: Limits, **message: Any) -> Any:
        """Runs a role that gives one answer, in a fresh process that ends with it.

        Returns:
            The answer, as plain JSON data.

        Raises:
            SourceError, SandboxError: as `start`.
            EnvironmentFaultError, LimitError: as `ConfinedProcess.call`.
            WorkerLostError: its process was lost however often it was started.
        """

        async def once() -> Any:
            worker = await self.start(program, role, limits, **message)
            try:
                return worker.outcome(await worker.receive(limits.start_seconds))
            finally:
                worker.kill()

        return await retry_lost_process(once)

    async def _fork(self, memory: int) -> ForkedProcess:
        """A confined process; of another zygote where the last one has died."""
        for _ in range(ATTEMPTS - 1):
            try:
                return await (await self._ready_zygote()).fork(memory)
            except SandboxError:
                if self._closed or (self._zygote is not None and self._zygote.alive):
                    raise
        return await (await self._ready_zygote()).fork(memory)

    async def _ready_zygote(self) -> ZygoteClient:
        async with self._starting:
            if self._closed:
                raise SandboxError("The sandbox is closed.")
            if self._zygote is None or not self._zygote.alive:
                if self._zygote is not None:
                    await self._zygote.close()
                started = await ZygoteClient.start(self._disabled, hash_seed=self._hash_seed)
                try:
                    self._check(started.layers)
                except SandboxError:
                    await started.close()
                    raise
                self._zygote = started
            return self._zygote

    async def _close(self) -> None:
        self._closed = True
        workers = list(self._workers)
        for worker in workers:
            worker.kill()
        # One that is being started is waited for, and is the last.
        async with self._starting:
            if self._zygote is not None:
                await self._zygote.close()
        # Nothing is left of the processes; their sockets still have to be seen closing.
        for worker in workers:
            await worker.ended()

    def _check(self, layers: Mapping[Layer, LayerState]) -> None:
        missing = [f"{layer} ({layers[layer].detail})" for layer in ESSENTIAL if not layers[layer].active]
        if missing and not self._allow_unconfined:
            raise SandboxError(
                f"Environments cannot be confined here: {', '.join(sorted(missing))}.",
                hint="Use Linux on x86-64 or aarch64. If you trust every environment, --allow-unconfined "
                "goes on without protection.",
            )
