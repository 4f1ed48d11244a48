"""An MCP server at an HTTP address, with the checks that the SDK leaves out.

The SDK's transport is stateless here, also for clients of the handshake era: the address is the session, so a
connection can be dropped and opened again, also after a restart of the server.
"""

from typing import Any, NamedTuple

import mcp_types as types
from mcp.server.lowlevel.server import Server
from mcp.server.streamable_http_manager import StreamableHTTPASGIApp, StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from codegym_mcp.json_line_escapes import escape_line_separators
from codegym_mcp.server.direct_tool_calls import DirectToolCalls
from codegym_mcp.server.error_responses import error_response
from codegym_mcp.server.json_rpc import (
    CheckedMessage,
    Rejection,
    check_message,
    is_supported,
    unsupported_version,
)
from codegym_mcp.server.request_bodies import (
    MAX_BODY,
    BodyReader,
    BodyRefusedError,
    ClientGoneError,
    is_small_body,
    replay,
)

_VERSION_HEADER = b"mcp-protocol-version"
_JSON = "application/json"
_EVENTS = "text/event-stream"


_REMEMBERED = 1000
"""Combinations of headers that are remembered as valid."""


class _Headers(NamedTuple):
    """The headers of a request that are checked; empty bytes for missing ones."""

    content_type: bytes
    accept: bytes
    version: bytes


def _read_headers(scope: Scope) -> _Headers:
    content_type = accept = version = b""
    for name, value in scope["headers"]:
        if name == b"accept":
            accept += b"," + value
        elif name == b"content-type":
            content_type += b"," + value
        elif name == _VERSION_HEADER:
            version = value
    return _Headers(content_type, accept, version)


class McpEndpoint:
    """An ASGI application that serves an MCP server to POST requests.

    Attributes:
        session_manager: the SDK's transport; it must run while the endpoint is used.
    """

    def __init__(
        self,
        server: Server[Any],
        bodies: BodyReader,
        *,
        json_responses: bool,
        direct: DirectToolCalls | None = None,
    ) -> None:
        """
        Args:
            server: the MCP server.
            bodies: reads the bodies of requests.
            json_responses: answer with JSON in place of event streams.
            direct: answers some of the tool calls in place of the server.
        """
        self._direct = direct
        self._bodies = bodies
        self._accepted = (_JSON,) if json_responses else (_JSON, _EVENTS)
        self._known_kinds: set[_Headers] = set()
        server.streamable_http_app(
            json_response=json_responses,
            stateless_http=True,
            max_request_body_size=MAX_BODY,
            # The names and origins of requests were checked before.
            transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
        )
        self.session_manager: StreamableHTTPSessionManager = server.session_manager
        self._transport: ASGIApp = StreamableHTTPASGIApp(server.session_manager)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kinds = _read_headers(scope)
        if kinds not in self._known_kinds or scope["method"] != "POST":
            refusal = self._check_headers(scope)
            if refusal is not None:
                await refusal(scope, receive, send)
                return
            if len(self._known_kinds) < _REMEMBERED:
                self._known_kinds.add(kinds)
        try:
            first = await receive()
            if is_small_body(first):
                await self._serve(first.get("body", b""), kinds.version, scope, receive, send)
                return
            async with self._bodies.read(scope, receive, first) as body:
                await self._serve(body, kinds.version, scope, receive, send)
        except BodyRefusedError as error:
            await error_response(error.status, error.message, error.hint)(scope, receive, send)
        except ClientGoneError:
            return

    def _check_headers(self, scope: Scope) -> Response | None:
        if scope["method"] != "POST":
            # The server sends no messages of its own accord, and there is no session to end.
            response = error_response(405, "This MCP endpoint takes POST only.")
            response.headers["allow"] = "POST"
            return response
        content_type = _header(scope, b"content-type").partition(";")[0].strip().lower()
        if content_type != _JSON:
            return _json_rpc_error(
                types.ErrorData(
                    code=types.INVALID_REQUEST,
                    message=f"The header Content-Type must be {_JSON}, not {content_type[:80]!r}.",
                ),
                status=415,
            )
        accepted = {part.partition(";")[0].strip().lower() for part in _header(scope, b"accept").split(",")}
        if not all(accepted & {kind, f"{kind.partition('/')[0]}/*", "*/*"} for kind in self._accepted):
            return _json_rpc_error(
                types.ErrorData(
                    code=types.INVALID_REQUEST,
                    message=f"The header Accept must name {' and '.join(self._accepted)}.",
                ),
                status=406,
            )
        return None

    async def _serve(self, body: bytes, version: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        checked = check_message(body)
        if version and isinstance(checked, CheckedMessage):
            checked = _check_version(checked, version.decode("latin-1"), scope)
        elif isinstance(checked, Rejection):
            checked = _compare_versions(checked, version.decode("latin-1"))
        if isinstance(checked, Rejection):
            await _json_rpc_error(checked.error, checked.request_id)(scope, receive, send)
            return
        if self._direct is not None and await self._direct.respond(checked, scope, send):
            return
        # Plain JSON responses are not read line by line.
        streams = len(self._accepted) > 1
        await self._transport(scope, replay(body, receive), _escaping(send) if streams else send)


def _check_version(checked: CheckedMessage, version: str, scope: Scope) -> CheckedMessage | Rejection:
    """Checks the protocol version in the header, before the SDK complains about what it would require."""
    if is_supported(version):
        return checked
    if checked.method == "initialize":
        # The version is negotiated in this message; the server answers with one that it speaks.
        scope["headers"] = [pair for pair in scope["headers"] if pair[0] != _VERSION_HEADER]
        return checked
    request_id = checked.data.get("id") if checked.method is not None else None
    return Rejection(unsupported_version(version), request_id)


def _compare_versions(rejection: Rejection, version: str) -> Rejection:
    """Returns the error for a header and a body that name different versions, if that is what is wrong."""
    if rejection.error.code != types.UNSUPPORTED_PROTOCOL_VERSION or not is_supported(version):
        return rejection
    requested = rejection.error.data["requested"]
    message = f"The header MCP-Protocol-Version is {version}, the message says {requested}."
    return Rejection(types.ErrorData(code=types.HEADER_MISMATCH, message=message), rejection.request_id)


def _header(scope: Scope, name: bytes) -> str:
    """Returns the values of a header, joined by commas; empty if there is none."""
    return ", ".join(value.decode("latin-1") for key, value in scope["headers"] if key == name)


def _escaping(send: Send) -> Send:
    """Returns a `send` that escapes line separators in event streams."""
    events = False

    async def send_escaped(message: Message) -> None:
        nonlocal events
        if message["type"] == "http.response.start":
            events = _header(message, b"content-type").startswith(_EVENTS)
        elif events and message.get("body"):
            message = {**message, "body": escape_line_separators(message["body"])}
        await send(message)

    return send_escaped


def _json_rpc_error(
    error: types.ErrorData, request_id: types.RequestId | None = None, *, status: int = 400
) -> Response:
    """Builds a JSON-RPC error response; the id is null if the request's id is unknown."""
    message = types.JSONRPCError(jsonrpc="2.0", id=request_id, error=error)
    body = message.model_dump(mode="json", by_alias=True, exclude_none=True)
    return JSONResponse({**body, "id": request_id}, status)
