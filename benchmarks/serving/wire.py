"""Cheap drivers: requests are encoded in advance and replies hardly parsed, so that the server is measured."""

import asyncio
from collections.abc import Callable
from typing import Any

from pydantic_core import to_json

TOOL = "echo"
ERAS = {"handshake": "2025-11-25", "2026-07-28": "2026-07-28"}


def request(era: str, number: int, method: str, **params: Any) -> bytes:
    """Returns a JSON-RPC request of an era."""
    if era != "handshake":
        params["_meta"] = {
            "io.modelcontextprotocol/protocolVersion": ERAS[era],
            "io.modelcontextprotocol/clientCapabilities": {},
        }
    return to_json({"jsonrpc": "2.0", "id": number, "method": method, "params": params})


def tool_call(era: str, number: int, *, tool: str = TOOL, arguments: dict[str, Any] | None = None) -> bytes:
    """Returns a call of a tool; without arguments, one of the benchmark's own tool."""
    return request(era, number, "tools/call", name=tool, arguments=arguments or {"number": 7})


def post(
    era: str, path: str, port: int, *, tool: str = TOOL, arguments: dict[str, Any] | None = None
) -> bytes:
    """Returns a call of a tool as an HTTP request that leaves the connection open."""
    body = tool_call(era, 1, tool=tool, arguments=arguments)
    routing = "" if era == "handshake" else f"mcp-method: tools/call\r\nmcp-name: {tool}\r\n"
    head = (
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n"
        "accept: application/json, text/event-stream\r\ncontent-type: application/json\r\n"
        f"mcp-protocol-version: {ERAS[era]}\r\n{routing}content-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Caller(asyncio.Protocol):
    """A connection over HTTP that sends the next request when the last one was answered."""

    def __init__(self, sent: bytes, answered: Callable[[bytes], bool]) -> None:
        self._sent = sent
        self._answered = answered
        self._buffer = b""
        self._transport: asyncio.Transport | None = None
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        transport.write(self._sent)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not _is_whole(self._buffer):
            return
        reply, self._buffer = self._buffer, b""
        assert self._transport is not None
        try:
            goes_on = self._answered(reply)
        except RuntimeError as error:
            self._transport.close()
            if not self.done.done():
                self.done.set_exception(error)
            return
        if goes_on:
            self._transport.write(self._sent)
        else:
            self._transport.close()

    def connection_lost(self, _error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)


class Connection(asyncio.Protocol):
    """A connection over HTTP that stays open, for one request at a time."""

    def __init__(self) -> None:
        self._buffer = b""
        self._transport: Any = None
        self._reply: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    @property
    def is_closed(self) -> bool:
        """Whether the connection was closed, for example by a server on which it was idle for too long."""
        return bool(self._transport.is_closing())

    def send(self, request: bytes) -> asyncio.Future[bytes]:
        """Sends a request and returns its reply."""
        self._reply = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._reply

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if _is_whole(self._buffer) and self._reply is not None:
            reply, self._buffer = self._buffer, b""
            self._reply.set_result(reply)

    def connection_lost(self, error: Exception | None) -> None:
        if self._reply is not None and not self._reply.done():
            self._reply.set_exception(error or ConnectionResetError("the server closed the connection"))


def _is_whole(reply: bytes) -> bool:
    head, found, body = reply.partition(b"\r\n\r\n")
    if not found:
        return False
    at = head.find(b"content-length: ")
    if at < 0:
        return body.endswith(b"0\r\n\r\n")
    return len(body) >= int(head[at + 16 :].split(b"\r\n", 1)[0])


class Pipes(asyncio.SubprocessProtocol):
    """A server over stdio with a number of calls in flight."""

    def __init__(self, era: str, in_flight: int, answered: Callable[[bytes], bool]) -> None:
        self._answered = answered
        self._calls = [tool_call(era, number) + b"\n" for number in range(in_flight)]
        self._buffer = b""
        self._in: Any = None
        self._greeted = asyncio.get_running_loop().create_future()
        self._flying = 0
        self.idle: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self._in = transport.get_pipe_transport(0)

    async def greet(self, era: str) -> None:
        """Performs the handshake, or the discovery of eras without one."""
        if era == "handshake":
            client = {"name": "driver", "version": "1"}
            hello = request(
                era, 0, "initialize", protocolVersion=ERAS[era], capabilities={}, clientInfo=client
            )
        else:
            hello = request(era, 0, "server/discover")
        self._in.write(hello + b"\n")
        await self._greeted

    def start(self) -> None:
        """Sends the first calls."""
        self._flying = len(self._calls)
        self.idle = asyncio.get_running_loop().create_future()
        self._in.write(b"".join(self._calls))

    def pipe_data_received(self, _fd: int, data: bytes) -> None:
        *replies, self._buffer = (self._buffer + data).split(b"\n")
        if not self._greeted.done():
            self._greeted.set_result(None)
            return
        sent = []
        for reply in replies:
            if self._answered(reply):
                at = reply.find(b'"id":') + 5
                sent.append(self._calls[int(reply[at : reply.find(b",", at)])])
            else:
                self._flying -= 1
                if not self._flying:
                    self.idle.set_result(None)
        if sent:
            self._in.write(b"".join(sent))

    def process_exited(self) -> None:
        self.ended.set_result(None)

    def close(self) -> None:
        """Closes the server's stdin, which ends it."""
        self._in.close()
