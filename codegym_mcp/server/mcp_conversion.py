"""Translates between this project's types and those of MCP."""

import logging
from typing import Any

import mcp_types as types
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.shared.exceptions import MCPError
from pydantic import ValidationError

from codegym_mcp.episode_interface import MAX_KEY, OVER_META, REQUEST_KEY_META, CallResult
from codegym_mcp.errors import JournalError
from codegym_mcp.spec.environment import Environment
from codegym_mcp.spec.tools import Tool

logger = logging.getLogger(__name__)

Context = ServerRequestContext[Any, Any]


async def hide_faults(ctx: Context, call_next: CallNext) -> HandlerResult:
    """Middleware: what goes wrong in the server reaches an agent without internals."""
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
        raise MCPError(types.INTERNAL_ERROR, "The server failed. It is not your fault; try again.") from None


def request_key(params: types.CallToolRequestParams) -> str | None:
    """The name that the client gave its call; None where it gave none.

    Raises:
        MCPError: it is not a text of a sensible length.
    """
    key = (params.meta or {}).get(REQUEST_KEY_META)
    if key is None or (isinstance(key, str) and 0 < len(key) <= MAX_KEY):
        return key
    raise MCPError(types.INVALID_PARAMS, f"{REQUEST_KEY_META} is a text of 1 to {MAX_KEY} characters.")


def tool_list(environment: Environment) -> list[types.Tool]:
    """The tools of an environment, the submission last."""
    return [_tool(tool) for tool in environment.tools] + [_tool(environment.submission)]


def _tool(tool: Tool) -> types.Tool:
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
            # An episode is a closed world: no tool reaches anything outside it.
            open_world_hint=False,
        ),
    )


def tool_result(result: CallResult) -> types.CallToolResult:
    """The result of a call; a refusal is a result too, which the agent reads and learns from."""
    return types.CallToolResult(
        content=[types.TextContent(text=result.text)],
        structured_content=result.structured,
        is_error=result.is_error,
        _meta={OVER_META: True} if result.over else None,
    )


def data_result(data: Any, text: str) -> types.CallToolResult:
    """A result of the gateway's own tools."""
    return types.CallToolResult(content=[types.TextContent(text=text)], structured_content=data)


def error_result(text: str) -> types.CallToolResult:
    """A refusal by the gateway's own tools."""
    return types.CallToolResult(content=[types.TextContent(text=text)], is_error=True)
