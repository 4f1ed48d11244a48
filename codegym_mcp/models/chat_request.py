"""Builds requests of the Chat Completions API. What the model said goes back exactly as it was received."""

import re
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from codegym_mcp.episode_interface import ToolView
from codegym_mcp.models.model_messages import (
    AssistantMessage,
    Message,
    SystemMessage,
    ToolResultMessage,
    UserMessage,
)
from codegym_mcp.models.model_options import ModelOptions

Body = dict[str, Any]

REASONING_FIELDS = ("reasoning_content", "reasoning", "reasoning_details", "thinking")
"""Members of a message in which servers put the reasoning."""
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def build_body(
    model: str,
    messages: Sequence[Message],
    tools: Sequence[ToolView],
    options: ModelOptions,
    seed: int | None,
    *,
    max_tokens_field: str,
    system_role: str = "system",
) -> Body:
    """Builds the body of a request."""
    settings: Body = {
        "temperature": options.temperature,
        "top_p": options.top_p,
        max_tokens_field: options.max_tokens,
        "seed": options.seed if seed is None else seed,
        "reasoning_effort": options.reasoning_effort,
        "logprobs": options.logprobs or None,
        "return_token_ids": options.token_ids or None,
    }
    body: Body = {
        "model": model,
        "messages": [_to_wire(message, system_role) for message in messages],
        "stream": False,
    }
    if tools:
        body["tools"] = [_tool(tool) for tool in tools]
        body["tool_choice"] = options.tool_choice
    body |= {name: value for name, value in settings.items() if value is not None}
    return body | options.extra_body


def _to_wire(message: Message, system_role: str) -> Body:
    match message:
        case SystemMessage():
            return {"role": system_role, "content": message.text}
        case UserMessage():
            return {"role": "user", "content": message.text}
        case ToolResultMessage():
            return {"role": "tool", "tool_call_id": message.call.id, "content": message.text}
        case AssistantMessage(original=dict() as original):
            return original
        case AssistantMessage():
            return {"role": "assistant", "content": message.text}


def _tool(tool: ToolView) -> Body:
    return {
        "type": "function",
        "function": {"name": tool.name, "description": tool.description, "parameters": tool.input_schema},
    }


@dataclass(frozen=True)
class Adaptation:
    """A change to requests for servers that do not accept what others do.

    It is applied when a server rejects a request for which it makes a difference, and kept if the changed
    request succeeds.

    Attributes:
        description: the change, in one sentence, for the record.
        apply: changes a body in place, and returns whether it changed.
        wording: the rejections that it may cure.
        cures_server_error: whether it may also cure a status 500.
    """

    description: str
    apply: Callable[[Body], bool]
    wording: re.Pattern[str]
    cures_server_error: bool = False


def adapt(body: Body, adaptations: Sequence[Adaptation]) -> tuple[Body, list[str]]:
    """Applies adaptations to a copy of a body.

    Returns:
        The changed body, and the descriptions of the adaptations that made a difference.
    """
    if not adaptations:
        return body, []
    changed = deepcopy(body)
    return changed, [each.description for each in adaptations if each.apply(changed)]


def _replace_null_content(body: Body) -> bool:
    changed = False
    for message in body["messages"]:
        if message["role"] == "assistant" and message.get("content", "") is None:
            message["content"] = ""
            changed = True
    return changed


def _add_missing_content(body: Body) -> bool:
    changed = False
    for message in body["messages"]:
        if message["role"] == "assistant" and "content" not in message:
            message["content"] = ""
            changed = True
    return changed


def _drop_empty_content(body: Body) -> bool:
    changed = False
    for message in body["messages"]:
        if message["role"] == "assistant" and message.get("content") == "" and message.get("tool_calls"):
            message["content"] = None
            changed = True
    return changed


def _drop_reasoning(body: Body) -> bool:
    changed = False
    for message in body["messages"]:
        for field in REASONING_FIELDS:
            changed = message.pop(field, None) is not None or changed
    return changed


def _replace_tool_names(body: Body) -> bool:
    changed = False
    for message in body["messages"]:
        for call in message.get("tool_calls") or ():
            name = call["function"]["name"]
            if not _NAME.fullmatch(name):
                call["function"]["name"] = re.sub(r"[^a-zA-Z0-9_-]", "_", name)[:64] or "_"
                changed = True
    return changed


def _swap_max_tokens(body: Body) -> bool:
    for old, new in (("max_tokens", "max_completion_tokens"), ("max_completion_tokens", "max_tokens")):
        if old in body:
            body[new] = body.pop(old)
            return True
    return False


def _choose_no_tools(body: Body) -> bool:
    if body.get("tool_choice") == "auto":
        body["tool_choice"] = "none"
        return True
    return False


SWAP_MAX_TOKENS = Adaptation(
    "The limit of tokens was sent under its other name (max_tokens or max_completion_tokens).",
    _swap_max_tokens,
    re.compile(r"max_tokens|max_completion_tokens", re.IGNORECASE),
)
UNPARSED_TOOLS = Adaptation(
    "The tools were sent with the tool choice none, since the server does not parse calls.",
    _choose_no_tools,
    re.compile(r"tool[ _-]choice|tool-call-parser", re.IGNORECASE),
)
_ANY = re.compile("")
HISTORY_ADAPTATIONS = (
    Adaptation(
        "Reasoning was left out of earlier messages.",
        _drop_reasoning,
        re.compile(
            r"reasoning|thinking|extra inputs|unrecognized|unexpected|additional propert", re.IGNORECASE
        ),
    ),
    Adaptation(
        "Names of tools in earlier calls were changed to letters, digits, '_' and '-'.",
        _replace_tool_names,
        re.compile(r"name|pattern|tool|function", re.IGNORECASE),
    ),
    Adaptation(
        "The content null of earlier messages was sent as an empty text.",
        _replace_null_content,
        _ANY,
        cures_server_error=True,
    ),
    Adaptation(
        "Earlier messages without content were sent with an empty text.",
        _add_missing_content,
        _ANY,
        cures_server_error=True,
    ),
    Adaptation(
        "The empty text of earlier messages with calls was sent as null.",
        _drop_empty_content,
        re.compile(r"content|empty|blank|text", re.IGNORECASE),
    ),
)
"""Changes to the history, tried in this order."""
