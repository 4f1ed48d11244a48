"""Clients of the compared servers: each opens one session and calls its tool over one connection."""

import asyncio
import base64
import json
import os
from typing import Any, Protocol
from urllib.parse import urlsplit

from serving.wire import ERAS, request

from peer_servers.plain_environments import PlainEnvironment

_ERA = "handshake"
_NEWEST = "2026-07-28"


class Session(Protocol):
    """One session on a server."""

    async def open(self) -> None:
        """Opens the session, so that it can be called."""

    async def call(self) -> None:
        """Makes one call.

        Raises:
            RuntimeError: the reply is not a result.
        """

    def close(self) -> None:
        """Closes the connection."""


class HttpConnection:
    """An HTTP connection that stays open; one that the server closed while it was idle is opened again."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port, self.path = parts.hostname, parts.port, parts.path
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(
        self, body: bytes, headers: dict[str, str], path: str | None = None
    ) -> tuple[dict[str, str], bytes]:
        """Sends a request; returns the headers and the body of the response.

        Raises:
            RuntimeError: the status is an error.
        """
        if self._streams is None or self._streams[0].at_eof():
            self.close()
            self._streams = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._streams
        fields = {
            "host": f"127.0.0.1:{self._port}",
            "accept": "application/json, text/event-stream",
            "content-type": "application/json",
            "content-length": str(len(body)),
            **headers,
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        writer.write(f"POST {path or self.path} HTTP/1.1\r\n{head}\r\n".encode() + body)
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        received = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        data = await reader.readexactly(int(received.get("content-length", "0")))
        if int(lines[0].split()[1]) >= 400:
            raise RuntimeError(f"{lines[0]}: {data[:300]!r}")
        return received, data

    def close(self) -> None:
        """Closes the connection."""
        if self._streams is not None:
            self._streams[1].close()


class McpSession:
    """A session of the MCP SDK over HTTP."""

    def __init__(self, announced: dict[str, Any], environment: PlainEnvironment) -> None:
        self._connection = HttpConnection(f"{announced['url']}/mcp")
        self._headers = {"mcp-protocol-version": ERAS[_ERA]}
        self._sent = request(_ERA, 1, "tools/call", name=environment.tool, arguments=environment.arguments)

    async def open(self) -> None:
        """Performs the handshake and makes the first call, which creates the environment."""
        client = {"name": "driver", "version": "1"}
        hello = request(_ERA, 0, "initialize", protocolVersion=ERAS[_ERA], capabilities={}, clientInfo=client)
        received, _ = await self._connection.post(hello, {})
        self._headers["mcp-session-id"] = received["mcp-session-id"]
        ready = json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}).encode()
        await self._connection.post(ready, self._headers)
        await self.call()

    async def call(self) -> None:
        _, reply = await self._connection.post(self._sent, self._headers)
        _check(reply, b'"structuredContent"')

    def close(self) -> None:
        self._connection.close()


class EpisodeSession:
    """An episode of this project's server, in the revision of MCP that has no sessions."""

    def __init__(self, announced: dict[str, Any], environment: PlainEnvironment) -> None:
        self._announced = announced
        self._environment = environment
        self._connection = HttpConnection(announced["url"])
        self._path = ""
        self._sent = request(_NEWEST, 1, "tools/call", name=environment.tool, arguments=environment.arguments)
        self._headers = {
            "mcp-protocol-version": ERAS[_NEWEST],
            "mcp-method": "tools/call",
            "mcp-name": environment.tool,
        }

    async def open(self) -> None:
        """Opens an episode and makes the first call, which starts its process."""
        body = {
            "environment": self._environment.source.stem,
            "limits": {"calls": 100_000, "idle_seconds": 3600},
        }
        token = {"authorization": f"Bearer {self._announced['token']}"}
        _, opened = await self._connection.post(json.dumps(body).encode(), token, "/episodes")
        self._path = urlsplit(json.loads(opened)["mcp_url"]).path
        await self.call()

    async def call(self) -> None:
        _, reply = await self._connection.post(self._sent, self._headers, self._path)
        _check(reply, b'"structuredContent"')

    def close(self) -> None:
        self._connection.close()


class OpenEnvSession:
    """A session of OpenEnv over its WebSocket."""

    def __init__(self, announced: dict[str, Any], environment: PlainEnvironment) -> None:
        self._address = urlsplit(announced["url"])
        data = {"tool": environment.tool, "arguments": environment.arguments}
        self._step = _text_frame(json.dumps({"type": "step", "data": data}).encode())
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def open(self) -> None:
        """Opens the WebSocket, resets the environment and makes the first call."""
        self._streams = await asyncio.open_connection(self._address.hostname, self._address.port)
        reader, writer = self._streams
        key = base64.b64encode(os.urandom(16)).decode()
        writer.write(
            f"GET /ws HTTP/1.1\r\nhost: 127.0.0.1:{self._address.port}\r\nupgrade: websocket\r\n"
            f"connection: Upgrade\r\nsec-websocket-key: {key}\r\nsec-websocket-version: 13\r\n\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 101 " not in head:
            raise RuntimeError(f"no WebSocket: {head[:300]!r}")
        await self._exchange(_text_frame(json.dumps({"type": "reset", "data": {}}).encode()))
        await self.call()

    async def call(self) -> None:
        await self._exchange(self._step)

    async def _exchange(self, frame: bytes) -> None:
        assert self._streams is not None
        reader, writer = self._streams
        writer.write(frame)
        while True:
            kind, length = await reader.readexactly(2)
            if length == 126:
                length = int.from_bytes(await reader.readexactly(2))
            elif length == 127:
                length = int.from_bytes(await reader.readexactly(8))
            reply = await reader.readexactly(length)
            if kind & 15 == 1:
                _check(reply, b'"observation"')
                return

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()


def _text_frame(text: bytes) -> bytes:
    """Returns a text as one masked frame of a WebSocket (RFC 6455, section 5); the mask is zero."""
    size = bytes([128 | len(text)]) if len(text) < 126 else bytes([254]) + len(text).to_bytes(2)
    return b"\x81" + size + bytes(4) + text


def _check(reply: bytes, expected: bytes) -> None:
    if expected not in reply or b'"isError":true' in reply:
        raise RuntimeError(f"not a result: {reply[:300]!r}")
