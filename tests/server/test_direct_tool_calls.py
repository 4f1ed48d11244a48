"""Calls that are answered directly have the response that the SDK would give."""

from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from codegym_mcp.episodes.episode import Episode
from codegym_mcp.errors import JournalError
from codegym_mcp.server import direct_tool_calls
from codegym_mcp.server.direct_tool_calls import DirectToolCalls

from .serving import Server

VERSION = "2026-07-28"
META = {
    "io.modelcontextprotocol/protocolVersion": VERSION,
    "io.modelcontextprotocol/clientCapabilities": {},
}


def call(name: str, arguments: Any = None, **meta: Any) -> dict[str, Any]:
    params = {"name": name, "arguments": arguments or {}, "_meta": {**META, **meta}}
    return {"jsonrpc": "2.0", "id": "call-1", "method": "tools/call", "params": params}


def changed(message: dict[str, Any], **params: Any) -> dict[str, Any]:
    return {**message, "params": {**message["params"], **params}}


MESSAGES = {
    "result": call("turn", {"clicks": 3}),
    "record": call("look"),
    "text with line separators": call("write", {"text": "a\u2028b\u0000ü"}),
    "refused": call("force"),
    "fault": call("kick"),
    "unknown tool": call("nothing"),
    "wrong arguments": call("turn", {"clicks": "x"}),
    "task": call("read_task"),
    "submission": call("submit_answer", {"answer": "nothing"}),
    "key": call("turn", {"clicks": 1}, **{"codegym-mcp/request-key": "k"}),
    "bad key": call("turn", {"clicks": 1}, **{"codegym-mcp/request-key": ""}),
    "no arguments": changed(call("look"), arguments=None),
    "arguments of another type": changed(call("look"), arguments=[1]),
    "no name": changed(call("look"), name=None),
    "no envelope": changed(call("look"), _meta={}),
    "another version": changed(
        call("look"), _meta={**META, "io.modelcontextprotocol/protocolVersion": "2025-11-25"}
    ),
    "notification": {key: value for key, value in call("look").items() if key != "id"},
    "another method": {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": META}},
}


async def exchange(
    server: Server, message: dict[str, Any], headers: dict[str, str] | None = None
) -> tuple[int, str, Any]:
    """Sends a message to a new episode; returns status, content type and body of the response."""
    sent = {
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": VERSION,
        "mcp-method": message["method"],
        "mcp-name": str(message["params"].get("name")),
        **(headers or {}),
    }
    episode = await server.open()
    async with server.client() as client:
        response = await client.post(server.url_of(episode), json=message, headers=sent)
    body = response.json() if response.content else None
    return response.status_code, response.headers.get("content-type", ""), body


@pytest.fixture
def servers(http: Server, http_json: Server) -> dict[str, Server]:
    """A server that may send event streams, and one with JSON responses."""
    return {"events": http, "json": http_json}


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each message was answered directly, in their order."""
    found: list[bool] = []
    respond = DirectToolCalls.respond

    async def noted(self: DirectToolCalls, *arguments: Any) -> bool:
        found.append(await respond(self, *arguments))
        return found[-1]

    monkeypatch.setattr(DirectToolCalls, "respond", noted)
    return found


@pytest.mark.parametrize("responses", ["json", "events"])
@pytest.mark.parametrize("kind", MESSAGES)
async def test_a_direct_response_is_that_of_the_sdk(
    servers: dict[str, Server], monkeypatch: pytest.MonkeyPatch, kind: str, responses: str
) -> None:
    direct = await exchange(servers[responses], MESSAGES[kind])
    monkeypatch.setattr(direct_tool_calls, "_valid_call", lambda *_: None)
    assert direct == await exchange(servers[responses], MESSAGES[kind])


@pytest.mark.parametrize(
    "headers", [{"mcp-name": "other"}, {"mcp-method": "tools/list"}, {"mcp-protocol-version": "2025-11-25"}]
)
async def test_messages_whose_headers_contradict_them_are_left_to_the_sdk(
    http_json: Server, answered: list[bool], headers: dict[str, str]
) -> None:
    await exchange(http_json, MESSAGES["result"], headers)
    assert answered == [False]


@pytest.mark.parametrize(
    ("kind", "responses", "expected"),
    [
        ("result", "json", True),
        ("result", "events", True),
        ("submission", "json", True),
        ("submission", "events", False),
    ],
)
async def test_what_may_take_long_is_left_to_the_sdk_where_it_can_keep_the_connection_alive(
    servers: dict[str, Server], answered: list[bool], kind: str, responses: str, expected: bool
) -> None:
    await exchange(servers[responses], MESSAGES[kind])
    assert answered == [expected]


async def test_calls_whose_spans_are_exported_are_left_to_the_sdk(
    http_json: Server, answered: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace, "get_tracer_provider", TracerProvider)
    await exchange(http_json, MESSAGES["result"])
    assert answered == [False]


@pytest.mark.parametrize("error", [JournalError("the disk is full"), RuntimeError("a secret")])
async def test_a_failure_of_the_server_is_the_error_that_the_sdk_would_send(
    http_json: Server, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    async def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(Episode, "call", fail)
    direct = await exchange(http_json, MESSAGES["result"])
    assert direct[2]["error"]["code"] == -32603
    assert "secret" not in str(direct)
    monkeypatch.setattr(direct_tool_calls, "_valid_call", lambda *_: None)
    assert direct == await exchange(http_json, MESSAGES["result"])
