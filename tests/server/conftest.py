"""The server's tests run against real servers: in memory, as a process over stdio, over HTTP on loopback."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from pydantic_core import to_json

from codegym_mcp.episodes.events import Event
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.server.mcp_episode_server import EpisodeMcpServer

from .serving import Server, http_server, journal_events, serve_command

TRANSPORTS = ("memory", "stdio", "http", "http_json")
MODES = ("legacy", "2026-07-28", "auto")


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """Servers are shared by the tests of a module, so their event loop is too."""
    return "asyncio"


@pytest.fixture(scope="module")
async def pool() -> AsyncIterator[SandboxPool]:
    async with SandboxPool.open() as opened:
        yield opened


@pytest.fixture(scope="module")
async def http(pool: SandboxPool) -> AsyncIterator[Server]:
    async with http_server(pool) as server:
        yield server


@pytest.fixture(scope="module")
async def http_json(pool: SandboxPool) -> AsyncIterator[Server]:
    async with http_server(pool, json_responses=True) as server:
        yield server


@dataclass
class Attempt:
    """One episode, and every reply that its clients got."""

    connect: Callable[[], AbstractAsyncContextManager[Client]]
    events: Callable[[], list[Event]]
    replies: list[str] = field(default_factory=list)

    def calls(self) -> int:
        return sum(event.kind == "call" for event in self.events())


Begin = Callable[..., Awaitable[Attempt]]


def combinations(*transports: str) -> list[str]:
    """Transports with modes. What "auto" finds over stdio is 2026-07-28, and every process takes its time."""
    every = [(transport, mode) for transport in transports for mode in MODES]
    return ["-".join(pair) for pair in every if pair != ("stdio", "2026-07-28")]


@pytest.fixture(params=combinations(*TRANSPORTS))
async def begin(request: pytest.FixtureRequest, http: Server, http_json: Server, tmp_path: Path) -> Begin:
    """Begins an episode over one of the transports, for clients of one of the eras."""
    transport, _, mode = request.param.partition("-")

    async def over_http(server: Server, task: str, limits: dict[str, Any]) -> Attempt:
        episode = await server.open(task, **limits)

        @asynccontextmanager
        async def connect() -> AsyncIterator[Client]:
            async with server.client() as plain:
                streams = streamable_http_client(server.url_of(episode), http_client=plain)
                async with Client(
                    _recorded(streams, attempt.replies), mode=mode, read_timeout_seconds=30
                ) as client:
                    yield client

        attempt = Attempt(connect, lambda: server.journal.events(episode.id))
        return attempt

    async def in_memory(task: str, limits: dict[str, Any]) -> Attempt:
        episode = await http.open(task, **limits)
        server = EpisodeMcpServer.of(episode).server

        async def record(context: Any, call_next: Any) -> Any:
            try:
                result = await call_next(context)
            except Exception as error:
                attempt.replies.append(str(error))
                raise
            attempt.replies.append(to_json(result).decode())
            return result

        server.middleware.insert(0, record)
        attempt = Attempt(
            lambda: Client(server, mode=mode, read_timeout_seconds=30),
            lambda: http.journal.events(episode.id),
        )
        return attempt

    async def over_stdio(task: str, limits: dict[str, Any]) -> Attempt:
        data = tmp_path / task
        command = serve_command("safe", "--task", task, "--data", str(data))
        for name, value in limits.items():
            command += [f"--{name}", str(value)]
        parameters = StdioServerParameters(command=command[0], args=command[1:])
        attempt = Attempt(
            lambda: Client(
                _recorded(stdio_client(parameters), attempt.replies), mode=mode, read_timeout_seconds=30
            ),
            lambda: journal_events(data / "journal.sqlite"),
        )
        return attempt

    async def begun(task: str = "blue", **limits: Any) -> Attempt:
        match transport:
            case "memory":
                return await in_memory(task, limits)
            case "stdio":
                return await over_stdio(task, limits)
            case "http":
                return await over_http(http, task, limits)
        return await over_http(http_json, task, limits)

    return begun


@asynccontextmanager
async def _recorded(transport: AbstractAsyncContextManager[Any], replies: list[str]) -> AsyncIterator[Any]:
    async with transport as (read, write):
        yield _RecordedStream(read, replies), write


class _RecordedStream:
    """A client's incoming stream that keeps a copy of every message."""

    def __init__(self, stream: Any, replies: list[str]) -> None:
        self._stream = stream
        self._replies = replies

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __aiter__(self) -> "_RecordedStream":
        return self

    async def __anext__(self) -> Any:
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    async def receive(self) -> Any:
        message = await self._stream.receive()
        kept = (
            repr(message)
            if isinstance(message, Exception)
            else message.message.model_dump_json(by_alias=True)
        )
        self._replies.append(kept)
        return message

    async def __aenter__(self) -> "_RecordedStream":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stream.aclose()
