"""Responses of JSON-RPC that deviate from its specification become responses that follow it.

The SDK replaces a response that it cannot read by an error of its own, and what the server said is lost.
"""

import json
from collections.abc import Mapping
from typing import Any

import mcp_types as types
from pydantic import ValidationError

_ENVELOPE = frozenset({"jsonrpc", "id", "result", "error"})

Response = dict[str, Any]


def follows_specification(message: object) -> bool:
    """Checks whether the SDK can read a message."""
    match message:
        case {"jsonrpc": "2.0", "id": int() | str(), "result": {}, **rest} if not rest:
            return True
    try:
        types.jsonrpc_message_adapter.validate_python(message, by_name=False)
    except ValidationError:
        return False
    return True


def complete_response(received: object, request_id: types.RequestId, method: str) -> Response:
    """Returns the response that a server wanted to send.

    Args:
        received: the JSON value that came in place of a response.
        request_id: the id of the request.
        method: the method of the request. Only the result of a tool may have another form than an object.

    Returns:
        A response with a result that is an object, or with an error.
    """
    if not isinstance(received, Mapping):
        received = {"result": received}
    result, fault = received.get("result"), received.get("error")
    if fault is None and result is None:
        result = {name: value for name, value in received.items() if name not in _ENVELOPE} or None
    if fault is None and result is not None:
        if isinstance(result, Mapping):
            return {"jsonrpc": "2.0", "id": request_id, "result": dict(result)}
        if method == "tools/call":
            return {"jsonrpc": "2.0", "id": request_id, "result": {"content": result}}
    return error_response(request_id, _fault_text(fault))


def error_response(request_id: types.RequestId, text: str) -> Response:
    """Returns a response with an error."""
    return {"jsonrpc": "2.0", "id": request_id, "error": {"code": types.INTERNAL_ERROR, "message": text}}


def _fault_text(fault: object) -> str:
    if fault is None:
        return "the server's response contains neither a result nor an error"
    if isinstance(fault, Mapping) and fault.get("message") is not None:
        return str(fault["message"])
    return fault if isinstance(fault, str) else json.dumps(fault, ensure_ascii=False)
