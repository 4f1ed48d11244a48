"""Servers that deviate from the protocol are played, and what they say is not lost."""

import json
import logging
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import StdioServerParameters

from codegym_harness.clients.mcp_client import McpConnection, connect
from tests.conftest import FIXTURES
from tests.loopback_http import serve_on_loopback

INTRODUCTION = {
    "protocolVersion": "2025-06-18",
    "capabilities": {"tools": {}},
    "serverInfo": {"name": "doors", "version": "1"},
}
OPEN = {"name": "open", "inputSchema": {"type": "object", "properties": {}}}
TRANSPORTS = pytest.mark.parametrize("transport", ["stdio", "http"])


@asynccontextmanager
async def scripted(transport: str, folder: Path, **script: Any) -> AsyncIterator[McpConnection]:
    """Connects to a server with these responses."""
    responses = {
        "initialize": {"result": INTRODUCTION},
        "tools/list": {"result": {"tools": [OPEN]}},
        **{name.replace("_list", "/list"): value for name, value in script.items()},
    }
    if transport == "stdio":
        path = folder / "script.json"
        path.write_text(json.dumps(responses))
        command = [str(FIXTURES / "deviating_mcp_server.py"), str(path)]
        async with connect(StdioServerParameters(command=sys.executable, args=command)) as connection:
            yield connection
        return

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            message = json.loads(self.rfile.read(int(self.headers["content-length"])))
            method = message["method"]
            name = message["params"]["name"] if method == "tools/call" else method
            unknown = {"error": {"code": -32601, "message": "Method not found"}}
            body = {"jsonrpc": "2.0", "id": message.get("id"), **responses.get(name, unknown)}
            self.send_response(200 if "id" in message else 202)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(body).encode() if "id" in message else b"")

        def log_message(self, *_: object) -> None:
            pass

    with serve_on_loopback(Handler) as url:
        async with connect(url) as connection:
            yield connection


BAD_TOOLS = [
    ({"name": "", "inputSchema": {}}, "Tool 1 of the server is left out: it has no name"),
    ("open", "Tool 1 of the server is left out: it is not an object"),
    (
        {"name": "bad", "inputSchema": {"$ref": "#/$defs/A", "$defs": {"A": {"type": "array"}}}},
        "'bad'.* is of the type 'array', not 'object'",
    ),
    ({"name": "bad", "inputSchema": {"type": "array"}}, "'bad'.* is of the type 'array', not 'object'"),
    ({"name": "bad", "inputSchema": {"properties": ["x"]}}, "'bad'.*`properties` that are not an object"),
    ({"name": "bad", "inputSchema": {"properties": {"x": "str"}}}, "'bad'.* describes 'x' by 'str'"),
]


