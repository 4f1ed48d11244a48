"""What one client may send, hold and leave unread before the server knows who it is."""

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import anyio
import pytest
from anyio.abc import SocketStream
from starlette.applications import Starlette

from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.server.connection_limits import ConnectionLimits
from codegym_mcp.server.request_bodies import MAX_BODY
from codegym_mcp.server.request_size_limits import MAX_HEAD_BYTES, BoundedHttpProtocol
from codegym_mcp.server.uvicorn_server import HttpServer
from tests.waiting import until

from .serving import Server, http_server

LIMITS = ConnectionLimits(
    connections=8, head_seconds=1.0, body_seconds=1.0, write_seconds=1.0, idle_seconds=2
)
HEAD = b"POST /episodes HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer %b\r\n"


@pytest.fixture(scope="module")
async def served(pool: SandboxPool) -> AsyncIterator[Server]:
    async with http_server(pool, limits=LIMITS) as server:
        yield server


@asynccontextmanager
async def connection(server: Server) -> AsyncIterator[SocketStream]:
    async with await anyio.connect_tcp("127.0.0.1", int(server.url.rpartition(":")[2])) as stream:
        yield stream


async def received(stream: SocketStream) -> bytes:
    """Returns what the server sends until it closes the connection."""
    data = b""
    with anyio.fail_after(30):
        try:
            while True:
                data += await stream.receive()
        except (anyio.EndOfStream, anyio.BrokenResourceError):
            return data


async def healthy(server: Server) -> bool:
    async with server.client() as client:
        return (await client.get("/health")).status_code == 200


async def send_until_closed(stream: SocketStream, part: bytes) -> None:
    with anyio.fail_after(30):
        try:
            while True:
                await stream.send(part)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            return


@pytest.mark.parametrize(
    "head",
    [
        b"GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\nx: " + b"x" * MAX_HEAD_BYTES,
        b"GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n" + b"x: y\r\n" * MAX_HEAD_BYTES,
        b"GET /" + b"x" * MAX_HEAD_BYTES,
        b"GET /health HTTP/1.1\r\n" + b"x" * MAX_HEAD_BYTES,
        b"GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\nx: " + b"x" * MAX_HEAD_BYTES + b"\r\n\r\n",
    ],
)
async def test_a_head_that_is_too_long_is_refused(served: Server, head: bytes) -> None:
    async with connection(served) as stream:
        await stream.send(head)
        assert (await received(stream)).startswith(b"HTTP/1.1 431 ")
    assert await healthy(served)


async def test_a_head_that_never_ends_is_refused_after_a_few_bytes(served: Server) -> None:
    async with connection(served) as stream:
        await stream.send(b"GET /health HTTP/1.1\r\nx: ")
        await send_until_closed(stream, b"x" * 65536)
    assert await healthy(served)


@pytest.mark.parametrize("end", [b"", b"\r\n"])
async def test_a_head_of_the_allowed_length_is_read(served: Server, end: bytes) -> None:
    async with connection(served) as stream:
        line = b"GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\nx: "
        await stream.send(line + b"x" * (MAX_HEAD_BYTES - len(line) - 100) + b"\r\n\r\n" + end)
        assert (await received(stream)).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("sent", [b"", b"\r\n", b"GET", b"GET /health HTTP/1.1\r\nhost:"])
async def test_headers_that_do_not_arrive_in_time_are_refused(served: Server, sent: bytes) -> None:
    async with connection(served) as stream:
        if sent:
            await stream.send(sent)
        assert (await received(stream)).startswith(b"HTTP/1.1 408 ")


async def test_headers_that_arrive_byte_by_byte_are_refused(served: Server) -> None:
    async with connection(served) as stream, anyio.create_task_group() as tasks:
        tasks.start_soon(send_until_closed, stream, b"x")
        assert (await received(stream)).startswith(b"HTTP/1.1 4")
        tasks.cancel_scope.cancel()


async def test_the_time_of_headers_also_counts_for_later_requests_of_a_connection(served: Server) -> None:
    async with connection(served) as stream:
        await stream.send(b"GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\nGET /hea")
        answers = await received(stream)
    assert answers.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 408 " in answers


@pytest.mark.parametrize("length", [b"content-length: 50", b"transfer-encoding: chunked"])
async def test_a_body_that_does_not_arrive_in_time_is_refused(served: Server, length: bytes) -> None:
    async with connection(served) as stream:
        await stream.send(HEAD % served.token.encode() + length + b"\r\n\r\n")
        assert (await received(stream)).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("cut", [1, 17, 40, 1000, 65536])
