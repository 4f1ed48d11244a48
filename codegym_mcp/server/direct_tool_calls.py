"""Answers tool calls of the revision 2026-07-28 without the SDK's machinery for sessions, streams and tasks.

In this revision a request stands alone, and an episode sends nothing but the response, which is JSON also
where event streams are allowed. The SDK still builds a connection, a session, a context, a chain of
middleware, and for event streams two tasks for each request, which takes most of the processor time of a
call. Here the SDK's own functions validate a call, which then goes to the handler. Whatever is not a plain,
valid tool call is left to the SDK, which says what is wrong with it.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import mcp_types as types
from mcp.server.lowlevel.server import Server
from mcp.shared.inbound import (
    ERROR_CODE_HTTP_STATUS,
    InboundModernRoute,
    classify_inbound_request,
    find_duplicated_routing_header,
)
from mcp_types.methods import validate_client_request
from opentelemetry import trace
from pydantic import ValidationError
from starlette.types import Scope, Send

from codegym_mcp.server.json_rpc import CheckedMessage
from codegym_mcp.server.mcp_middleware import explained_error

CallHandler = Callable[[Scope, types.CallToolRequestParams], Awaitable[types.CallToolResult]]
"""Makes the call of a request; raises MCPError before anything was done if the request is not valid."""
CallCheck = Callable[[Scope, types.CallToolRequestParams], bool]
"""Tells whether the response to a call surely begins before `KEEPALIVE_SECONDS`."""
KEEPALIVE_SECONDS = 15.0
"""Seconds after which the SDK begins an event stream, if one is allowed, to keep the connection alive."""
_METHOD = "tools/call"


class DirectToolCalls:
    """Answers the tool calls of one MCP server with JSON."""

    def __init__(self, server: Server[Any], call: CallHandler, *, is_short: CallCheck | None = None) -> None:
        """
        Args:
            server: answers all other messages.
            call: makes a call.
            is_short: which calls to answer; None for all, where event streams are not allowed.
        """
        self._server = server
        self._call = call
        self._is_short = is_short

    async def respond(self, checked: CheckedMessage, scope: Scope, send: Send) -> bool:
        """Answers a request if it is a valid tool call of the revision.

        Args:
            checked: the message; the headers were checked to accept JSON.
            scope: the scope of its HTTP request.
            send: sends the response.

        Returns:
            Whether a response was sent; if not, nothing was done.
        """
        params = _valid_call(checked, scope)
        if params is None or (self._is_short is not None and not self._is_short(scope, params)):
            return False
        status = 200
        message: dict[str, Any] = {"jsonrpc": "2.0", "id": checked.data["id"]}
        try:
            message["result"] = self._wire_form(await self._call(scope, params))
        except Exception as error:
            data = explained_error(error).error
            status = ERROR_CODE_HTTP_STATUS.get(data.code, status)
            message["error"] = data.model_dump(mode="json", by_alias=True, exclude_none=True)
        body = json.dumps(message, separators=(",", ":")).encode()
        headers = [(b"content-length", str(len(body)).encode()), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        return True

    def _wire_form(self, result: types.CallToolResult) -> dict[str, Any]:
        """Returns a result as the SDK sends it in this revision."""
        wire = result.model_dump(by_alias=True, mode="json", exclude_none=True)
        wire.setdefault("resultType", "complete")
        wire["_meta"] = {**wire.get("_meta", {}), types.SERVER_INFO_META_KEY: self._server.server_info_stamp}
        return wire


def _valid_call(checked: CheckedMessage, scope: Scope) -> types.CallToolRequestParams | None:
    """Returns the parameters of a valid tool call, or None for any other message."""
    if checked.method != _METHOD or "id" not in checked.data or _is_traced():
        return None
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
    if find_duplicated_routing_header(headers) is not None:
        return None
    route = classify_inbound_request(checked.data, headers=dict(headers))
    if not isinstance(route, InboundModernRoute):
        return None
    params = checked.data["params"]
    try:
        validate_client_request(_METHOD, route.protocol_version, params)
        return types.CallToolRequestParams.model_validate(params, by_name=False)
    except (ValidationError, KeyError):
        return None


def _is_traced() -> bool:
    """Checks whether spans are exported; the SDK makes those of requests."""
    return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