@TRANSPORTS
@pytest.mark.parametrize(("tool", "words"), BAD_TOOLS, ids=[each[1][:30] for each in BAD_TOOLS])
async def test_a_tool_that_cannot_be_called_is_left_out_and_named(
    transport: str, tool: Any, words: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    opened = {"result": {"content": [{"type": "text", "text": "opened"}]}}
    listing = {"result": {"tools": [tool, OPEN]}}
    with caplog.at_level(logging.WARNING):
        async with scripted(transport, tmp_path, tools_list=listing, open=opened) as connection:
            assert [each.name for each in connection.tools] == ["open"]
            assert (await connection.call("open", {})).text == "opened"
    assert any(re.search(words, record.getMessage()) for record in caplog.records)


REPAIRED_SCHEMAS: list[tuple[Any, Any]] = [
    (None, {"type": "object", "properties": {}}),
    ({}, {"type": "object", "properties": {}}),
    ({"type": "object"}, {"type": "object", "properties": {}}),
    ({"type": None, "properties": {"x": {}}}, {"type": "object", "properties": {"x": {}}}),
    ({"type": ["object", "null"]}, {"type": "object", "properties": {}}),
    (
        {"type": "object", "properties": None, "required": None},
        {"type": "object", "properties": {}, "required": []},
    ),
    ({"properties": {"x": True}, "$schema": 7}, {"type": "object", "properties": {"x": {}}}),
]


DOOR = {"type": "object", "properties": {"door": {"type": "integer"}}, "required": ["door"]}
REPAIRED_SCHEMAS += [
    ({"$ref": "#/definitions/Door", "definitions": {"Door": DOOR}}, DOOR),
    ({"$ref": "#/$defs/Door", "type": "object", "$defs": {"Door": DOOR}}, DOOR),
    (
        {"type": "object", "properties": {"door": {"$ref": "#/$defs/N"}}, "$defs": {"N": {"minimum": 1}}},
        {"type": "object", "properties": {"door": {"minimum": 1}}},
    ),
]


@TRANSPORTS
@pytest.mark.parametrize(("schema", "expected"), REPAIRED_SCHEMAS, ids=str)
async def test_a_schema_is_completed_where_that_is_harmless(
    transport: str, schema: Any, expected: Any, tmp_path: Path
) -> None:
    tool = {
        "name": "open",
        "inputSchema": schema,
        "description": None,
        "annotations": "none",
        "icons": "x.png",
    }
    listing = {"result": {"tools": [tool], "nextCursor": None}}
    async with scripted(transport, tmp_path, tools_list=listing) as connection:
        assert connection.tools[0].input_schema == expected


@TRANSPORTS
async def test_schemas_of_results_have_no_references(transport: str, tmp_path: Path) -> None:
    tool = OPEN | {"outputSchema": {"$ref": "#/$defs/Door", "$defs": {"Door": DOOR}}}
    async with scripted(transport, tmp_path, tools_list={"result": {"tools": [tool]}}) as connection:
        assert connection.tools[0].output_schema == DOOR


WHOLE_RESPONSES: list[tuple[Any, str]] = [
    ({"result": "a red door"}, "a red door"),
    ({"result": ["a red door", "a green door"]}, "a red door\na green door"),
    ({"result": 31}, "31"),
    ({"result": False}, "false"),
    ({"content": [{"type": "text", "text": "a red door"}]}, "a red door"),
    ({"door": "red"}, '{"door": "red"}'),
]


@TRANSPORTS
@pytest.mark.parametrize(
    ("response", "text"), WHOLE_RESPONSES, ids=[str(each[0]) for each in WHOLE_RESPONSES]
)
async def test_what_a_response_says_is_read_whatever_its_form(
    transport: str, response: Any, text: str, tmp_path: Path
) -> None:
    async with scripted(transport, tmp_path, open=response) as connection:
        said = await connection.call("open", {})
    assert said.text == text
    assert not said.is_error


SAID: list[tuple[Any, str]] = [
    ({"content": "a red door"}, "a red door"),
    ({"content": {"type": "text", "text": "a red door"}}, "a red door"),
    ({"content": ["a red door", {"text": "and a green one"}]}, "a red door\nand a green one"),
    ({"content": [{"type": "markdown", "text": "a *red* door"}]}, "a *red* door"),
    ({"content": [{"type": "json", "json": {"door": "red"}}]}, '{"type": "json", "json": {"door": "red"}}'),
    ({"content": [{"type": "text", "text": {"door": "red"}}]}, '{"door": "red"}'),
    ({"content": [{"type": "text", "text": 31}]}, "31"),
    ({"content": [{"type": "text", "text": "a red door", "annotations": "none"}]}, "a red door"),
    (
        {"content": [{"type": "resource", "resource": {"text": "red"}}]},
        '{"type": "resource", "resource": {"text": "red"}}',
    ),
    ({"door": "red"}, '{"door": "red"}'),
    ({"content": None, "structuredContent": ["red"]}, '{"result": ["red"]}'),
    ({"content": []}, "The tool returned no content."),
]


@TRANSPORTS
@pytest.mark.parametrize(("result", "text"), SAID, ids=[str(each[0]) for each in SAID])
async def test_what_a_tool_says_is_read_whatever_its_form(
    transport: str, result: Any, text: str, tmp_path: Path
) -> None:
    async with scripted(transport, tmp_path, open={"result": result}) as connection:
        said = await connection.call("open", {})
    assert said.text == text
    assert not said.is_error


@TRANSPORTS
async def test_a_result_that_does_not_fit_the_output_schema_is_told(transport: str, tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    listing = {"result": {"tools": [{**OPEN, "outputSchema": schema}]}}
    result = {"content": [{"type": "text", "text": "one"}], "structuredContent": {"n": "one"}}
    async with scripted(transport, tmp_path, tools_list=listing, open={"result": result}) as connection:
        assert connection.tools[0].output_schema == schema
        assert (await connection.call("open", {})).text == "one"


FAILURES: list[tuple[Any, str]] = [
    ({"result": None}, "neither a result nor an error"),
    ({}, "neither a result nor an error"),
    ({"error": None}, "neither a result nor an error"),
    ({"error": "the door is stuck"}, "the door is stuck"),
    ({"error": {"message": "the door is stuck"}}, "the door is stuck"),
    ({"error": {"detail": "the door is stuck"}}, "the door is stuck"),
    ({"error": ["the door is stuck"]}, "the door is stuck"),
    ({"result": {"content": "stuck", "isError": "true"}}, "stuck"),
]


@TRANSPORTS
@pytest.mark.parametrize(("response", "words"), FAILURES, ids=[str(each[0]) for each in FAILURES])
async def test_a_response_without_a_result_is_a_failure_at_once(
    transport: str, response: Any, words: str, tmp_path: Path
) -> None:
    with anyio.fail_after(60):
        async with scripted(transport, tmp_path, open=response) as connection:
            failed = await connection.call("open", {})
    assert failed.is_error
    assert re.search(words, failed.text)


@TRANSPORTS
@pytest.mark.parametrize(
    "change",
    [
        {"serverInfo": None},
        {"serverInfo": {"name": "doors"}},
        {"capabilities": {"tools": None, "x": True}},
        {"instructions": 7},
    ],
    ids=str,
)
async def test_an_incomplete_introduction_is_completed(transport: str, change: Any, tmp_path: Path) -> None:
    async with scripted(transport, tmp_path, initialize={"result": INTRODUCTION | change}) as connection:
        assert [tool.name for tool in connection.tools] == ["open"]


@pytest.mark.parametrize("number", [str, lambda number: number], ids=["text", "number"])
async def test_a_response_is_assigned_to_its_request_whatever_the_type_of_its_id(
    number: Any, tmp_path: Path
) -> None:
    source = (FIXTURES / "deviating_mcp_server.py").read_text()
    server = tmp_path / "server.py"
    server.write_text(
        source.replace('message["id"], **', 'str(message["id"]), **') if number is str else source
    )
    script = tmp_path / "script.json"
    script.write_text(
        json.dumps({"initialize": {"result": INTRODUCTION}, "tools/list": {"result": {"tools": [OPEN]}}})
    )
    with anyio.fail_after(60):
        async with connect(
            StdioServerParameters(command=sys.executable, args=[str(server), str(script)])
        ) as connection:
            assert len(connection.tools) == 1
