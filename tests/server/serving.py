"""Servers to test against: in this process over HTTP, and as a process of their own."""

import json
import os
import re
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import httpx2
from anyio.abc import Process
from anyio.streams.text import TextReceiveStream

from codegym_harness.clients.mcp_client import ssl_context
from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episodes.episode import Episode
from codegym_mcp.episodes.episode_manager import EpisodeManager
from codegym_mcp.episodes.episode_settings import EpisodeSettings
from codegym_mcp.episodes.events import Event
from codegym_mcp.episodes.journal import Journal
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.server.connection_limits import ConnectionLimits
from codegym_mcp.server.http_application import make_app
from codegym_mcp.server.http_options import HttpOptions
from codegym_mcp.server.listeners import bind, bind_unix
from codegym_mcp.server.uvicorn_server import running

ANNOUNCED = re.compile(r"^\{.*\}\n", re.MULTILINE)
ENVIRONMENTS = Path(__file__).parent / "environments"
SAFE = ENVIRONMENTS / "safe.py"
WORDS = {"blue": "heron-4417-umber", "red": "plover-9032-ochre"}
"""The right answers of the fixed tasks of `safe`, which nothing but a journal may ever hold."""


@dataclass(frozen=True)
class Server:
    """A server over HTTP in this process."""

    url: str
    token: str
    episodes: EpisodeManager
    journal: Journal

    @property
    def environment(self) -> Environment:
        return self.episodes.catalog.get("safe")

    async def open(self, task: str = "blue", *, reveal: bool = False, **limits: Any) -> Episode:
        settings = EpisodeSettings(limits=Limits(**limits), reveal=reveal)
        return await self.episodes.open(self.environment, self.environment.task(task), settings)

    def url_of(self, episode: Episode) -> str:
        return f"{self.url}/episodes/{episode.token}/mcp"

    def client(self, **headers: str) -> httpx2.AsyncClient:
        """A plain HTTP client."""
        return httpx2.AsyncClient(base_url=self.url, headers=headers, verify=ssl_context(), timeout=30)

    def control(self) -> httpx2.AsyncClient:
        """A client that has the control plane's token."""
        return self.client(authorization=f"Bearer {self.token}")


@asynccontextmanager
async def http_server(
    pool: SandboxPool,
    *,
    paths: tuple[Path, ...] = (ENVIRONMENTS / "safe.py",),
    journal_path: Path | None = None,
    open_limit: int = 1000,
    named: str = "127.0.0.1",
    unix_socket: Path | None = None,
    limits: ConnectionLimits | None = None,
    **options: Any,
) -> AsyncIterator[Server]:
    """Serves over HTTP on loopback, or at a Unix socket, until the block is left.

    Args:
        named: the address to which the application believes to be bound.
    """
    token = "a-token-of-the-control-plane"
    listening = bind("127.0.0.1", 0) if unix_socket is None else bind_unix(unix_socket)
    with Journal.open(journal_path) as journal, listening as listener:
        async with EpisodeManager.serve(
            Catalog.load(paths), pool, journal, open_limit=open_limit
        ) as episodes:
            host = named if unix_socket is None else None
            app = make_app(episodes, HttpOptions(token=token, **options), host=host)
            async with running(app, listener, limits=limits):
                url = "" if unix_socket else f"http://127.0.0.1:{listener.getsockname()[1]}"
                yield Server(url, token, episodes, journal)


def serve_command(*arguments: str) -> list[str]:
    """The command that serves the environments of these tests."""
    return [
        sys.executable,
        "-m",
        "codegym_mcp.cli",
        "serve",
        *arguments,
        "--environments",
        str(ENVIRONMENTS / "safe.py"),
    ]


def journal_events(path: Path) -> list[Event]:
    """Returns the events of a journal that another process writes and that holds one episode."""
    with Journal.open(path) as journal:
        (opening,) = journal.openings(before=None, limit=2)
        return journal.events(opening.episode)


@dataclass(frozen=True)
class ServerProcess:
    """A server over HTTP in a process of its own."""

    process: Process
    announced: dict[str, Any]
    lines: TextReceiveStream
    said_first: str
    """What it said until it was ready."""

    @property
    def url(self) -> str:
        return str(self.announced["url"])

    def control(self) -> httpx2.AsyncClient:
        headers = {"authorization": f"Bearer {self.announced['token']}"}
        return httpx2.AsyncClient(base_url=self.url, headers=headers, verify=ssl_context(), timeout=30)

    async def said(self) -> str:
        """What it still says until it ends, and all that it said on stdout."""
        assert self.process.stdout is not None
        output = TextReceiveStream(self.process.stdout)
        return "".join([text async for text in self.lines] + [text async for text in output])

    def processes(self) -> set[int]:
        """The server and all that it started, as far as they still run."""
        return session_of(self.process.pid)


@asynccontextmanager
async def serving_process(
    *arguments: str, program: Sequence[str] = (), **variables: str
) -> AsyncIterator[ServerProcess]:
    """Runs `serve --http` in a process of its own, killed if the block leaves it running.

    Args:
        arguments: more of them; without `--http`, it listens on a free port of loopback.
        program: a command that starts the server, whose command is appended.
    """
    address = () if "--http" in arguments else ("--http", "127.0.0.1:0")
    command = [*program, *serve_command(*address, "--json", *arguments)]
    environment = {**os.environ, **variables}
    async with await anyio.open_process(command, env=environment, start_new_session=True) as process:
        try:
            assert process.stderr is not None
            lines = TextReceiveStream(process.stderr)
            said = ""
            with anyio.fail_after(120):
                while not (announced := ANNOUNCED.search(said)):
                    said += await lines.receive()
            yield ServerProcess(process, json.loads(announced[0]), lines, said)
        finally:
            if process.returncode is None:
                process.kill()


def session_of(leader: int) -> set[int]:
    """The processes of a session that still run: its leader, and all that it started."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, session = stat.read_text().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if int(session) == leader and state not in "ZX":
            found.add(int(stat.parent.name))
    return found
