"""The error responses of the HTTP server, in one form."""

from typing import Any

from starlette.responses import JSONResponse, Response


def error_response(status: int, message: str, hint: str = "") -> Response:
    """Builds an error response, `{"error": {"message", "hint"}}`."""
    body: dict[str, Any] = {"error": {"message": message, "hint": hint}}
    headers = {"www-authenticate": "Bearer"} if status == 401 else None
    return JSONResponse(body, status, headers=headers)
