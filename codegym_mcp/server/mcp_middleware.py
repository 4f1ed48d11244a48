"""Middleware of both MCP servers."""

import logging
from typing import Any

import mcp_types as types
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.shared.exceptions import MCPError
from pydantic import ValidationError

from codegym_mcp.errors import JournalError

logger = logging.getLogger(__name__)

Context = ServerRequestContext[Any, Any]


async def check_requests(ctx: Context, call_next: CallNext) -> HandlerResult:
    """Refuses cursors, and replaces exceptions of the server by errors without internals. Middleware.

    Every list is returned whole, so no cursor was ever given out.
    """
    if ctx.method.endswith("/list") and ctx.params and ctx.params.get("cursor") is not None:
        raise MCPError(types.INVALID_PARAMS, "The cursor is unknown; the list has one page.")
    try:
        return await call_next(ctx)
    except ValidationError:
        raise
    except Exception as error:
        raise explained_error(error) from None


def explained_error(error: Exception) -> MCPError:
    """Returns the error that tells a client of an exception, and logs what the client must not read."""
    if isinstance(error, MCPError):
        return error
    if isinstance(error, JournalError):
        logger.error("%s", error)
        return MCPError(
            types.INTERNAL_ERROR, "The server could not record the call, so it was not made. Try again."
        )
    logger.error("A request failed in the server.", exc_info=error)
    return MCPError(types.INTERNAL_ERROR, "The server failed; the request was not at fault. Try again.")
