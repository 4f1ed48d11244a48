"""A server of episodes as a child process, which runs until a block is left."""

import json
import logging
import os
import socket
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_urlsafe
from subprocess import DEVNULL, PIPE
from tempfile import TemporaryDirectory

import anyio
from anyio.abc import Process
from anyio.streams.text import TextReceiveStream

from codegym_harness.processes.environment_variables import server_environment
from codegym_mcp.errors import ConnectionFailedError
from codegym_mcp.python_process import python_command
from codegym_mcp.storage.temporary_directory import temporary_directory

logger = logging.getLogger(__name__)

_TOKEN_VARIABLE = "CODEGYM_MCP_TOKEN"  # noqa: S105 - the variable's name
_START_SECONDS = 60
_STOP_SECONDS = 15
_LINES_KEPT = 20


@dataclass(frozen=True)
class ServerProcess:
    """A running server.

    Attributes:
        url: its URL without a path.
        token: the bearer token of its control plane.
        socket_path: the Unix socket that it listens on, if it does not listen at the URL's port.
    """

    url: str
    token: str
    socket_path: Path | None = None


@asynccontextmanager
async def start_server(
    environments: Sequence[Path] = (),
    *,
    open_episodes: int = 1000,
    allow_unconfined: bool = False,
) -> AsyncIterator[ServerProcess]:
    """Serves environments at a Unix socket, which only this user can open, until the block is left.

    No other program can then read its traffic. A system without Unix sockets uses a free port of the loopback
    address. The server refuses to tell agents their verdicts. What it writes to its standard error is logged
    by `codegym_harness.processes.server_process`.

    Args:
        environments: files, folders and sets; the bundled environments if empty.
        open_episodes: how many episodes may be open at once.
        allow_unconfined: whether to serve also on a system that cannot confine environments.

    Raises:
        ConnectionFailedError: the server does not start; the error contains the end of its output.
    """
    token = token_urlsafe(24)
    with _socket_path() as socket_path:
        address = f"unix:{socket_path}" if socket_path is not None else "127.0.0.1:0"
        options = ["--max-episodes", str(open_episodes), *["--allow-unconfined"] * allow_unconfined]
        for path in environments:
            options += ["--environments", str(path)]
        async with _start(address, options, token) as url:
            yield ServerProcess(url, token, socket_path)


@contextmanager
def _socket_path() -> Iterator[Path | None]:
    """Creates a folder of this user, for a Unix socket, until the block is left."""
    if not hasattr(socket, "AF_UNIX"):
        yield None
        return
    # The path of a socket must be short, which that of $TMPDIR may not be.
    short = Path("/tmp")  # noqa: S108 - the folder is created with mode 0700
    parent = short if os.access(short, os.W_OK) else temporary_directory()
    with TemporaryDirectory(prefix="codegym-mcp-", dir=parent) as folder:
        yield Path(folder, "server")


@asynccontextmanager
async def _start(address: str, options: Sequence[str], token: str) -> AsyncIterator[str]:
    """Starts a server and returns its URL."""
    command = python_command(
        "codegym_mcp.cli.run_as_child", str(os.getpid()), "serve", "--http", address, "--json"
    )
    failure: Exception | None = None
    async with await anyio.open_process(
        [*command, "--json-responses", "--no-gateway", "--refuse-reveal", *options],
        stdin=DEVNULL,
        stdout=DEVNULL,
        stderr=PIPE,
        env={**server_environment(), _TOKEN_VARIABLE: token},
        start_new_session=True,
    ) as process:
        log = _Log(process)
        try:
            with anyio.fail_after(_START_SECONDS):
                url = await log.address()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(log.forward)
                try:
                    yield url
                except Exception as error:
                    failure = error
                tasks.cancel_scope.cancel()
        except TimeoutError:
            raise ConnectionFailedError(
                f"The server did not start within {_START_SECONDS} seconds.{log.end()}"
            ) from None
        finally:
            await _stop(process)
    if failure is not None:
        raise failure


class _Log:
    """The standard error of a server: first the URL that it listens on, then messages."""

    def __init__(self, process: Process) -> None:
        assert process.stderr is not None
        self._chunks = TextReceiveStream(process.stderr, errors="replace")
        self._rest = ""
        self._kept: deque[str] = deque(maxlen=_LINES_KEPT)

    async def address(self) -> str:
        """Returns the URL that the server listens on.

        Raises:
            ConnectionFailedError: the server ended before it listened.
        """
        async for line in self._lines():
            try:
                return str(json.loads(line)["url"])
            except (ValueError, TypeError, KeyError):
                self._kept.append(line)
        raise ConnectionFailedError(f"The server did not start.{self.end()}")

    async def forward(self) -> None:
        """Logs what the server writes, so that its pipe never fills up."""
        for line in self._kept:
            logger.warning("%s", line)
        async for line in self._lines():
            logger.warning("%s", line)

    def end(self) -> str:
        """Returns the last lines, for an error message."""
        return "".join(f"\n{line}" for line in self._kept)

    async def _lines(self) -> AsyncIterator[str]:
        while True:
            while "\n" in self._rest:
                line, self._rest = self._rest.split("\n", 1)
                yield line
            try:
                self._rest += await self._chunks.receive()
            except anyio.EndOfStream:
                if self._rest:
                    line, self._rest = self._rest, ""
                    yield line
                return


async def _stop(process: Process) -> None:
    """Terminates the server, and kills it if it does not end in time."""
    with anyio.CancelScope(shield=True):
        if process.returncode is None:
            process.terminate()
            with anyio.move_on_after(_STOP_SECONDS):
                await process.wait()
        if process.returncode is None:
            process.kill()
        await process.wait()
