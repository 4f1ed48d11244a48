"""Converts the result of an MCP tool call, of any server, into what an agent receives."""

import json
from typing import Any

import mcp_types as types

from codegym_mcp.episode_protocol import OVER_META, STATUS_META, CallResult, CallStatus
from codegym_mcp.unicode_text import replace_lone_surrogates, writable_data

MAX_TEXT = 1 << 20
"""Maximum length of a result's text in characters; the rest is cut off."""
NO_CONTENT = "The tool returned no content."
_ERRORS = frozenset(CallStatus) - {CallStatus.OK}


def call_result(result: types.CallToolResult) -> CallResult:
    """Returns the result of a call. Its text is never empty unless the server sends an empty text."""
    structured = result.structured_content
    if structured is not None and not isinstance(structured, dict):
        structured = {"result": structured}
    text = "\n".join(_block_text(block) for block in result.content or [])
    if not result.content:
        text = _json_text(structured) if structured is not None else NO_CONTENT
    return CallResult(
        text=_bounded(replace_lone_surrogates(text)),
        structured=None if result.is_error else writable_data(structured),
        status=_status(result),
        over=bool((result.meta or {}).get(OVER_META)),
    )


def _status(result: types.CallToolResult) -> CallStatus:
    """Returns the status that servers of this project send beside an error; other errors are refusals."""
    if not result.is_error:
        return CallStatus.OK
    status = (result.meta or {}).get(STATUS_META)
    return next((each for each in _ERRORS if each == status), CallStatus.REFUSED)


def _block_text(block: types.ContentBlock) -> str:
    match block:
        case types.TextContent():
            return block.text
        case types.EmbeddedResource(resource=types.TextResourceContents() as resource):
            return resource.text
        case types.EmbeddedResource(resource=types.BlobResourceContents() as blob):
            return _binary(f"resource {blob.uri}", blob.mime_type, blob.blob)
        case types.ResourceLink():
            description = f" ({block.description})" if block.description else ""
            return f"[{block.name}: {block.uri}{description}]"
        case types.ImageContent() | types.AudioContent():
            return _binary(block.type, block.mime_type, block.data)
    return f"[{getattr(block, 'type', type(block).__name__)}]"


def _json_text(data: dict[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False)


def _binary(kind: str, mime_type: str | None, base64: str) -> str:
    size = len(base64.rstrip("=")) * 3 // 4
    return f"[{kind}, {mime_type or 'unknown type'}, {size} bytes]"


def _bounded(text: str) -> str:
    if len(text) <= MAX_TEXT:
        return text
    return f"{text[:MAX_TEXT]}… ({len(text) - MAX_TEXT} more characters)"
