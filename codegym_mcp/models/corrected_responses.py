"""Corrects successful responses before a provider's package reads them: an error in one is no reply."""

from abc import ABC, abstractmethod
from typing import Any

import httpx2

CORRECTED_HEADER = "x-codegym-corrected"
"""Marks a response whose status was 200 and is now that of an error."""
_MAX_ERROR_STATUS = 599


class CorrectedResponses(httpx2.AsyncBaseTransport, ABC):
    """A transport that corrects successful responses, whole ones and streams.

    No request asks for a stream, so that a stream is corrected like a whole response.
    """

    def __init__(self, transport: httpx2.AsyncBaseTransport) -> None:
        self._transport = transport

    def prepare(self, content: bytes) -> bytes:
        """Returns the body of a request in the form in which it is sent."""
        return content

    @abstractmethod
    def correct(self, sent: bytes, content: bytes, status: int) -> tuple[int, bytes]:
        """Returns the status and the body that a successful response should have had.

        Args:
            sent: the body of the request, before `prepare`.
            content: the body of the response.
        """

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.method != "POST":
            return await self._transport.handle_async_request(request)
        sent = await request.aread()
        prepared = self.prepare(sent)
        if prepared != sent:
            headers = [(name, value) for name, value in request.headers.items() if name != "content-length"]
            request = httpx2.Request(
                request.method, request.url, headers=headers, content=prepared, extensions=request.extensions
            )
        response = await self._transport.handle_async_request(request)
        kind = response.headers.get("content-type", "")
        if not response.is_success or not ("json" in kind or "event-stream" in kind):
            return response
        response.request = request
        content = await response.aread()
        status, corrected = self.correct(sent, content, response.status_code)
        dropped = {"content-length", "content-encoding", "transfer-encoding"}
        if corrected != content:
            dropped.add("content-type")
        headers = [(name, value) for name, value in response.headers.items() if name not in dropped]
        if corrected != content:
            headers.append(("content-type", "application/json"))
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
