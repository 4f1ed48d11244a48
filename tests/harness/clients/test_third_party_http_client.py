"""Responses over HTTP that deviate from the protocol: what they say reaches the agent."""

import gzip
import json
import re
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any

import anyio
import pytest

from codegym_harness.clients.mcp_client import connect
from codegym_mcp.episode_protocol import CallResult
from tests.loopback_http import serve_on_loopback

JSON, EVENTS = "application/json", "text/event-stream"
RESULTS: Mapping[str, Any] = {
    "initialize": {
        "protocolVersion": "2025-06-18",
        "capabilities": {"tools": {}},
        "serverInfo": {"name": "doors", "version": "1"},
    },
    "tools/list": {"tools": [{"name": "open", "inputSchema": {"type": "object"}}]},
}


async def call(kind: str, body: bytes, *, status: int = 200, **headers: str) -> CallResult:
    """Calls a tool of a server that sends this response to a call; `ID` stands for the id of the request."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            message = json.loads(self.rfile.read(int(self.headers["content-length"])))
            if message["method"] == "tools/call":
                return self.respond(status, kind, body.replace(b"ID", str(message["id"]).encode()), headers)
            if message["method"] not in RESULTS:
                unknown = {
                    "jsonrpc": "2.0",
                    "id": message.get("id"),
                    "error": {"code": -32601, "message": "?"},
                }
                return self.respond(200 if "id" in message else 202, JSON, json.dumps(unknown).encode(), {})
            result = {"jsonrpc": "2.0", "id": message["id"], "result": RESULTS[message["method"]]}
            return self.respond(200, JSON, json.dumps(result).encode(), {})

        def respond(self, code: int, kind: str, body: bytes, headers: Mapping[str, str]) -> None:
            self.send_response(code)
            if kind:
                self.send_header("content-type", kind)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with serve_on_loopback(Handler) as url, anyio.fail_after(60):
        async with connect(url) as connection:
            return await connection.call("open", {})


TEXT = '{"jsonrpc": "2.0", "id": ID, "result": "a réd door"}'.encode()
WHOLE = (
    '{"jsonrpc": "2.0", "id": ID, "result": {"content": [{"type": "text", "text": "a réd door"}]}}'.encode()
)
SAID = {
    "a text in JSON": (JSON, TEXT),
    "a content type with a parameter": ("Application/JSON; charset=utf-8", TEXT),
    "another content type": ("text/plain", TEXT),
    "no content type": ("", WHOLE),
    "a batch of one": (JSON, b"[" + WHOLE + b"]"),
    "a result without a response": (JSON, '"a réd door"'.encode()),
    "an event": (EVENTS, b"event: message\ndata: " + TEXT + b"\n\n"),
    "an event without a blank": (EVENTS, b"data:" + TEXT + b"\n\n"),
    "an event with carriage returns": (EVENTS, b": hello\r\n\r\ndata: " + TEXT + b"\r\n\r\n"),
    "an event with carriage returns alone": (EVENTS, b"data: " + TEXT + b"\r\r"),
    "an event after a notification": (
        EVENTS,
        b'data: {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": 1, '
        b'"progress": 1}}\n\ndata: ' + TEXT + b"\n\n",
    ),
    "an event in two lines": (EVENTS, b"data: " + WHOLE[:40] + b"\ndata: " + WHOLE[40:] + b"\n\n"),
}


@pytest.mark.parametrize(("kind", "body"), SAID.values(), ids=SAID.keys())
async def test_a_text_in_place_of_a_result_is_read(kind: str, body: bytes) -> None:
    result = await call(kind, body)
    assert (result.text, result.is_error) == ("a réd door", False)


@pytest.mark.parametrize("kind", [JSON, EVENTS])
async def test_a_compressed_response_is_read(kind: str) -> None:
    # The id of the call is not known here; a response is assigned to its request all the same.
    body = b'{"jsonrpc": "2.0", "result": "a red door"}'
    body = body if kind == JSON else b"data: " + body + b"\n\n"
    result = await call(kind, gzip.compress(body), content_encoding="gzip")
    assert (result.text, result.is_error) == ("a red door", False)


FAILURES = {
    "an error without a code": (400, JSON, b'{"error": "the door is stuck"}', "the door is stuck"),
    "a detail": (422, JSON, b'{"detail": "the door is stuck"}', "the door is stuck"),
    "an error as a success": (200, JSON, b'{"error": {"detail": "stuck"}}', "stuck"),
    "a text": (500, "text/plain", b"the door is stuck", "status 500: the door is stuck"),
    "a page": (502, "text/html", b"<html><h1>Bad gateway</h1></html>", "status 502$"),
    "nothing": (500, "", b"", "status 500$"),
    "an event": (200, EVENTS, b'data: {"id": ID, "error": "stuck"}\n\n', "stuck"),
}


@pytest.mark.parametrize(("status", "kind", "body", "words"), FAILURES.values(), ids=FAILURES.keys())
async def test_a_failure_says_what_the_server_said(status: int, kind: str, body: bytes, words: str) -> None:
    failed = await call(kind, body, status=status)
    assert failed.is_error
    assert re.search(words, failed.text)
    assert "<html>" not in failed.text
