"""Names of tools in calls that carry a namespace before them or special tokens behind them."""

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from codegym_mcp.episode_protocol import ToolView
from codegym_mcp.models.model_messages import ModelReply

_NAMESPACE = re.compile(r"(?:functions|default_api)[.:]")
"""The namespaces of gpt-oss and Kimi, and of Gemini and Gemma."""
_SPECIAL_TOKENS = re.compile(r"<\|.*|:\d+\Z", re.DOTALL)
"""What gpt-oss and Kimi write behind a name, if the server leaves it there."""


def offered_name(name: str, offered: Collection[str]) -> str:
    """Returns the offered name that a name in a call stands for, or the name as it is."""
    if name in offered:
        return name
    plain = _SPECIAL_TOKENS.sub("", _NAMESPACE.sub("", name.strip(), count=1)).strip()
    return plain if plain in offered else name


def resolve_tool_names(reply: ModelReply, tools: Sequence[ToolView]) -> ModelReply:
    """Returns a reply whose calls have the offered names that theirs stand for.

    What was changed is added to `changes`. The history keeps the names as they were received.
    """
    offered = {tool.name for tool in tools}
    calls = [replace(call, name=offered_name(call.name, offered)) for call in reply.calls]
    changed = dict.fromkeys(
        f"The tool name {before.name!r} of a call was read as {after.name!r}."
        for before, after in zip(reply.calls, calls, strict=True)
        if before.name != after.name
    )
    return replace(reply, calls=calls, changes=[*reply.changes, *changed]) if changed else reply
