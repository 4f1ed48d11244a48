"""Requests to a server that is lost again and again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import httpx2
import pytest
from anyio.abc import ByteStream, SocketAttribute

from codegym_harness.clients.lost_connection_retries import RetryingClient, retry_lost_connection
from codegym_harness.clients.mcp_client import ssl_context

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
HALF = ANSWER[:-1]
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 9\r\n\r\ndata:"


class Losses:
    """Something that fails so often before it succeeds."""

    def __init__(self, times: int) -> None:
        self.left = times
        self.tried = 0

    async def __call__(self) -> str:
        self.tried += 1
        if self.left:
            self.left -= 1
            raise ConnectionError("lost")
        return "done"


def lost(error: Exception) -> bool:
    return isinstance(error, ConnectionError)


async def test_an_action_that_lost_its_connection_is_repeated() -> None:
    action = Losses(3)
    assert await retry_lost_connection(action, lost, 60) == "done"
    assert action.tried == 4


async def test_without_patience_an_action_is_tried_once() -> None:
    action = Losses(1)
    with pytest.raises(ConnectionError, match="lost"):
        await retry_lost_connection(action, lost, 0)
    assert action.tried == 1


async def test_other_errors_are_not_retried() -> None:
    tried = []

    async def fail() -> None:
        tried.append(1)
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await retry_lost_connection(fail, lost, 60)
    assert tried == [1]


@asynccontextmanager
async def server(*replies: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that answers one request a connection, with these bytes, and closes; yields what it was sent."""
    sent: list[bytes] = []
    waiting = list(replies)

    async def serve(stream: ByteStream) -> None:
        async with stream:
            sent.append(await stream.receive())
            await stream.send(waiting.pop(0))

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, serve)
        port = listener.extra(SocketAttribute.local_port)
        yield f"http://127.0.0.1:{port}/", sent
        tasks.cancel_scope.cancel()


def client(patience: float = 60) -> RetryingClient:
    return RetryingClient(patience=patience, verify=ssl_context(), timeout=30)


@pytest.mark.parametrize("cut_off", [b"", HALF, b"HTTP/1.1 200"])
async def test_a_request_is_sent_again_unchanged_until_its_response_is_complete(cut_off: bytes) -> None:
    async with server(cut_off, cut_off, ANSWER) as (url, sent), client() as http:
        response = await http.post(url, json={"a": 1})
    assert (response.status_code, response.content) == (200, b"{}")
    assert len(sent) == 3
    assert len(set(sent)) == 1
    assert sent[0].endswith(b'{"a":1}')


async def test_an_error_response_is_not_retried() -> None:
    refusal = b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n"
    async with server(refusal, ANSWER) as (url, sent), client() as http:
        assert (await http.post(url)).status_code == 500
    assert len(sent) == 1


async def test_a_stream_of_events_is_not_read_in_advance() -> None:
    async with server(STREAM) as (url, sent), client() as http, http.stream("POST", url) as response:
        with pytest.raises(httpx2.RemoteProtocolError):
            await response.aread()
    assert len(sent) == 1


async def test_a_client_without_patience_fails_at_once_when_the_server_is_lost() -> None:
    async with server(b"", ANSWER) as (url, sent), client(0) as http:
        with pytest.raises(httpx2.RemoteProtocolError):
            await http.post(url)
    assert len(sent) == 1
