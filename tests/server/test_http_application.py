"""MCP over HTTP: addresses, bad requests, pages of other sites, dead clients, restarts."""

from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from pydantic_core import from_json, to_json

from codegym_mcp.episodes.episode_outcome import EpisodeState
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.server.request_bodies import MAX_BODY
from tests.waiting import until

from .serving import Server, http_server

ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}
ACCEPT = {"accept": "application/json, text/event-stream", "content-type": "application/json"}


class Wire:
    """Speaks to one episode in plain HTTP, as a client of one era would."""

    def __init__(self, era: str, server: Server, url: str) -> None:
        self.era = era
        self.server = server
        self.url = url

    def headers(self, method: str = "tools/call", name: str = "look") -> dict[str, str]:
        if self.era == "legacy":
            return {**ACCEPT, "mcp-protocol-version": "2025-11-25"}
        return {**ACCEPT, "mcp-protocol-version": "2026-07-28", "mcp-method": method, "mcp-name": name}

    def body(self, method: str = "tools/call", **params: Any) -> dict[str, Any]:
        if self.era != "legacy":
            params["_meta"] = ENVELOPE
        return {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}

    async def post(self, headers: dict[str, str], **content: Any) -> httpx2.Response:
        async with self.server.client() as client:
            return await client.post(self.url, headers=headers, **content)


@pytest.fixture(params=["http-legacy", "http-modern", "http_json-legacy", "http_json-modern"])
def transport(request: pytest.FixtureRequest, http: Server, http_json: Server) -> tuple[str, Server]:
    name, _, era = request.param.partition("-")
    return era, http if name == "http" else http_json


@pytest.fixture
async def wire(transport: tuple[str, Server]) -> Wire:
    era, server = transport
    return Wire(era, server, server.url_of(await server.open()))


async def unharmed(wire: Wire) -> None:
    """The episode has seen no call, and takes one now."""
    episode = wire.server.episodes.by_token(wire.url.split("/")[-2])
    assert episode.calls == 0
    response = await wire.post(wire.headers(), json=wire.body(name="look", arguments={}))
    assert response.status_code == 200
    assert '"structuredContent":{"dial":0,"turns":0}' in response.text
    assert episode.calls == 1


@pytest.mark.parametrize(
    "body",
    [b"", b"garbage", b"\xff\xfe\x00", b"{" * 100_000, b"3", b"null", b"[]", b'{"jsonrpc": "2.0", "id": 7}'],
)
async def test_what_is_no_message_of_the_protocol_is_refused(wire: Wire, body: bytes) -> None:
    response = await wire.post(wire.headers(), content=body)
    assert response.status_code == 400
    assert response.json()["error"]["code"] in {-32700, -32600, -32602}
    await unharmed(wire)


async def test_a_batch_is_refused_as_a_whole(wire: Wire) -> None:
    call = wire.body(name="look", arguments={})
    response = await wire.post(wire.headers(), json=[call, {**call, "id": 8}])
    assert response.status_code == 400
    await unharmed(wire)


@pytest.mark.parametrize("literal", ['"\\ud800"', "NaN", "-Infinity", "[" * 400 + "]" * 400])
async def test_values_that_json_cannot_represent_reach_no_tool(wire: Wire, literal: str) -> None:
    body = to_json(wire.body(name="write", arguments={"text": 0})).replace(b'"text":0', b'"text":%b')
    response = await wire.post(wire.headers(name="write"), content=body % literal.encode())
    assert '"error"' in response.text or "not JSON data" in response.text
    response = await wire.post(wire.headers(), json=wire.body(name="look", arguments={}))
    assert '"structuredContent":{"dial":0,"turns":0}' in response.text


@pytest.mark.parametrize("id", [None, True, 1.5, [], {}, "x" * 300])
async def test_a_request_whose_id_cannot_be_one_is_refused(wire: Wire, id: Any) -> None:
    response = await wire.post(wire.headers(), json={**wire.body(name="look", arguments={}), "id": id})
    assert response.status_code == 400
    answer = response.json()
    assert (answer["id"], answer["error"]["code"]) == (None, -32600)
    await unharmed(wire)


@pytest.mark.parametrize("id", ["", "a", "7", 2**70, -1])
async def test_a_response_has_the_id_of_its_request(wire: Wire, id: Any) -> None:
    response = await wire.post(wire.headers(), json={**wire.body(name="look", arguments={}), "id": id})
    assert response.status_code == 200
    text = response.text.partition("data: ")[2] or response.text
    assert from_json(text.strip())["id"] == id


