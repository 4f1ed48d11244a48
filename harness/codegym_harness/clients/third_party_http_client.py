"""An HTTP client for MCP servers whose responses deviate from the protocol."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx2
import mcp_types as types
from pydantic_core import from_json

from codegym_harness.clients.lost_connection_retries import RetryingClient
from codegym_harness.clients.third_party_responses import (
    complete_response,
    error_response,
    follows_specification,
)

_LINE_END = re.compile(rb"(\r\n|\n|\r)")
_MAX_LINE = 8 << 20
"""The longest line of an event stream that is read, in bytes. A longer one is passed on as it is."""
_MAX_SHOWN = 500
"""Characters of the text beside an HTTP status that are shown."""
_CODED = frozenset({"content-encoding", "content-length", "transfer-encoding"})


@dataclass(frozen=True)
class _Request:
    """A request of JSON-RPC.

    Attributes:
        id: the id that the response must have.
        method: the method.
    """

    id: types.RequestId
    method: str


class ThirdPartyHttpClient(RetryingClient):
    """A client whose responses follow JSON-RPC, so that the SDK does not lose what a server said."""

    async def send(self, request: httpx2.Request, *, stream: bool = False, **options: Any) -> httpx2.Response:
        """Sends a request. A response to a request of JSON-RPC is completed."""
        response = await super().send(request, stream=stream, **options)
        asked = _read_request(request)
        if asked is None or response.status_code in (202, 404) or 300 <= response.status_code < 400:
            return response
        kind = response.headers.get("content-type", "").lower()
        if response.status_code < 400 and kind.startswith("text/event-stream"):
            return _with_stream(response, _CompletedEvents(response, asked))
        # A refusal of other methods tells the SDK which versions of the protocol the server has.
        if response.status_code < 400 or asked.method == "tools/call":
            return await _complete_body(response, asked, kind)
        return response


def _read_request(request: httpx2.Request) -> _Request | None:
    if request.method != "POST":
        return None
    try:
        message = from_json(request.content)
        return _Request(message["id"], message["method"])
    except (httpx2.RequestNotRead, ValueError, KeyError, TypeError):
        return None


async def _complete_body(response: httpx2.Response, asked: _Request, kind: str) -> httpx2.Response:
    body = await response.aread()
    try:
        message = from_json(body, allow_inf_nan=False)
    except ValueError:
        if response.status_code < 400:
            return response
        text = response.text.strip()[:_MAX_SHOWN] if kind.startswith("text/plain") else ""
        said = f"the server answered with the status {response.status_code}" + (f": {text}" if text else "")
        return _with_json(response, error_response(asked.id, said))
    readable = kind.startswith("application/json")
    match message:
        case [{"jsonrpc": _} as only]:
            # A batch of one message.
            message, readable = only, False
    if follows_specification(message):
        return response if readable else _with_json(response, message)
    if response.status_code >= 400 and not (isinstance(message, dict) and message.get("error") is not None):
        message = {"error": message}
    return _with_json(response, complete_response(message, asked.id, asked.method))


class _CompletedEvents(httpx2.AsyncByteStream):
    """The body of an event stream in which each event with a response of one line is completed."""

    def __init__(self, response: httpx2.Response, asked: _Request) -> None:
        self._response = response
        self._asked = asked

    async def __aiter__(self) -> AsyncIterator[bytes]:
        rest = b""
        async for chunk in self._response.aiter_bytes():
            *parts, rest = _LINE_END.split(rest + chunk)
            for line, end in zip(parts[::2], parts[1::2], strict=True):
                yield self._complete(line) + end
            if len(rest) > _MAX_LINE:
                yield rest
                rest = b""
        yield self._complete(rest)

    async def aclose(self) -> None:
        await self._response.aclose()

    def _complete(self, line: bytes) -> bytes:
        if not line.startswith(b"data:"):
            return line
        try:
            message = from_json(line.removeprefix(b"data:"), allow_inf_nan=False)
        except ValueError:
            return line
        if follows_specification(message) or (isinstance(message, dict) and "method" in message):
            return line
        completed = complete_response(message, self._asked.id, self._asked.method)
        return b"data: " + json.dumps(completed).encode()


def _with_json(response: httpx2.Response, message: dict[str, Any]) -> httpx2.Response:
    headers = {**_other_headers(response), "content-type": "application/json"}
    return httpx2.Response(
        response.status_code, headers=headers, content=json.dumps(message).encode(), request=response.request
    )


def _with_stream(response: httpx2.Response, stream: httpx2.AsyncByteStream) -> httpx2.Response:
    headers = _other_headers(response)
    return httpx2.Response(response.status_code, headers=headers, stream=stream, request=response.request)


def _other_headers(response: httpx2.Response) -> dict[str, str]:
    """Returns the header fields that do not describe how the body was sent."""
    return {name: value for name, value in response.headers.items() if name not in _CODED}
