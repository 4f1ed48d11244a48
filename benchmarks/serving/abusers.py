"""Clients that misuse a server, in a process of their own: `python -m serving.abusers KIND PORT PATH SECONDS`.

Each kind runs until the seconds are over; PATH is the address of an episode, as a client that was let in
would know it.
"""

import asyncio
import os
import random
import re
import socket
import struct
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress

from serving.wire import post

Connect = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]

KINDS = (
    *("slow", "huge", "many", "broken", "unread", "flood", "stuffed"),
    *("headers", "chunks", "resets", "streams", "openings"),
)
HOST = "127.0.0.1"
MIB = 1 << 20


class Abusers:
    """The kinds of misuse against one server."""

    def __init__(self, port: int, path: str) -> None:
        self._port = port
        self._path = path
        self._random = random.Random(7)  # noqa: S311 - misuse that can be repeated

    async def slow(self) -> None:
        """600 connections that send a header byte by byte."""
        await asyncio.gather(*(self._forever(self._dribble) for _ in range(600)))

    async def huge(self) -> None:
        """Endless headers, bodies of 100 MiB, and the largest bodies that are allowed, of many small values."""
        await asyncio.gather(
            *(self._forever(self._send_endless_header) for _ in range(4)),
            *(self._forever(self._send_endless_body) for _ in range(4)),
            *(self._forever(self._send_largest_body) for _ in range(8)),
        )

    async def many(self) -> None:
        """About 300 new connections a second that are held and send nothing."""
        held: list[asyncio.StreamWriter] = []
        while True:
            with suppress(OSError):
                _, writer = await self._connect()
                held.append(writer)
            if len(held) > 2000:
                held.pop(0).transport.abort()
            await asyncio.sleep(1 / 300)

    async def broken(self) -> None:
        """About 200 connections a second that send no HTTP, or a part of a request, and disappear."""
        while True:
            with suppress(OSError):
                _, writer = await self._connect()
                request = self._head(b"content-length: 2\r\n") + b"{}"
                junk = self._random.randbytes(self._random.randrange(300))
                cut = request[: self._random.randrange(len(request) + 1)]
                writer.write(self._random.choice([junk, cut, request, b"\x16\x03\x01\x02\x00\x01"]))
                await asyncio.sleep(0)
                writer.transport.abort()
            await asyncio.sleep(1 / 200)

    async def unread(self) -> None:
        """50 connections that send requests and read no response."""
        await asyncio.gather(*(self._forever(self._send_without_reading) for _ in range(50)))

    async def flood(self) -> None:
        """200 connections that send one cheap request after another, to addresses for which nobody needs a token."""
        await asyncio.gather(*(self._forever(self._send_and_read) for _ in range(200)))

    async def stuffed(self) -> None:
        """300 connections that send as much of a body as is read at once, and then nothing."""
        await asyncio.gather(*(self._forever(self._send_part_of_a_body) for _ in range(300)))

    async def headers(self) -> None:
        """100 connections that send requests of many small header fields."""
        await asyncio.gather(*(self._forever(self._send_many_fields) for _ in range(100)))

    async def chunks(self) -> None:
        """50 connections that send bodies in chunks of one byte."""
        await asyncio.gather(*(self._forever(self._send_small_chunks) for _ in range(50)))

    async def resets(self) -> None:
        """About 500 connections a second that send a whole request and are reset before the response."""
        while True:
            with suppress(OSError):
                _, writer = await self._connect()
                writer.get_extra_info("socket").setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                )
                writer.write(post("2026-07-28", self._path, self._port))
                await asyncio.sleep(0)
                writer.transport.abort()
            await asyncio.sleep(1 / 500)

    async def streams(self) -> None:
        """400 streams of server-sent events of one episode, held open."""
        await asyncio.gather(*(self._forever(self._hold_stream) for _ in range(400)))

    async def openings(self) -> None:
        """50 connections that start one episode after another at the gateway, and end it at once."""
        await asyncio.gather(*(self._forever(self._start_episodes) for _ in range(50)))

    async def together(self) -> None:
        """All kinds at the same time."""
        await asyncio.gather(*(getattr(self, kind)() for kind in KINDS))

    async def _forever(self, attempt: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(self._random.random())
            with suppress(OSError):
                await attempt()

    def _connect(self) -> Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        return asyncio.open_connection(HOST, self._port)

    def _head(self, headers: bytes = b"") -> bytes:
        head = (
            f"POST {self._path} HTTP/1.1\r\nhost: {HOST}:{self._port}\r\ncontent-type: application/json\r\n"
            "accept: application/json, text/event-stream\r\n"
        )
        return head.encode() + headers + b"\r\n"

    async def _dribble(self) -> None:
        _, writer = await self._connect()
        writer.write(b"GET /health HTTP/1.1\r\nx: ")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(1 + self._random.random())

    async def _send_endless_header(self) -> None:
        _, writer = await self._connect()
        writer.write(b"GET /health HTTP/1.1\r\nx: ")
        for _ in range(98):
            writer.write(b"x" * MIB)
            await writer.drain()

    async def _send_endless_body(self) -> None:
        _, writer = await self._connect()
        writer.write(self._head(b"transfer-encoding: chunked\r\n"))
        for _ in range(100):
            writer.write(b"%x\r\n%b\r\n" % (MIB, b" " * MIB))
            await writer.drain()

    async def _send_largest_body(self) -> None:
        reader, writer = await self._connect()
        call = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"number":[%b0]}}}'
        body = call % (b"0," * ((MIB - len(call)) // 2))
        writer.write(self._head(b"content-length: %d\r\n" % len(body)) + body)
        await reader.read(1024)
        writer.close()

    async def _send_and_read(self) -> None:
        reader, writer = await self._connect()
        requests = [
            f"{method} {path} HTTP/1.1\r\nhost: {HOST}:{self._port}\r\nexpect: 100-continue\r\n\r\n".encode()
            for method in ("GET", "HEAD", "OPTIONS")
            for path in ("/health", "/environments", "/nowhere", "/mcp", "/episodes/guess/mcp")
        ]
        while True:
            writer.write(self._random.choice(requests))
            if not await reader.read(65536):
                return

    async def _send_many_fields(self) -> None:
        reader, writer = await self._connect()
        fields = b"".join(b"x-%d: %d\r\n" % (number, number) for number in range(2000))
        body = b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}'
        writer.write(self._head(fields + b"content-length: %d\r\n" % len(body)) + body)
        await reader.read(1024)
        writer.close()

    async def _send_small_chunks(self) -> None:
        reader, writer = await self._connect()
        writer.write(self._head(b"transfer-encoding: chunked\r\n") + b"1\r\n{\r\n" * 9_000 + b"0\r\n\r\n")
        await reader.read(1024)
        writer.close()

    async def _hold_stream(self) -> None:
        reader, writer = await self._connect()
        writer.write(
            f"GET {self._path} HTTP/1.1\r\nhost: {HOST}:{self._port}\r\naccept: text/event-stream\r\n\r\n".encode()
        )
        while await reader.read(65536):
            pass
        writer.close()

    async def _start_episodes(self) -> None:
        reader, writer = await self._connect()
        while True:
            started = await self._use_gateway(reader, writer, "start_episode", {"environment": "echo"})
            found = re.search(rb'"episode": ?"([^"]+)"', started)
            if found is not None:
                answer = {"episode": found[1].decode(), "answer": 0}
                await self._use_gateway(reader, writer, "submit_answer", answer)

    async def _use_gateway(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        tool: str,
        arguments: dict[str, str | int],
    ) -> bytes:
        writer.write(post("2026-07-28", "/mcp", self._port, tool=tool, arguments=arguments))
        reply = await reader.read(65536)
        if not reply:
            raise ConnectionResetError
        return reply

    async def _send_part_of_a_body(self) -> None:
        reader, writer = await self._connect()
        writer.write(self._head(b"content-length: 1000000\r\n") + b" " * 250_000)
        await reader.read(1024)
        writer.close()

    async def _send_without_reading(self) -> None:
        reader, writer = await self._connect()
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        body = b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}'
        request = self._head(b"content-length: %d\r\n" % len(body)) + body
        while True:
            writer.write(request * 10)
            await writer.drain()
            await asyncio.sleep(0.05)


async def main(kind: str, port: int, path: str, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(getattr(Abusers(port, path), kind)(), seconds)


if __name__ == "__main__":
    # Clients that misuse a server have processors of their own. Here they take what the server leaves.
    os.nice(19)
    print("ready", flush=True)
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3], float(sys.argv[4])))
