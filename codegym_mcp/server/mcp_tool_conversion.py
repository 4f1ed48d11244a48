"""Converts this project's tools, calls and results to and from those of MCP."""

from typing import Any

import mcp_types as types
from mcp.shared.exceptions import MCPError

from codegym_mcp.environment_definition.tools import Tool
from codegym_mcp.episode_protocol import MAX_KEY, OVER_META, REQUEST_KEY_META, STATUS_META, CallResult


def request_key(params: types.CallToolRequestParams) -> str | None:
    """Returns the idempotency key of a call, or None if the client sent none.

    Raises:
        MCPError: the key is not a text, or is too long.
    """
    key = (params.meta or {}).get(REQUEST_KEY_META)
    if key is None or (isinstance(key, str) and 0 < len(key) <= MAX_KEY):
        return key
    raise MCPError(types.INVALID_PARAMS, f"{REQUEST_KEY_META} is a text of 1 to {MAX_KEY} characters.")


def mcp_tool(tool: Tool, *, meta: dict[str, Any] | None = None) -> types.Tool:
    """Returns a tool in the form of MCP."""
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.input_schema,
        output_schema=tool.output_schema,
        annotations=types.ToolAnnotations(
            title=tool.title,
            read_only_hint=tool.read_only,
            destructive_hint=False if tool.read_only else None,
            idempotent_hint=True if tool.read_only else None,
            # No tool reaches anything outside the server's episodes.
            open_world_hint=False,
        ),
        _meta=meta,
    )


def tool_result(result: CallResult) -> types.CallToolResult:
    """Returns the result of a call in the form of MCP; an error is a result too, which the agent reads."""
    return types.CallToolResult(
        content=[types.TextContent(text=result.text)],
        structured_content=result.structured,
        is_error=result.is_error,
        _meta=_result_meta(result),
    )


def _result_meta(result: CallResult) -> dict[str, Any] | None:
    meta: dict[str, Any] = {OVER_META: True} if result.over else {}
    if result.is_error:
        meta[STATUS_META] = result.status
    return meta or None


def data_result(data: Any, text: str) -> types.CallToolResult:
    """Returns a result of one of the server's own tools."""
    return types.CallToolResult(content=[types.TextContent(text=text)], structured_content=data)


def error_result(text: str) -> types.CallToolResult:
    """Returns an error of one of the server's own tools."""
    return types.CallToolResult(content=[types.TextContent(text=text)], is_error=True)
