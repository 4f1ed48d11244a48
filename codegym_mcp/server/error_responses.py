"""The error responses of the HTTP server, in one form."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from codegym_mcp.validation_messages import first_fault


def error_response(status: int, message: str, hint: str = "") -> Response:
    """Builds an error response, `{"error": {"message", "hint"}}`."""
    body: dict[str, Any] = {"error": {"message": message, "hint": hint}}
    headers = {"www-authenticate": "Bearer"} if status == 401 else None
    return JSONResponse(body, status, headers=headers)


def invalid_request_response(error: ValidationError, whole: str) -> Response:
    """Builds the response to a request that does not have its declared form.

    Args:
        error: what is wrong with it.
        whole: what was checked, such as "the query": it names a fault that is in no single member.
    """
    fault = first_fault(error)
    return error_response(422, f"The request is wrong at {fault.path or whole}: {fault.message}.")


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
