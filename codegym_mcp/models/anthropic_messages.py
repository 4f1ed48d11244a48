"""Corrects responses of servers that speak Anthropic's Messages API, before Anthropic's package reads them.

The package fails at members that are missing, and takes an error in a successful response for a reply.
"""

import json
from typing import Any

import httpx2

_USAGE = {"input_tokens": 0, "output_tokens": 0}
"""Stands for unknown usage. No reply has neither prompt tokens nor reply tokens."""
_MAX_ERROR_STATUS = 599
CORRECTED_HEADER = "x-codegym-corrected"
"""Marks a response whose status was 200 and is now that of an error."""


class MessagesTransport(httpx2.AsyncBaseTransport):
    """A transport that corrects successful JSON responses; streams pass through unchanged."""

    def __init__(self, transport: httpx2.AsyncBaseTransport) -> None:
        self._transport = transport

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._transport.handle_async_request(request)
        is_json = "json" in response.headers.get("content-type", "")
        if request.method != "POST" or not response.is_success or not is_json:
            return response
        response.request = request
        content = await response.aread()
        status, corrected = correct_response(content, response.status_code)
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


def correct_response(content: bytes, status: int = 200) -> tuple[int, bytes]:
    """Returns the status and the body that a successful response should have had."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return status, content
    if not isinstance(body, dict):
        return 500, json.dumps({"error": {"message": "the response is not a JSON object"}}).encode()
    if body.get("error") or body.get("type") == "error":
        return _error_status(body), content
    if "content" not in body:
        return 500, json.dumps({"error": {"message": "the response contains no message"}}).encode()
    usage = body.get("usage")
    message = {
        **body,
        "content": _blocks(body["content"]),
        "usage": _USAGE | usage if isinstance(usage, dict) else _USAGE,
    }
    return status, content if message == body else json.dumps(message).encode()


def _error_status(body: dict[str, Any]) -> int:
    """Returns the status in an error object, or 500."""
    error = body.get("error")
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, int) and 400 <= code <= _MAX_ERROR_STATUS else 500


def _blocks(content: object) -> list[Any]:
    """Returns the content as a list of blocks that the package knows."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    if not isinstance(content, list):
        return []
    return [block for block in content if isinstance(block, dict) and _is_readable(block)]


def _is_readable(block: dict[str, Any]) -> bool:
    return block.get("type") in ("thinking", "redacted_thinking", "tool_use") or isinstance(
        block.get("text"), str
    )
