"""An HTTP line is used again, opened again, and never gives one request the answer to another."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio
import pytest

from harness.http_line import HttpLine

Serve = Callable[[int, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
SECONDS = 60


def request(body: str) -> bytes:
    return f"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode()


def response(body: bytes, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def read(reader: asyncio.StreamReader) -> bytes:
    """The body of the next request."""
    head = await reader.readuntil(b"\r\n\r\n")
    return await reader.readexactly(int(head.rpartition(b"content-length: ")[2]))


@asynccontextmanager
async def line_to(serve: Serve) -> AsyncIterator[HttpLine]:
    """A line to a server that treats its connections, which are counted from 1, like this."""
    connections = 0

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        try:
            await serve(connections, reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with server:
        line = HttpLine("127.0.0.1", server.sockets[0].getsockname()[1])
        yield line
        line.close()


async def echo(connection: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(response(f"{connection}: ".encode() + await read(reader)))


async def test_a_line_is_used_again():
    async with line_to(echo) as line:
        assert await line.send(request("a"), SECONDS) == (200, b"1: a")
        assert await line.send(request("b"), SECONDS) == (200, b"1: b")


async def test_a_line_that_the_server_has_closed_is_opened_again():
    async def once(connection, reader, writer):
        writer.write(response(f"{connection}: ".encode() + await read(reader)))
        await writer.drain()

    async with line_to(once) as line:
        for number in (1, 2, 3):
            assert (await line.send(request("a"), SECONDS))[1] == f"{number}: a".encode()


async def test_a_line_that_is_closed_under_a_request_is_opened_again_for_it():
    async def close_at_the_second(connection, reader, writer):
        writer.write(response(f"{connection}: ".encode() + await read(reader)))
        await read(reader)

    async with line_to(close_at_the_second) as line:
        assert (await line.send(request("a"), SECONDS))[1] == b"1: a"
        assert (await line.send(request("b"), SECONDS))[1] == b"2: b"


async def test_the_server_may_ask_for_another_line():
    async def close(connection, reader, writer):
        writer.write(response(f"{connection}".encode() + await read(reader), "connection: close"))

    async with line_to(close) as line:
        assert (await line.send(request("a"), SECONDS))[1] == b"1a"
        assert (await line.send(request("b"), SECONDS))[1] == b"2b"


async def test_an_answer_may_come_in_pieces():
    async def pieces(connection, reader, writer):
        await read(reader)
        whole = b"HTTP/1.1 404 Gone\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        for place in range(len(whole)):
            writer.write(whole[place : place + 1])
            await writer.drain()
        await read(reader)

    async with line_to(pieces) as line:
        assert await line.send(request("a"), SECONDS) == (404, b"abcde")


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", b"SSH-2.0\r\n"])
async def test_a_server_that_does_not_answer_is_an_error(answer):
    async def break_off(connection, reader, writer):
        await read(reader)
        writer.write(answer)

    async with line_to(break_off) as line:
        with pytest.raises(ConnectionError):
            await line.send(request("a"), SECONDS)


async def test_nobody_there_is_an_error(unused_tcp_port):
    with pytest.raises(ConnectionRefusedError):
        await HttpLine("127.0.0.1", unused_tcp_port).send(request("a"), SECONDS)


async def test_an_answer_that_comes_too_late_is_not_taken_for_the_next():
    asked = anyio.Event()

    async def late(connection, reader, writer):
        body = await read(reader)
        if connection == 1:
            asked.set()
            await anyio.sleep_forever()
        writer.write(response(body))
        await read(reader)

    async with line_to(late) as line:
        with pytest.raises(TimeoutError, match=r"no answer in 0\.05 seconds"):
            await line.send(request("a"), 0.05)
        assert (await line.send(request("b"), SECONDS))[1] == b"b"


async def test_a_request_that_was_given_up_leaves_no_answer_for_the_next():
    asked, gone = anyio.Event(), anyio.Event()

    async def slow(connection, reader, writer):
        body = await read(reader)
        if connection == 1:
            asked.set()
            await gone.wait()
        writer.write(response(body))
        await read(reader)

    async with line_to(slow) as line:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(line.send, request("a"), SECONDS)
            await asked.wait()
            tasks.cancel_scope.cancel()
        gone.set()
        assert (await line.send(request("b"), SECONDS))[1] == b"b"