@pytest.mark.parametrize("place", ["header", "body", "both"])
async def test_a_future_version_is_answered_with_the_supported_versions(wire: Wire, place: str) -> None:
    headers, body = wire.headers(), wire.body(name="look", arguments={})
    if place != "body":
        headers["mcp-protocol-version"] = "2031-01-01"
    if place != "header":
        body["params"]["_meta"] = {**ENVELOPE, "io.modelcontextprotocol/protocolVersion": "2031-01-01"}
    response = await wire.post(headers, json=body)
    assert response.status_code == 400
    answer = response.json()
    if place == "body" and "mcp-protocol-version" in headers:
        assert (answer["id"], answer["error"]["code"]) == (7, -32020)
    else:
        assert (answer["id"], answer["error"]["code"]) == (7, -32022)
        assert answer["error"]["data"] == {"requested": "2031-01-01", "supported": ["2026-07-28"]}
    await unharmed(wire)


@pytest.mark.parametrize("header", ["2031-01-01", None])
async def test_a_handshake_with_a_future_version_is_answered_with_the_latest_version(
    wire: Wire, header: str | None
) -> None:
    headers = {**ACCEPT, **({"mcp-protocol-version": header} if header else {})}
    client = {"name": "test", "version": "1"}
    params = {"protocolVersion": "2031-01-01", "capabilities": {}, "clientInfo": client}
    body = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
    response = await wire.post(headers, json=body)
    assert response.status_code == 200
    assert '"protocolVersion":"2025-11-25"' in response.text


@pytest.mark.parametrize("accept", ["", "text/html", "text/event-stream", "image/*"])
async def test_a_response_that_the_client_does_not_accept_is_refused_with_the_way_out(
    wire: Wire, accept: str
) -> None:
    response = await wire.post(
        {**wire.headers(), "accept": accept}, json=wire.body(name="look", arguments={})
    )
    assert response.status_code == 406
    assert "The header Accept must name application/json" in response.json()["error"]["message"]
    await unharmed(wire)


@pytest.mark.parametrize(
    "accept", ["*/*", "application/*, text/*", "text/event-stream;q=0.5, application/json"]
)
async def test_wildcards_in_accept_are_read(wire: Wire, accept: str) -> None:
    response = await wire.post(
        {**wire.headers(), "accept": accept}, json=wire.body(name="look", arguments={})
    )
    assert response.status_code == 200


@pytest.mark.parametrize("arguments", [[], [1], "clicks", 3, True])
async def test_arguments_that_are_no_object_are_refused(wire: Wire, arguments: Any) -> None:
    response = await wire.post(wire.headers(), json=wire.body(name="look", arguments=arguments))
    assert '"code":-32602' in response.text
    await unharmed(wire)


async def test_a_call_without_a_name_is_refused(wire: Wire) -> None:
    response = await wire.post(wire.headers(), json=wire.body(arguments={}))
    assert '"code":-32602' in response.text
    await unharmed(wire)


async def test_an_unknown_method_is_refused(wire: Wire) -> None:
    response = await wire.post(wire.headers("no/such"), json=wire.body("no/such"))
    assert '"code":-32601' in response.text
    await unharmed(wire)


@pytest.mark.parametrize(
    ("header", "sent", "status"),
    [
        ("content-type", "text/plain", 415),
        ("content-type", "application/json-patch+json", 415),
        ("content-type", "", 415),
        ("accept", "text/html", 406),
        ("mcp-protocol-version", "1999-01-01", 400),
        ("host", "evil.example", 421),
        ("host", "evil.example:80", 421),
        ("host", "127.0.0.1.evil.example:80", 421),
        ("origin", "http://evil.example", 403),
        ("origin", "http://localhost.evil.example", 403),
        ("origin", "null", 403),
    ],
)
async def test_a_request_with_a_wrong_header_is_refused(
    wire: Wire, header: str, sent: str, status: int
) -> None:
    headers = {**wire.headers(), header: sent}
    response = await wire.post(headers, json=wire.body(name="look", arguments={}))
    assert response.status_code == status
    await unharmed(wire)


@pytest.mark.parametrize("origin", ["http://localhost:1234", "http://127.0.0.1", "http://[::1]:80"])
async def test_a_page_of_this_machine_may_send_requests(wire: Wire, origin: str) -> None:
    headers = {**wire.headers(), "origin": origin}
    response = await wire.post(headers, json=wire.body(name="look", arguments={}))
    assert response.status_code == 200


async def test_a_session_id_of_another_server_does_no_harm(wire: Wire) -> None:
    headers = {**wire.headers(), "mcp-session-id": "0123456789"}
    response = await wire.post(headers, json=wire.body(name="look", arguments={}))
    assert response.status_code == 200


async def test_a_body_that_is_too_large_is_refused(wire: Wire) -> None:
    response = await wire.post(wire.headers(), content=b" " * (MAX_BODY + 1))
    assert response.status_code == 413
    await unharmed(wire)


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "HEAD"])
async def test_an_episode_takes_nothing_but_posts(wire: Wire, method: str) -> None:
    async with wire.server.client() as client:
        response = await client.request(method, wire.url, headers=wire.headers())
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    await unharmed(wire)