async def test_requests_that_are_sent_before_the_responses_are_answered_in_their_order(
    served: Server, cut: int
) -> None:
    requests = b"".join(
        b"POST /%d HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 8\r\n\r\n\r\n\r\n\r\n\r\n" % number
        + b"GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"
        for number in range(50)
    )
    requests += b"GET /last HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n"
    async with connection(served) as stream, anyio.create_task_group() as tasks:

        async def send() -> None:
            for begin in range(0, len(requests), cut):
                await stream.send(requests[begin : begin + cut])

        tasks.start_soon(send)
        answers = await received(stream)
    statuses = [part[:3] for part in answers.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [b"404", b"200"] * 50 + [b"404"]


async def test_requests_that_wait_for_responses_are_not_parsed(
    served: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting: list[int] = []
    on_headers_complete = BoundedHttpProtocol.on_headers_complete

    def count(protocol: BoundedHttpProtocol) -> None:
        on_headers_complete(protocol)
        waiting.append(len(protocol.pipeline))

    monkeypatch.setattr(BoundedHttpProtocol, "on_headers_complete", count)
    async with connection(served) as stream:
        await stream.send(b"GET /health HTTP/1.1\r\nhost: a\r\n\r\n" * 2000)
        await stream.receive()
    assert max(waiting) < 16


@pytest.mark.parametrize(("fields", "status"), [(190, b"401"), (250, b"431")])
async def test_the_number_of_header_fields_is_bounded(served: Server, fields: int, status: bytes) -> None:
    async with connection(served) as stream:
        many = b"".join(b"x-%d: 1\r\n" % number for number in range(fields))
        await stream.send(HEAD % b"wrong" + many + b"content-length: 2\r\n\r\n{}")
        assert (await received(stream)).startswith(b"HTTP/1.1 " + status)


async def test_a_body_in_very_many_chunks_is_refused(served: Server) -> None:
    async with connection(served) as stream:
        await stream.send(HEAD % served.token.encode() + b"transfer-encoding: chunked\r\n\r\n")
        await stream.send(b"1\r\nx\r\n" * 3_000)
        assert (await received(stream)).startswith(b"HTTP/1.1 413 ")


async def test_a_body_that_goes_on_after_its_response_is_cut_off(served: Server) -> None:
    async with connection(served) as stream:
        await stream.send(HEAD % b"wrong" + b"content-length: 100000000\r\n\r\n")
        assert (await stream.receive()).startswith(b"HTTP/1.1 401 ")
        await send_until_closed(stream, b"x" * 65536)


@pytest.mark.parametrize("sent", [b"garbage\r\n\r\n", b"\x16\x03\x01\x02\x00", b"GET / HTTP/9.9\r\n\r\n"])
async def test_what_is_not_http_is_refused_with_one_line_in_the_log(
    served: Server, sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with connection(served) as stream:
        await stream.send(sent)
        assert (await received(stream)).startswith(b"HTTP/1.1 400 ")
    await until(lambda: "The request is not valid HTTP" in caplog.text)
    assert "Traceback" not in caplog.text


async def test_a_connection_that_is_idle_for_too_long_is_closed(served: Server) -> None:
    async with connection(served) as stream:
        await stream.send(b"GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
        assert (await received(stream)).count(b"HTTP/1.1 200 ") == 1


async def test_a_connection_waits_as_long_as_a_model_thinks() -> None:
    limits = ConnectionLimits()
    assert limits.idle_seconds >= 300
    assert HttpServer.of(Starlette(), limits).config.timeout_keep_alive == limits.idle_seconds


async def test_idle_connections_make_room_for_new_ones(served: Server) -> None:
    async with AsyncExitStack() as stack:
        held = [await stack.enter_async_context(connection(served)) for _ in range(3 * LIMITS.connections)]
        for _ in range(3):
            assert await healthy(served)
        assert await received(held[0]) == b""


async def test_strangers_make_room_before_a_client_of_an_episode(served: Server) -> None:
    episode = await served.open()
    call = b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}'
    request = (
        b"POST /episodes/%b/mcp HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
        b"accept: application/json, text/event-stream\r\ncontent-length: %d\r\n\r\n%b"
        % (episode.token.encode(), len(call), call)
    )
    async with AsyncExitStack() as stack:
        player = await stack.enter_async_context(connection(served))
        await player.send(request)
        assert (await player.receive()).startswith(b"HTTP/1.1 200 ")
        for _ in range(3 * LIMITS.connections):
            stranger = await stack.enter_async_context(connection(served))
            await stranger.send(b"GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
            with suppress(anyio.EndOfStream, anyio.BrokenResourceError):
                await stranger.receive()
        await player.send(request)
        answer = b""
        while b"HTTP/1.1 200 " not in answer:
            answer += await player.receive()
    await episode.close("done")


async def test_a_request_in_progress_keeps_its_connection(served: Server) -> None:
    episode = await served.open()
    body = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"polish","arguments":{"strokes":%d}}}'
    body %= 2_000_000
    head = (
        f"POST /episodes/{episode.token}/mcp HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {len(body)}\r\n"
        "content-type: application/json\r\naccept: application/json, text/event-stream\r\n"
        "connection: close\r\n\r\n"
    )
    async with connection(served) as stream, AsyncExitStack() as stack:
        await stream.send(head.encode() + body)
        await until(lambda: episode.calls == 1)
        for _ in range(2 * LIMITS.connections):
            await stack.enter_async_context(connection(served))
        assert b'"structuredContent":{"result":1}' in await received(stream)


async def test_a_client_that_does_not_read_its_responses_is_disconnected(
    served: Server, caplog: pytest.LogCaptureFixture
) -> None:
    episode = await served.open(calls=1000)
    arguments = b'{"text":"%b"}' % (b"x" * 60_000)
    body = (
        b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"write","arguments":%b}}' % arguments
    )
    head = (
        f"POST /episodes/{episode.token}/mcp HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {len(body)}\r\n"
        "content-type: application/json\r\naccept: application/json, text/event-stream\r\n\r\n"
    )
    async with connection(served) as stream:
        request = head.encode() + body
        for _ in range(10):
            # More would be refused; this is more than the buffers of the connection hold.
            await stream.send(request)
        await until(lambda: "did not read its response" in caplog.text)
    assert await healthy(served)


