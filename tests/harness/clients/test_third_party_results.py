"""Whatever another MCP server sends, the SDK accepts it after its repair, and a record can hold it."""

from typing import Any

import mcp_types as types
import pytest
from hypothesis import given
from mcp_types.methods import validate_server_result

from codegym_harness.clients.mcp_results import call_result
from codegym_harness.clients.third_party_results import OUTPUT_SCHEMA_META, repair_result
from codegym_mcp.episode_protocol import ToolView
from codegym_mcp.json_schema import inline_foreign_references
from tests.damaged_data import damaged

SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "string"}, "b": {"$ref": "#/$defs/X"}},
    "required": ["a"],
    "$defs": {"X": {"type": "integer"}},
}
TOOL = {
    "name": "open",
    "title": "Open",
    "description": "Opens a door.",
    "inputSchema": SCHEMA,
    "outputSchema": {"type": "object", "properties": {}},
    "annotations": {"readOnlyHint": True},
    "icons": [{"src": "x"}],
    "_meta": {"k": 1},
}
OUTCOME = {
    "content": [
        {"type": "text", "text": "hi", "annotations": {"audience": ["user"]}},
        {"type": "image", "data": "AA==", "mimeType": "image/png"},
        {"type": "resource", "resource": {"uri": "file:///x", "text": "t", "mimeType": "text/plain"}},
        {"type": "resource", "resource": {"uri": "file:///x", "blob": "AA=="}},
        {"type": "resource_link", "uri": "file:///x", "name": "n", "description": "d", "size": 3},
    ],
    "structuredContent": {"a": 1},
    "isError": False,
    "_meta": {"k": 1},
}
INTRODUCTION = {
    "protocolVersion": "2025-06-18",
    "capabilities": {"tools": {"listChanged": True}, "logging": {}, "experimental": {"x": {}}},
    "serverInfo": {"name": "n", "version": "1", "title": "t"},
    "instructions": "i",
}


def repaired(method: str, result: Any) -> dict[str, Any]:
    made = repair_result(method, result, lambda warning: None)
    validate_server_result(method, "2025-11-25", made)
    return made


@given(damaged({"tools": [TOOL, {**TOOL, "name": "close"}], "nextCursor": "x"}))
def test_a_damaged_listing_is_accepted_without_the_tools_that_cannot_be_called(result: Any) -> None:
    listing = types.ListToolsResult.model_validate(repaired("tools/list", result), by_name=False)
    for tool in listing.tools:
        ToolView(
            name=tool.name,
            description=tool.description or "",
            input_schema=inline_foreign_references(tool.input_schema),
            output_schema=(tool.meta or {}).get(OUTPUT_SCHEMA_META),
        ).model_dump_json()


@given(damaged(OUTCOME))
def test_a_damaged_result_of_a_tool_is_told(result: Any) -> None:
    outcome = types.CallToolResult.model_validate(repaired("tools/call", result), by_name=False)
    call_result(outcome).model_dump_json()


@given(damaged(INTRODUCTION))
def test_a_damaged_introduction_is_accepted(result: Any) -> None:
    # The version is negotiated, so that it is not filled in.
    introduction = repaired("initialize", {**result, "protocolVersion": "2025-06-18"})
    types.InitializeResult.model_validate(introduction, by_name=False)


@pytest.mark.parametrize(
    ("method", "result"),
    [
        ("tools/call", {"task": {"taskId": "1"}}),
        ("tools/call", {"resultType": "input_required", "inputRequests": {}}),
        ("prompts/list", {"prompts": [1]}),
    ],
)
def test_other_results_are_left_as_they_are(method: str, result: Any) -> None:
    assert repair_result(method, result, lambda warning: None) == result


def test_a_result_to_the_letter_is_left_as_it_is_but_for_what_nobody_sees() -> None:
    content = repaired("tools/call", OUTCOME)["content"]
    seen = [
        {k: v for k, v in block.items() if k not in ("annotations", "size")} for block in OUTCOME["content"]
    ]
    assert content == seen
