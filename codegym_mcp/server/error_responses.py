"""The error responses of the HTTP server, in one form."""

from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response


def error_response(status: int, message: str, hint: str = "") -> Response:
    """Builds an error response, `{"error": {"message", "hint"}}`."""
    body: dict[str, Any] = {"error": {"message": message, "hint": hint}}
    headers = {"www-authenticate": "Bearer"} if status == 401 else None
    return JSONResponse(body, status, headers=headers)


async def _client_gone(_: Request, __: Exception) -> Response:
    """Ends a request whose client disconnected; the response is never sent."""
    return Response(status_code=400)


async def _route_error(_: Request, error: Exception) -> Response:
    """Answers an unknown address or method in the form of every other error."""
    assert isinstance(error, HTTPException)
    response = error_response(error.status_code, f"{error.detail}.")
    response.headers.update(error.headers or {})
    return response


EXCEPTION_HANDLERS: Mapping[Any, Any] = {HTTPException: _route_error, ClientDisconnect: _client_gone}
"""Answers what the routes do not."""
