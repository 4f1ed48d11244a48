"""A server of ours as a child process, for as long as it is needed."""

import json
import os
import re
import sys
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_urlsafe
from subprocess import DEVNULL, PIPE

import anyio
from anyio.abc import Process
from anyio.streams.text import TextReceiveStream

from codegym_mcp.errors import ConnectionFailedError

_START_SECONDS = 60
_STOP_SECONDS = 15
_LINES_KEPT = 20
_SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL", re.IGNORECASE)
"""Names of variables that the server has no use for, and whose values are nobody's business."""
_SERVER = """
import os, sys
from codegym_mcp.sandbox.confinement.linux_calls import die_with_parent
die_with_parent()
if os.getppid() != int(sys.argv.pop(1)):
    sys.exit("Whoever started this server has ended.")
from codegym_mcp.cli import main
main(prog_name="codegym-mcp")
"""
"""A server that ends when this process does, also when it is killed."""


@dataclass(frozen=True)
class ServerProcess:
    """A running server.

    Attributes:
        url: where it listens, without a path.
        token: the control plane's.
    """

    url: str
    token: str


@asynccontextmanager
async def start_server(
    environments: Sequence[Path] = (),
    *,
    open_episodes: int = 1000,
    allow_unconfined: bool = False,
) -> AsyncIterator[ServerProcess]:
    """Serves environments on a free port of the loopback until the block is left.

    Args:
        environments: files, folders and sets; the bundled environments without any.
        open_episodes: how many episodes may be open at once.
        allow_unconfined: serve also where this system cannot confine environments.

    Raises:
        ConnectionFailedError: the server does not start; the error carries its last words.
    """
    token = token_urlsafe(24)
    command = [sys.executable, "-c", _SERVER, str(os.getpid()), "serve", "--http", "127.0.0.1:0", "--json"]
    command += ["--json-responses", "--no-gateway", "--max-episodes", str(open_episodes)]
    command += ["--allow-unconfined"] * allow_unconfined
    for path in environments:
        command += ["--environments", str(path)]
    environ = {**_without_secrets(), "CODEGYM_MCP_TOKEN": token}
    failure: Exception | None = None
    async with await anyio.open_process(
        command, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE, env=environ, start_new_session=True
    ) as process:
        log = _Log(process)
        try:
            with anyio.fail_after(_START_SECONDS):
                url = await log.address()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(log.drain)
                try:
                    yield ServerProcess(url, token)
                except Exception as error:
                    failure = error
                tasks.cancel_scope.cancel()
        except TimeoutError:
            raise ConnectionFailedError(
                f"The server did not start in {_START_SECONDS} seconds.{log.tail()}"
            ) from None
        finally:
            await _stop(process)
    if failure is not None:
        raise failure


def _without_secrets() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not _SECRET.search(name)}


class _Log:
    """What the server writes on stderr: first where it listens, then whatever it has to say."""

    def __init__(self, process: Process) -> None:
        assert process.stderr is not None
        self._chunks = TextReceiveStream(process.stderr, errors="replace")
        self._rest = ""
        self._kept: deque[str] = deque(maxlen=_LINES_KEPT)

    async def address(self) -> str:
        """The URL that it listens on.

        Raises:
            ConnectionFailedError: it ended before it said so.
        """
        async for line in self._lines():
            try:
                said = json.loads(line)
                return str(said["url"])
            except (ValueError, TypeError, KeyError):
                self._kept.append(line)
        raise ConnectionFailedError(f"The server did not start.{self.tail()}")

    async def drain(self) -> None:
        """Passes on what the server says and has said, so that it never waits for a reader."""
        for line in self._kept:
            print(line, file=sys.stderr)
        async for line in self._lines():
            print(line, file=sys.stderr)

    def tail(self) -> str:
        """Its last words, for an error message."""
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
    """Asks the server to end, and makes it end if it does not."""
    with anyio.CancelScope(shield=True):
        if process.returncode is None:
            process.terminate()
            with anyio.move_on_after(_STOP_SECONDS):
                await process.wait()
        if process.returncode is None:
            process.kill()
        await process.wait()
