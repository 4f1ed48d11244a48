"""Reads the responses of pydantic-ai."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from pydantic_ai.messages import ModelResponse, ModelResponsePart, TextPart, ThinkingPart, ToolCallPart

from codegym_mcp.models.call_arguments import parse_arguments
from codegym_mcp.models.chat_response import FILTERED
from codegym_mcp.models.model_messages import FinishReason, ModelReply, ModelToolCall, TokenUsage
from codegym_mcp.models.prices import has_price
from codegym_mcp.unicode_text import replace_lone_surrogates


def read_reply(response: ModelResponse) -> tuple[ModelResponse, ModelReply]:
    """Reads a response.

    Returns:
        The response in the form in which later requests contain it, and the reply.
    """
    parts = [_writable_part(part) for part in response.parts]
    details = response.provider_details or {}
    finish = FinishReason(response.finish_reason) if response.finish_reason else None
    filtered = finish is FinishReason.CONTENT_FILTER
    reply = ModelReply(
        text=_joined(part.content for part in parts if isinstance(part, TextPart)) or "",
        reasoning=_joined(part.content for part in parts if isinstance(part, ThinkingPart)),
        calls=[_read_call(part) for part in parts if isinstance(part, ToolCallPart)],
        finish=finish,
        finish_raw=details.get("finish_reason"),
        refusal=str(details.get("refusal") or FILTERED) if filtered else None,
        model=response.model_name or "",
        usage=_usage(response),
        logprobs=_logprobs(response, details),
    )
    return replace(response, parts=[_sendable_part(part) for part in parts]), reply


def _read_call(part: ToolCallPart) -> ModelToolCall:
    arguments = parse_arguments(part.args)
    return ModelToolCall(
        id=part.tool_call_id,
        name=part.tool_name or "",
        raw=arguments.raw,
        arguments=arguments.data,
        problem=arguments.problem,
        sent=None if arguments.sendable == arguments.raw else arguments.sendable,
    )


def _sendable_part(part: ModelResponsePart) -> ModelResponsePart:
    if not isinstance(part, ToolCallPart):
        return part
    arguments = parse_arguments(part.args)
    return part if arguments.data is not None else replace(part, args=arguments.sendable)


def _joined(texts: Iterable[str]) -> str | None:
    parts = list(texts)
    return "\n\n".join(parts) if parts else None


def _usage(response: ModelResponse) -> TokenUsage:
    used = response.usage
    if used.unmeasured_requests or not (used.input_tokens or used.output_tokens):
        return TokenUsage()
    return TokenUsage(
        prompt_tokens=used.input_tokens,
        completion_tokens=used.output_tokens,
        cached_tokens=used.cache_read_tokens,
        reasoning_tokens=used.output_reasoning_tokens or used.details.get("reasoning_tokens") or None,
        cost=_cost(response),
    )


def _cost(response: ModelResponse) -> float | None:
    if not has_price(response.model_name or "", response.provider_name or "", response.provider_url):
        return None
    try:
        return float(response.cost().total_price)
    except (LookupError, ValueError):
        return None


def _logprobs(response: ModelResponse, details: dict[str, Any]) -> list[float] | None:
    """Returns one value for each token. OpenAI puts them into the parts of the response."""
    tokens = details.get("logprobs") or [
        token
        for part in response.parts
        if isinstance(part, TextPart)
        for token in (part.provider_details or {}).get("logprobs", ())
    ]
    return [token["logprob"] for token in tokens] or None


def _writable_part(part: ModelResponsePart) -> ModelResponsePart:
    changed: dict[str, Any] = {}
    for name in ("content", "tool_name", "args", "tool_call_id"):
        value = getattr(part, name, None)
        if isinstance(value, str) and (written := replace_lone_surrogates(value)) != value:
            changed[name] = written
    return replace(part, **changed) if changed else part
