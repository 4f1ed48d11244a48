"""Corrects successful responses before a provider's package reads them: an error in one is no reply."""

from collections.abc import Callable
from typing import Any

import httpx2

Correction = Callable[[bytes, int], tuple[int, bytes]]
"""Returns the status and the body that a successful response should have had."""
CORRECTED_HEADER = "x-codegym-corrected"
"""Marks a response whose status was 200 and is now that of an error."""
_MAX_ERROR_STATUS = 599


class CorrectedResponses(httpx2.AsyncBaseTransport):
    """A transport that corrects successful JSON responses; streams pass through unchanged."""

    def __init__(self, transport: httpx2.AsyncBaseTransport, correct: Correction) -> None:
        self._transport = transport
        self._correct = correct

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._transport.handle_async_request(request)
        is_json = "json" in response.headers.get("content-type", "")
        if request.method != "POST" or not response.is_success or not is_json:
            return response
        response.request = request
        content = await response.aread()
        status, corrected = self._correct(content, response.status_code)
        headers = [
            (name, value)
            for name, value in response.headers.items()
            if name not in ("content-length", "content-encoding", "transfer-encoding")
        ]
        if status != response.status_code:
            headers.append((CORRECTED_HEADER, "status"))
        return httpx2.Response(status, headers=headers, content=corrected, extensions=response.extensions)

    async def aclose(self) -> None:
        await self._transport.aclose()


def error_status(body: dict[str, Any]) -> int:
    """Returns the status in an error object, or 500."""
    error = body.get("error")
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, int) and 400 <= code <= _MAX_ERROR_STATUS else 500
