"""Reads actions that are tool calls as JSON text: `{"tool": NAME, "arguments": {…}}`."""

import json

from codegym_mcp.models.call_arguments import parse_arguments
from codegym_mcp.models.model_messages import ModelToolCall

_FORM = 'it is not of the form {"tool": NAME, "arguments": {…}}'


def read_json_action(action: str) -> ModelToolCall:
    """Reads an action; a text that is no tool call becomes a malformed call."""
    try:
        read = json.loads(action)
    except (ValueError, RecursionError) as error:
        return ModelToolCall("", "", action, None, f"it is not JSON: {' '.join(str(error).split())}")
    if not isinstance(read, dict) or not isinstance(read.get("tool"), str):
        return ModelToolCall("", "", action, None, _FORM)
    arguments = parse_arguments(read.get("arguments"))
    return ModelToolCall("", read["tool"], arguments.raw, arguments.data, arguments.problem)
