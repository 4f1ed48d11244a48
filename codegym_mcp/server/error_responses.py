"""Error responses of the HTTP server: one form for all, and the JSON-RPC form on MCP endpoints."""

from typing import Any

import mcp_types as types
from starlette.responses import JSONResponse, Response


def error_response(status: int, message: str, hint: str = "") -> Response:
    """Builds an error response, `{"error": {"message", "hint"}}`."""
    body: dict[str, Any] = {"error": {"message": message, "hint": hint}}
    headers = {"www-authenticate": "Bearer"} if status == 401 else None
    return JSONResponse(body, status, headers=headers)


def json_rpc_error(
    error: types.ErrorData, request_id: types.RequestId | None = None, *, status: int = 400
) -> Response:
    """Builds a JSON-RPC error response; the id is null if the request's id is unknown."""
    message = types.JSONRPCError(jsonrpc="2.0", id=request_id, error=error)
    body = message.model_dump(mode="json", by_alias=True, exclude_none=True)
    return JSONResponse({**body, "id": request_id}, status)
