"""Converts between this project's types and those of MCP, and middleware for both MCP servers."""

import logging
from typing import Any

import mcp_types as types
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.shared.exceptions import MCPError
from pydantic import ValidationError

from codegym_mcp.episode_protocol import MAX_KEY, OVER_META, REQUEST_KEY_META, STATUS_META, CallResult
from codegym_mcp.errors import JournalError
from codegym_mcp.spec.tools import Tool

logger = logging.getLogger(__name__)

Context = ServerRequestContext[Any, Any]


async def hide_faults(ctx: Context, call_next: CallNext) -> HandlerResult:
    """Replaces exceptions of the server by errors without internals. Middleware."""
    try:
        return await call_next(ctx)
    except (MCPError, ValidationError):
        raise
    except JournalError as error:
        logger.error("%s", error)
        raise MCPError(
            types.INTERNAL_ERROR, "The server could not record the call, so it was not made. Try again."
        ) from None
    except Exception:
        logger.exception("A request failed in the server.")
        raise MCPError(
            types.INTERNAL_ERROR, "The server failed; the request was not at fault. Try again."
        ) from None


async def refuse_cursors(ctx: Context, call_next: CallNext) -> HandlerResult:
    """Refuses cursors: every list is returned whole, so no cursor was ever given out. Middleware."""
    if ctx.method.endswith("/list") and ctx.params and ctx.params.get("cursor") is not None:
        raise MCPError(types.INVALID_PARAMS, "The cursor is unknown; the list has one page.")
    return await call_next(ctx)


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
