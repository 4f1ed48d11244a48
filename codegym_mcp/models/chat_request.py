"""Builds requests of the Chat Completions API. What the model said goes back exactly as it was received."""

from collections.abc import Sequence
from typing import Any

from codegym_mcp.episode_protocol import ToolView
from codegym_mcp.models.model_messages import (
    AssistantMessage,
    Message,
    SystemMessage,
    ToolResultMessage,
    UserMessage,
)
from codegym_mcp.models.model_request_options import ModelOptions

Body = dict[str, Any]

REASONING_FIELDS = ("reasoning_content", "reasoning", "reasoning_details", "thinking")
"""Members of a message in which servers put the reasoning."""


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
