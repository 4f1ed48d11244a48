"""A server that is killed and started again, at the same address and with the same data."""

import os
import random
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from subprocess import DEVNULL
from typing import BinaryIO

import anyio
from anyio.abc import Process

from codegym_harness.clients.lost_connection_retries import RetryingClient
from codegym_harness.clients.mcp_client import ssl_context
from codegym_mcp.errors import CodegymError
from codegym_mcp.server.listeners import bind

from .serving import session_of

TOKEN = "given-for-all-its-lives"


class RestartingServer:
    """Use `RestartingServer.run()`.

    Attributes:
        url: where it listens.
        lives: the process ids that it has had.
    """

    def __init__(self, command: Sequence[str], url: str, log: Path) -> None:
        self.url = url
        self.lives: list[int] = []
        self._command = command
        self._log = log
        self._process: Process | None = None
        self._stopping = False
        self._born = anyio.Event()
        self._depth = 0

    @classmethod
    @asynccontextmanager
    async def run(
        cls,
        folder: Path,
        environments: Sequence[Path],
        *arguments: str,
        program: Sequence[str] = ("-m", "codegym_mcp.cli"),
    ) -> AsyncIterator["RestartingServer"]:
        """A server that is started again whenever it is killed, until the block is left; killed then.

        Args:
            folder: for its data and its log.
            environments: what it serves.
            arguments: more of them.
            program: what Python runs.
        """
        port = fixed_port()
        command = [sys.executable, *program, "serve", "--http", f"127.0.0.1:{port}"]
        command += ["--data", str(folder / "data"), *arguments]
        for path in environments:
            command += ["--environments", str(path)]
        server = cls(command, f"http://127.0.0.1:{port}", folder / "log")
        async with anyio.create_task_group() as tasks:
            try:
                tasks.start_soon(server._live)
                async with RetryingClient(
                    patience=30, base_url=server.url, verify=ssl_context(), timeout=60
                ) as client:
                    await client.get("/health")
                server._depth = max(depth for depth, _ in server._processes())
                yield server
            finally:
                server._stopping = True
                server.kill()

    async def _live(self) -> None:
        environment = {**os.environ, "CODEGYM_MCP_TOKEN": TOKEN}
        with self._log.open("ab") as log:
            while not self._stopping:
                await self._live_once(environment, log)

    async def _live_once(self, environment: dict[str, str], log: BinaryIO) -> None:
        async with await anyio.open_process(
            self._command, env=environment, stdout=DEVNULL, stderr=log, start_new_session=True
        ) as process:
            self._process = process
            self.lives.append(process.pid)
            self._born.set()
            self._born = anyio.Event()
            code = await process.wait()
            assert code in (0, -signal.SIGKILL), self.said()

    def kill(self) -> None:
        """Kills it, if it lives."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def restart(self) -> None:
        """Tells it to stop; returns when it was started again, and may not yet answer."""
        assert self._process is not None
        born = self._born
        self._process.terminate()
        await born.wait()

    async def stop(self) -> int:
        """Tells it to stop for good; returns its exit code."""
        self._stopping = True
        assert self._process is not None
        self._process.terminate()
        return await self._process.wait()

    def kill_everything(self) -> None:
        """Kills the server and all that it started."""
        for pid in session_of(self.lives[-1]):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def kill_some(self, choice: random.Random, kind: str) -> None:
        """Kills one of its processes.

        Args:
            kind: "worker" for one of those directly below the server, "zygote" for one of those that fork; else
                one that runs code of an environment, if there is one.
        """
        lowest = self._depth if kind != "worker" else 1
        found = [
            pid for depth, pid in self._processes() if (depth <= lowest) == (kind in ("zygote", "worker"))
        ]
        if found:
            with suppress(ProcessLookupError):
                os.kill(choice.choice(found), signal.SIGKILL)

    def left(self) -> set[int]:
        """The processes of all its lives that still run."""
        return {pid for life in self.lives for pid in session_of(life)}

    def said(self) -> str:
        """All that it wrote."""
        return self._log.read_text()

    def _processes(self) -> list[tuple[int, int]]:
        """Those below the server, each with its depth: first those that fork, below them environments."""
        return _below(self.lives[-1], 1)


def _below(pid: int, depth: int) -> list[tuple[int, int]]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [found for child in map(int, children) for found in ((depth, child), *_below(child, depth + 1))]


def fixed_port() -> int:
    """A free port that the system does not give away while its server is dead."""
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.randrange(lowest // 2, lowest)
        try:
            bind("127.0.0.1", port).close()
        except CodegymError:
            continue
        return port
