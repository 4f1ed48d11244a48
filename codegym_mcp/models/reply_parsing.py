"""Reads what a provider answered."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from pydantic_ai.messages import ModelResponse, ModelResponsePart, TextPart, ThinkingPart, ToolCallPart

from codegym_mcp.models.model_messages import (
    FailedRequest,
    ModelReply,
    ModelToolCall,
    TokenUsage,
    parse_arguments,
)
from codegym_mcp.models.prices import price

_REFUSED = "The provider's filter stopped the reply."


def read_reply(
    response: ModelResponse, seconds: float, failures: Sequence[FailedRequest]
) -> tuple[ModelResponse, ModelReply]:
    """What a response says.

    Args:
        seconds: what it took.
        failures: attempts before it.

    Returns:
        The response as it may be sent back, and the reply.
    """
    response = replace(response, parts=[_writable(part) for part in response.parts])
    details = response.provider_details or {}
    unmapped = details.get("unmapped", {})
    filtered = response.finish_reason == "content_filter"
    return response, ModelReply(
        text=_joined(part.content for part in response.parts if isinstance(part, TextPart)) or "",
        reasoning=_joined(part.content for part in response.parts if isinstance(part, ThinkingPart)),
        calls=[_call(part) for part in response.parts if isinstance(part, ToolCallPart)],
        finish=response.finish_reason,
        finish_raw=details.get("finish_reason"),
        refusal=str(details.get("refusal") or _REFUSED) if filtered else None,
        model=response.model_name or "",
        usage=_usage(response),
        seconds=seconds,
        failures=failures,
        logprobs=_logprobs(response, details),
        prompt_token_ids=unmapped.get("response", {}).get("prompt_token_ids"),
        completion_token_ids=unmapped.get("choice", {}).get("token_ids"),
    )


def declined(model: str, why: str, failures: Sequence[FailedRequest]) -> ModelReply:
    """A reply for a prompt that the provider declined to give the model."""
    return ModelReply(
        text="",
        calls=(),
        finish="content_filter",
        usage=TokenUsage(prompt_tokens=0, completion_tokens=0, cost=0.0),
        model=model,
        seconds=0.0,
        refusal=why,
        failures=failures,
    )


def _call(part: ToolCallPart) -> ModelToolCall:
    raw, arguments = parse_arguments(part.args)
    return ModelToolCall(part.tool_call_id, part.tool_name, raw, arguments)


def _joined(texts: Iterable[str]) -> str | None:
    parts = list(texts)
    return "\n\n".join(parts) if parts else None


def _usage(response: ModelResponse) -> TokenUsage:
    used = response.usage
    if used.unmeasured_requests:
        return TokenUsage()
    return TokenUsage(
        prompt_tokens=used.input_tokens,
        completion_tokens=used.output_tokens,
        cached_tokens=used.cache_read_tokens,
        reasoning_tokens=used.output_reasoning_tokens or used.details.get("reasoning_tokens") or None,
        cost=price(response),
    )


def _logprobs(response: ModelResponse, details: dict[str, Any]) -> list[float] | None:
    """One for each token; OpenAI's two APIs give them with the response, or with its parts."""
    tokens = details.get("logprobs") or [
        token
        for part in response.parts
        if isinstance(part, TextPart)
        for token in (part.provider_details or {}).get("logprobs", ())
    ]
    return [token["logprob"] for token in tokens] or None


def _writable(part: ModelResponsePart) -> ModelResponsePart:
    """The part without half characters: JSON lets a model write them, and nothing else can hold them."""
    changed: dict[str, Any] = {}
    for name in ("content", "tool_name", "args", "tool_call_id"):
        value = getattr(part, name, None)
        if isinstance(value, str) and not _is_writable(value):
            changed[name] = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return replace(part, **changed) if changed else part


def _is_writable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
