"""Checks of JSON-RPC messages before the MCP SDK reads them.

The SDK accepts some messages that the protocol forbids: it takes a request whose id is null for a
notification, drops lines that are not JSON, and answers a future protocol version with a complaint about
another field.
"""

from dataclasses import dataclass
from typing import Any

import mcp_types as types
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS
from pydantic_core import from_json

MAX_ID = 256
"""Characters of a text id, and digits of a number id."""
MAX_VALUES = 150_000
"""Commas in a message."""
MAX_CONTAINERS = 30_000
"""Opening brackets and braces in a message."""

_SMALL = 64 * 1024
_SUPPORTED = (*MODERN_PROTOCOL_VERSIONS, *reversed(HANDSHAKE_PROTOCOL_VERSIONS))
_MAX_ID_BITS = int(MAX_ID * 3.32)


@dataclass(frozen=True)
class Rejection:
    """Why a message is refused, and the id of its request, if it is known."""

    error: types.ErrorData
    request_id: types.RequestId | None = None


@dataclass(frozen=True)
class CheckedMessage:
    """A message in a form that the SDK may read.

    Attributes:
        data: the parsed JSON object.
        method: the method of a request or notification; None for a response.
    """

    data: dict[str, Any]
    method: str | None


def check_message(body: bytes) -> CheckedMessage | Rejection:
    """Parses a message and checks its envelope."""
    if len(body) > _SMALL and _has_many_values(body):
        return _reject(types.PARSE_ERROR, "The message has too many values.")
    try:
        data = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        return _reject(types.PARSE_ERROR, f"The message is not JSON: {error}.")
    if isinstance(data, list):
        return _reject(types.INVALID_REQUEST, "Batches are not supported. Send each message by itself.")
    if not isinstance(data, dict):
        return _reject(types.INVALID_REQUEST, "The message must be a JSON object.")
    return _check_envelope(data)


def _has_many_values(body: bytes) -> bool:
    """Checks whether parsing a message would take far longer than its size says.

    Separators within texts are counted too, so the bounds are far above what tools need.
    """
    return body.count(b",") > MAX_VALUES or body.count(b"[") + body.count(b"{") > MAX_CONTAINERS


def _check_envelope(data: dict[str, Any]) -> CheckedMessage | Rejection:
    request_id = data.get("id")
    if "id" in data and not _is_id(request_id) and not ("error" in data and request_id is None):
        return _reject(
            types.INVALID_REQUEST, f"The id must be an integer or a text of at most {MAX_ID} characters."
        )
    if data.get("jsonrpc") != "2.0":
        return _reject(types.INVALID_REQUEST, 'The member jsonrpc must be "2.0".', request_id)
    if "method" not in data and ("result" in data or "error" in data):
        return CheckedMessage(data, None)
    method = data.get("method")
    if not isinstance(method, str):
        return _reject(types.INVALID_REQUEST, "The member method must be a text.", request_id)
    # The specification wants these members left out; several clients send null.
    for members, name in ((data, "params"), (data.get("params"), "_meta")):
        if isinstance(members, dict) and members.get(name, members) is None:
            del members[name]
    params = data.get("params", {})
    if not isinstance(params, dict):
        return _reject(types.INVALID_PARAMS, "The member params must be an object.", request_id)
    if "_meta" in params and not isinstance(params["_meta"], dict):
        return _reject(types.INVALID_PARAMS, "The member params._meta must be an object.", request_id)
    if not isinstance(params.get("arguments", {}), dict | None):
        message = "The member params.arguments must be an object, not a text or a list."
        return _reject(types.INVALID_PARAMS, message, request_id)
    version = params.get("_meta", {}).get(types.PROTOCOL_VERSION_META_KEY)
    if version is not None and not is_supported(version):
        return Rejection(unsupported_version(version), request_id)
    return CheckedMessage(data, method)


def _is_id(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= MAX_ID
    return type(value) is int and value.bit_length() <= _MAX_ID_BITS


def _reject(code: int, message: str, request_id: types.RequestId | None = None) -> Rejection:
    return Rejection(types.ErrorData(code=code, message=message), request_id)


def is_supported(version: Any) -> bool:
    """Checks whether this server speaks a protocol version."""
    return version in _SUPPORTED


def unsupported_version(requested: Any) -> types.ErrorData:
    """Builds the error for a protocol version that this server does not speak."""
    shown = requested if isinstance(requested, str) else repr(requested)
    return types.ErrorData(
        code=types.UNSUPPORTED_PROTOCOL_VERSION,
        message="Unsupported protocol version",
        # The same list as that of server/discover: an older client negotiates in `initialize`.
        data={"supported": list(MODERN_PROTOCOL_VERSIONS), "requested": shown[:MAX_ID]},
    )