async def test_disconnections_at_every_moment_write_no_traceback(
    served: Server, caplog: pytest.LogCaptureFixture
) -> None:
    episode = await served.open()
    body = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"look","arguments":{}}}'
    for path in (f"/episodes/{episode.token}/mcp", "/mcp", "/episodes", "/health"):
        request = (
            f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {served.token}\r\n"
            f"content-type: application/json\r\naccept: application/json, text/event-stream\r\n"
            f"content-length: {len(body)}\r\n\r\n"
        ).encode() + body
        for cut in (1, 30, len(request) - len(body), len(request) - 5, len(request)):
            async with connection(served) as stream:
                await stream.send(request[:cut])
                await anyio.aclose_forcefully(stream)
    assert await healthy(served)
    assert [record for record in caplog.records if record.exc_info] == []
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_a_client_that_sends_many_requests_and_disappears_writes_no_traceback(
    served: Server, caplog: pytest.LogCaptureFixture
) -> None:
    episode = await served.open(calls=1000)
    body = b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}'
    head = (
        f"POST /episodes/{episode.token}/mcp HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {len(body)}\r\n"
        "content-type: application/json\r\naccept: application/json, text/event-stream\r\n\r\n"
    )
    for count in (2, 9, 40):
        for _ in range(5):
            async with connection(served) as stream:
                await stream.send((head.encode() + body) * count)
                await anyio.lowlevel.checkpoint()
                await anyio.aclose_forcefully(stream)
    assert await healthy(served)
    assert [record for record in caplog.records if record.exc_info] == []
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_a_declined_upgrade_does_not_disturb_the_connection(served: Server) -> None:
    async with connection(served) as stream:
        upgrade = b"connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQ\r\n"
        request = HEAD % served.token.encode() + upgrade + b'content-length: 22\r\n\r\n{"environment":"safe"}'
        for _ in range(2):
            await stream.send(request)
            assert (await stream.receive()).startswith(b"HTTP/1.1 201 ")


async def test_a_body_of_the_allowed_length_is_read_and_a_longer_one_refused(served: Server) -> None:
    async with served.control() as control:
        fits = await control.post("/episodes", content=b" " * (MAX_BODY - 22) + b'{"environment":"safe"}')
        assert fits.status_code == 201
        refused = await control.post("/episodes", content=b" " * MAX_BODY + b'{"environment":"safe"}')
        assert refused.status_code == 413
