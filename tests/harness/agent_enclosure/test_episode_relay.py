"""The relay between an agent program and its episode."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from codegym_harness.agent_enclosure.episode_relay import EpisodeRelay, ServerAddress, forward_port

PATH = "/episodes/token/mcp"
RESPONSE = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok"


class RecordingServer:
    """A server on a Unix socket that keeps what it receives and answers with the same response."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.response = RESPONSE
        self.hold = False
        self.closed = anyio.Event()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.received.append(b"")
        number = len(self.received) - 1
        while data := await reader.read(65536):
            self.received[number] += data
            if self.received[number].endswith((b"\r\n\r\n", b"0\r\n\r\n", b"body")):
                break
        writer.write(self.response)
        if self.hold:
            await reader.read()
            self.closed.set()
        writer.close()


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[tuple[RecordingServer, ServerAddress]]:
    recording = RecordingServer()
    path = tmp_path / "socket"
    async with await asyncio.start_unix_server(recording.handle, path):
        yield recording, ServerAddress("http://localhost", path)


@pytest.fixture
async def relay(server: tuple[RecordingServer, ServerAddress]) -> AsyncIterator[EpisodeRelay]:
    opened = EpisodeRelay(server[1], PATH)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(opened.serve)
        yield opened
        tasks.cancel_scope.cancel()
    opened.close()


async def send(relay: EpisodeRelay, data: bytes) -> bytes:
    """Sends bytes and returns all that comes back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
    writer.write(data)
    with anyio.fail_after(30):
        received = await reader.read()
    writer.close()
    return received


async def test_a_request_for_the_episode_is_passed_on(
    relay: EpisodeRelay, server: tuple[RecordingServer, ServerAddress]
) -> None:
    request = (
        f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1:1\r\nX-Own: 1\r\nContent-Length: 4\r\n\r\nbody".encode()
    )
    assert await send(relay, request) == RESPONSE
    (received,) = server[0].received
    head, body = received.split(b"\r\n\r\n")
    assert head.startswith(f"POST {PATH} HTTP/1.1\r\n".encode())
    assert {b"host: localhost", b"connection: close", b"x-own: 1"} <= set(head.lower().split(b"\r\n"))
    assert body == b"body"


async def test_a_chunked_body_is_passed_on(
    relay: EpisodeRelay, server: tuple[RecordingServer, ServerAddress]
) -> None:
    request = f"POST {PATH} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n"
    assert await send(relay, request.encode()) == RESPONSE
    assert b"4\r\nbody\r\n0\r\n\r\n" in server[0].received[0]


@pytest.mark.parametrize(
    "target",
    [
        *("/", "/episodes", "/environments", "/health", "/mcp", "/episodes/other/mcp", "/episodes/token"),
        *("/episodes/token/events", f"{PATH}/", f"{PATH}?a=b", f"/..{PATH}", f"http://localhost{PATH}"),
        *(f"{PATH}/../../../episodes", "/episodes/token/%6dcp", f"//{PATH}", "*"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_no_other_request_reaches_the_server(
    relay: EpisodeRelay, server: tuple[RecordingServer, ServerAddress], target: str, method: str
) -> None:
    response = await send(relay, f"{method} {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    assert response.startswith(b"HTTP/1.1 404 ")
    assert server[0].received == []


@pytest.mark.parametrize(
    "data",
    [
        f"GET {PATH} HTTP/1.1\r\nHost: a\r\n\r\nGET /episodes HTTP/1.1\r\nHost: a\r\n\r\n",
        f"POST {PATH} HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbodyGET /episodes HTTP/1.1\r\nHost: a\r\n\r\n",
        f"POST {PATH} HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
        "0\r\n\r\nGET /episodes HTTP/1.1\r\nHost: a\r\n\r\n",
        f"POST {PATH} HTTP/1.1\r\nHost: a\r\nContent-Length: 4, 40\r\n\r\nbodyGET /episodes HTTP/1.1\r\n\r\n",
        f"POST {PATH} HTTP/1.1\nHost: a\nTransfer-Encoding: xchunked\n\n0\n\nGET /episodes HTTP/1.1\n\n",
        f"GET {PATH} HTTP/1.1\r\nHost: a\r\nX: 1\r\n GET /episodes HTTP/1.1\r\n\r\n",
        f"GET {PATH}\r\n\r\nGET /episodes HTTP/1.1\r\n\r\n",
        f"GET {PATH} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\nGET /episodes HTTP/1.1\r\n\r\n",
    ],
)
async def test_no_second_request_is_smuggled_behind_a_first(
    relay: EpisodeRelay, server: tuple[RecordingServer, ServerAddress], data: str
) -> None:
    await send(relay, data.encode())
    for received in server[0].received:
        first, *lines = received.split(b"\r\n")
        assert first.split(b" ")[1] == PATH.encode()
        assert not any(line.startswith((b"GET ", b"POST ")) for line in lines)


@pytest.mark.parametrize("data", [b"", b"\x16\x03\x01 no text", b"GET / HTTP/1.1\r\n" + b"a" * 100_000])
async def test_what_is_no_request_closes_the_connection(relay: EpisodeRelay, data: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
    writer.write(data)
    writer.write_eof()
    with anyio.fail_after(30):
        assert not (await reader.read()).startswith(b"HTTP/1.1 2")
    writer.close()


async def test_a_response_that_does_not_end_is_given_up_with_the_client(
    relay: EpisodeRelay, server: tuple[RecordingServer, ServerAddress]
) -> None:
    server[0].hold, server[0].response = True, b"HTTP/1.1 200 OK\r\n\r\nevent"
    reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
    writer.write(f"GET {PATH} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    assert (await reader.readuntil(b"event")).startswith(b"HTTP/1.1 200 OK")
    writer.close()
    with anyio.fail_after(30):
        await server[0].closed.wait()


async def test_a_server_that_is_not_there_closes_the_connection(tmp_path: Path) -> None:
    relay = EpisodeRelay(ServerAddress("http://localhost", tmp_path / "missing"), PATH)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(relay.serve)
        assert await send(relay, f"GET {PATH} HTTP/1.1\r\nHost: a\r\n\r\n".encode()) == b""
        tasks.cancel_scope.cancel()
    relay.close()


async def test_a_closed_relay_accepts_no_connection(relay: EpisodeRelay) -> None:
    other = EpisodeRelay(ServerAddress("http://localhost"), PATH)
    other.close()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", other.port)


async def test_a_port_of_the_machine_is_forwarded() -> None:
    async def upper(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.readline()).upper())
        writer.close()

    async with await asyncio.start_server(upper, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with socket.create_server(("127.0.0.1", 0)) as listener:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(forward_port, port, listener)
                reader, writer = await asyncio.open_connection(*listener.getsockname())
                writer.write(b"line\n")
                with anyio.fail_after(30):
                    assert await reader.read() == b"LINE\n"
                writer.close()
                tasks.cancel_scope.cancel()
