"""Corrects responses of servers that speak Anthropic's Messages API, before Anthropic's package reads them.

The package fails at members that are missing, and takes an error in a successful response for a reply.
"""

import json
from typing import Any

from codegym_mcp.models.corrected_responses import CorrectedResponses, error_status

_USAGE = {"input_tokens": 0, "output_tokens": 0}
"""Stands for unknown usage. No reply has neither prompt tokens nor reply tokens."""


class MessagesTransport(CorrectedResponses):
    """A transport to a server that speaks Anthropic's Messages API."""

    def correct(self, sent: bytes, content: bytes, status: int) -> tuple[int, bytes]:
        """Returns the status and the body that a successful response should have had."""
        return correct_message(content, status)


def correct_message(content: bytes, status: int = 200) -> tuple[int, bytes]:
    """Returns the status and the body that a successful response should have had."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return status, content
    if not isinstance(body, dict):
        return 500, json.dumps({"error": {"message": "the response is not a JSON object"}}).encode()
    if body.get("error") or body.get("type") == "error":
        return error_status(body), content
    if "content" not in body:
        return 500, json.dumps({"error": {"message": "the response contains no message"}}).encode()
    usage = body.get("usage")
    message = {
        **body,
        "content": _blocks(body["content"]),
        "usage": _USAGE | usage if isinstance(usage, dict) else _USAGE,
    }
    return status, content if message == body else json.dumps(message).encode()


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
