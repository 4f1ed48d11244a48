"""Starts unconfined processes on systems that cannot fork or pass descriptors, such as Windows.

It takes the place of the zygote: each process is an interpreter of its own, which takes far longer to start.
No layer of confinement is active.
"""

import asyncio
import os
import subprocess
import sys
from contextlib import suppress

from codegym_mcp.errors import SandboxError
from codegym_mcp.sandbox.confinement.confinement_layers import Layer, Layers, LayerState
from codegym_mcp.sandbox.process.forked_process import ForkedProcess
from codegym_mcp.sandbox.process.loopback_connection import LoopbackAddress, accept, listen

_START_SECONDS = 30.0
_PASSED_VARIABLES = ("SYSTEMROOT", "PATH")
"""Without these an interpreter does not start on Windows."""


class SpawnedProcesses:
    """Starts processes as `ZygoteClient` does.

    Attributes:
        layers: every layer, inactive.
        alive: whether processes can be started.
    """

    def __init__(self, hash_seed: int) -> None:
        reason = f"{sys.platform} cannot confine processes"
        self.layers: Layers = {layer: LayerState(False, reason) for layer in Layer}
        self.alive = True
        self._hash_seed = hash_seed
        self._processes: list[subprocess.Popen[bytes]] = []

    @property
    def pid(self) -> int:
        """The id of this process, which starts the others itself."""
        return os.getpid()

    async def fork(self, memory: int) -> ForkedProcess:
        """Starts a process; its memory cannot be limited.

        Raises:
            SandboxError: it cannot be started, or did not connect in time.
        """
        del memory
        self._processes = [process for process in self._processes if process.poll() is None]
        try:
            listener, address = listen()
            with listener:
                process = self._spawn(address)
                try:
                    async with asyncio.timeout(_START_SECONDS):
                        connection = await accept(listener, address.secret)
                except BaseException:
                    process.kill()
                    raise
        except (OSError, TimeoutError) as error:
            reason = str(error) or "it did not connect in time"
            raise SandboxError(f"No process could be started: {reason}.") from None
        self._processes.append(process)
        return ForkedProcess(connection, lambda _pidfd: process.kill())

    def _spawn(self, address: LoopbackAddress) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            (sys.executable, "-s", "-P", "-m", "codegym_mcp.sandbox.process.unconfined_process"),
            env={
                "PYTHONHASHSEED": str(self._hash_seed),
                "TZ": "UTC",
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                **{name: os.environ[name] for name in _PASSED_VARIABLES if name in os.environ},
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        assert process.stdin is not None
        with suppress(BrokenPipeError), process.stdin:
            process.stdin.write(address.model_dump_json().encode())
        return process

    async def close(self) -> str:
        """Ends all processes and waits for that. Returns an empty string, as no process reports errors."""
        self.alive = False
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.wait()
        self._processes = []
        return ""

    def close_descriptors(self) -> None:
        """Does nothing: the system cannot fork."""
