"""Connections to a model's server are used again, one for each request under way."""

import asyncio
from contextlib import asynccontextmanager

import anyio
import httpx2
import pytest

from codegym_mcp.models.http_connections import ReusedConnections, open_connections, proxy_address

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@asynccontextmanager
async def counting_server(behave=None):
    """A server that says ok; gives its address and the list of its connections, each the requests it had."""
    connections = []
    handlers = set()

    async def connected(reader, writer):
        handlers.add(asyncio.current_task())
        connections.append(0)
        number = len(connections) - 1
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                connections[number] += 1
                if behave is not None:
                    await behave(number)
                writer.write(ANSWER)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", connections
        # From Python 3.12.1 on, a server waits for its handlers, and one of them may wait for ever.
        for handler in handlers:
            handler.cancel()


def client(url):
    transport = open_connections(url)
    assert isinstance(transport, ReusedConnections)
    return httpx2.AsyncClient(transport=transport)


async def test_successive_requests_share_a_connection() -> None:
    async with counting_server() as (url, connections), client(url) as http:
        for _ in range(5):
            assert (await http.get(url)).text == "ok"
        assert connections == [5]


async def test_simultaneous_requests_have_connections_that_later_ones_reuse() -> None:
    together = asyncio.Barrier(3)
    async with counting_server(lambda _: together.wait()) as (url, connections), client(url) as http:
        for _ in range(4):
            async with anyio.create_task_group() as tasks:
                for _ in range(3):
                    tasks.start_soon(http.get, url)
        assert connections == [4, 4, 4]


async def test_a_cancelled_request_closes_its_connection() -> None:
    asked = anyio.Event()

    async def hang_first(number):
        if number == 0:
            asked.set()
            await anyio.sleep_forever()

    async with counting_server(hang_first) as (url, connections), client(url) as http:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(http.get, url)
            await asked.wait()
            tasks.cancel_scope.cancel()
        assert (await http.get(url)).text == "ok"
        assert connections == [1, 1]


async def test_a_stream_that_is_left_early_returns_its_connection() -> None:
    async with counting_server() as (url, _), client(url) as http:
        for _ in range(3):
            async with http.stream("GET", url) as response:
                assert response.status_code == 200
        assert len(http._transport._idle) == 1


@pytest.mark.parametrize(
    ("host", "no_proxy", "direct"),
    [
        ("models.test", "", False),
        ("models.test", "models.test", True),
        ("models.test", "other.test, models.test", True),
        ("models.test", ".test", True),
        ("models.test", "*", True),
        ("models.test:8000", "models.test:8000", True),
        ("models.test", "models.test:443", True),
        ("models.test", "models.test:80", False),
        ("10.1.2.3", "10.0.0.0/8", True),
        ("11.1.2.3", "10.0.0.0/8", False),
        ("[fd00::1]", "fd00::/8", True),
        ("10.1.2.3", "10.0.0.0/99,nonsense/x", False),
        ("0.0.0.0:8000", "", True),
        ("[::1]:8000", "", True),
        ("localhost.", "", True),
    ],
)
def test_a_proxy_of_the_environment_is_used_by_the_http_client(
    monkeypatch: pytest.MonkeyPatch, host: str, no_proxy: str, direct: bool
) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setenv("no_proxy", no_proxy)
    assert (open_connections(f"https://{host}/v1") is not None) is direct
    assert proxy_address(f"https://{host}/v1") == ("" if direct else "http://127.0.0.1:9")


def test_the_password_of_a_proxy_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("http_proxy", "http://me:secret@proxy.test:3128")
    assert proxy_address("http://models.test/v1") == "http://proxy.test:3128"