@pytest.mark.parametrize("token", ["x", "%2e%2e", "0123456789abcdef"])
async def test_the_address_of_an_unknown_episode_is_not_found(wire: Wire, token: str) -> None:
    wire.url = f"{wire.server.url}/episodes/{token}/mcp"
    response = await wire.post(wire.headers(), json=wire.body(name="look", arguments={}))
    assert response.status_code == 404
    assert response.json()["error"]["message"] == "There is no such episode."


async def test_a_call_whose_client_has_died_is_finished_and_recorded(wire: Wire) -> None:
    server, episode = wire.server, wire.server.episodes.by_token(wire.url.split("/")[-2])
    request = httpx2.Request(
        "POST",
        wire.url,
        headers=wire.headers(name="polish"),
        json=wire.body(name="polish", arguments={"strokes": 2_000_000}),
    )
    head = f"POST {request.url.path} HTTP/1.1\r\n" + "".join(
        f"{k}: {v}\r\n" for k, v in request.headers.items()
    )
    stream = await anyio.connect_tcp("127.0.0.1", request.url.port or 0)
    await stream.send(f"{head}\r\n".encode() + request.read())
    await until(lambda: episode.calls == 1)
    await anyio.aclose_forcefully(stream)
    await until(lambda: len(server.journal.events(episode.id)) == 2)
    assert server.journal.events(episode.id)[1].result.structured == {"result": 1}
    response = await wire.post(wire.headers(), json=wire.body(name="look", arguments={}))
    assert '"dial":1' in response.text


async def test_a_server_that_stops_finishes_open_calls(pool: SandboxPool) -> None:
    texts: list[str] = []

    async with anyio.create_task_group() as tasks, http_server(pool) as server:
        episode = await server.open()
        wire = Wire("modern", server, server.url_of(episode))

        async def polish() -> None:
            body = wire.body(name="polish", arguments={"strokes": 2_000_000})
            texts.append((await wire.post(wire.headers(name="polish"), json=body)).text)

        tasks.start_soon(polish)
        await until(lambda: episode.calls == 1)
    assert '"structuredContent":{"result":1}' in texts[0]


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_an_episode_goes_on_when_the_server_was_restarted(
    pool: SandboxPool, tmp_path: Path, mode: str
) -> None:
    path = tmp_path / "journal.sqlite"
    async with http_server(pool, journal_path=path) as server:
        episode = await server.open("red", calls=9)
        await episode.call("turn", {"clicks": 5})
        # Refused, but recorded, and to be read again: depths around what readers and writers allow.
        deep: list[Any] = []
        for _ in range(250):
            deep = [deep]
        for nested in (deep, deep[0][0][0], {"clicks": [1]}):
            await episode.call("turn", {"clicks": nested})
    async with http_server(pool, journal_path=path) as server, server.client() as plain:
        streams = streamable_http_client(server.url_of(episode), http_client=plain)
        async with Client(streams, mode=mode, read_timeout_seconds=30) as client:
            result = await client.call_tool("turn", {"clicks": 1})
            assert result.structured_content == {"result": 106}
            await client.call_tool("submit_answer", {"answer": "nothing"})
        resumed = server.episodes.by_id(episode.id)
        assert (resumed.state, resumed.calls) == (EpisodeState.SUBMITTED, 5)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost", "::1"])
async def test_foreign_hosts_are_refused_on_every_address_of_loopback(pool: SandboxPool, host: str) -> None:
    async with http_server(pool, named=host) as server:
        wire = Wire("modern", server, server.url_of(await server.open()))
        headers = {**wire.headers(), "host": "evil.example"}
        response = await wire.post(headers, json=wire.body(name="look", arguments={}))
        assert response.status_code == 421
        headers = {**wire.headers(), "host": f"[{host}]:80" if ":" in host else f"{host}:80"}
        response = await wire.post(headers, json=wire.body(name="look", arguments={}))
        assert response.status_code == 200


async def test_beyond_loopback_the_server_answers_to_the_names_it_was_given(pool: SandboxPool) -> None:
    async with http_server(pool, named="0.0.0.0", allowed_hosts=("codegym.example",)) as server:
        wire = Wire("modern", server, server.url_of(await server.open()))
        headers = {**wire.headers(), "host": "codegym.example"}
        response = await wire.post(headers, json=wire.body(name="look", arguments={}))
        assert response.status_code == 200
        async with server.control() as control:
            response = await control.post(
                "/episodes", json={"environment": "safe"}, headers={"host": "codegym.example"}
            )
    assert response.json()["mcp_url"].startswith("http://codegym.example/episodes/")
