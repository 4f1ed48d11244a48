"""Reads responses of the Chat Completions API, also those that deviate from its specification."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain, count
from typing import Any

from codegym_mcp.models.call_arguments import parse_arguments
from codegym_mcp.models.chat_request import REASONING_FIELDS
from codegym_mcp.models.model_messages import (
    AssistantMessage,
    FinishReason,
    ModelReply,
    ModelToolCall,
    TokenUsage,
)
from codegym_mcp.models.provider_client import ClientResponse
from codegym_mcp.unicode_text import replace_lone_surrogates, writable_data

FILTERED = "The provider's filter stopped the reply."

_FINISH_REASONS = {
    FinishReason.STOP: {"stop", "eos", "eos_token", "stop_sequence", "end_turn", "complete", "completed"},
    FinishReason.LENGTH: {
        "length",
        "max_tokens",
        "max_output_tokens",
        "model_length",
        "model_context_window_exceeded",
    },
    FinishReason.TOOL_CALL: {"tool_calls", "tool_call", "tool_use", "function_call"},
    FinishReason.CONTENT_FILTER: {
        "content_filter",
        "content_filtered",
        "refusal",
        "safety",
        "sensitive",
        "recitation",
        "guardrail_intervened",
        "prohibited_content",
    },
    FinishReason.ERROR: {
        "error",
        "error_toxic",
        "network_error",
        "server_error",
        "internal_error",
        "upstream_error",
        "insufficient_system_resource",
        "abort",
        "aborted",
        "cancelled",
        "canceled",
        "timeout",
        "time_limit",
        "overloaded",
    },
}
_FINISH_OF = {name: reason for reason, names in _FINISH_REASONS.items() for name in names}
_MAX_COUNT = 2**53
"""Largest number of tokens that is believed."""
_LOWEST_LOGPROB = -9999.0
"""Stands for a log-probability of minus infinity, which JSON cannot hold, and for one that is none."""


def is_failure(finish: object) -> bool:
    """Checks whether a provider's own finish reason says that the provider failed."""
    return isinstance(finish, str) and _FINISH_OF.get(finish.lower()) is FinishReason.ERROR


class UnusableResponseError(Exception):
    """A successful response without a usable reply.

    Attributes:
        error: the provider's error object, or a text that says what is missing.
    """

    def __init__(self, error: object) -> None:
        super().__init__(str(error))
        self.error = error


def unwrap_error(body: object) -> object:
    """Returns the error object of a body that is a list with one, as Google sends it; else the body."""
    match body:
        case [{"error": error} as first, *_] if error:
            return first
    return body


def read_response(body: object) -> ClientResponse:
    """Reads the body of a successful response.

    Missing or wrong members that do not matter are ignored or filled in.

    Raises:
        UnusableResponseError: the body contains an error, or no reply.
    """
    if not isinstance(body, Mapping):
        raise UnusableResponseError("the response is not a JSON object")
    choice = _choice(body)
    finish_raw = _text(choice.get("finish_reason")) or None
    finish = _FINISH_OF.get(finish_raw.lower()) if finish_raw else None
    if finish is FinishReason.ERROR:
        raise UnusableResponseError(f"the reply ended with the finish reason {finish_raw!r}")
    said = choice.get("message") or choice.get("delta")
    if not isinstance(said, Mapping):
        raise UnusableResponseError("the response contains no message")
    text, thoughts = _content(said.get("content"))
    calls = list(_calls(said))
    refusal = _text(said.get("refusal")) or _refusal_parts(said.get("content")) or None
    if finish is FinishReason.CONTENT_FILTER and refusal is None:
        refusal = text or FILTERED
    reply = ModelReply(
        text=text,
        reasoning=_reasoning(said, thoughts),
        calls=calls,
        finish=FinishReason.CONTENT_FILTER if refusal is not None else finish,
        finish_raw=finish_raw,
        refusal=refusal,
        model=replace_lone_surrogates(_text(body.get("model"))),
        usage=_usage(body.get("usage")),
        logprobs=_logprobs(choice.get("logprobs")),
        prompt_token_ids=_token_ids(body.get("prompt_token_ids")),
        completion_token_ids=_token_ids(choice.get("token_ids")),
    )
    return ClientResponse(reply, AssistantMessage(text, _original(said, calls)))


def restore_tool_names(response: ClientResponse, names: Mapping[str, str]) -> ClientResponse:
    """Returns a response in which tools have their own names.

    Args:
        names: the names of tools by the names that stood for them in the request.
    """
    reply = response.reply
    if not names or not isinstance(response.message.original, Mapping):
        return response
    calls = [replace(call, name=names.get(call.name, call.name)) for call in reply.calls]
    original = dict(response.message.original)
    if "tool_calls" in original:
        original["tool_calls"] = [
            {**sent, "function": {**sent["function"], "name": call.name}}
            for sent, call in zip(original["tool_calls"], calls, strict=True)
        ]
    return ClientResponse(replace(reply, calls=calls), AssistantMessage(response.message.text, original))


def _choice(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns the first choice of a response that contains no error."""
    if body.get("error"):
        raise UnusableResponseError(body)
    choices = body.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], Mapping):
        explained = any(body.get(name) for name in ("message", "detail", "msg", "code"))
        raise UnusableResponseError(body if explained else "the response contains no choices")
    choice: Mapping[str, Any] = choices[0]
    if choice.get("error"):
        raise UnusableResponseError(choice)
    return choice


def _content(content: object) -> tuple[str, str]:
    """Returns the text of a message's content, and the reasoning if the content is a list of parts."""
    if isinstance(content, Mapping):
        content = [content]
    if not isinstance(content, list):
        return replace_lone_surrogates(_text(content)), ""
    texts, thoughts = [], []
    for part in content:
        if isinstance(part, Mapping) and part.get("type") in ("thinking", "reasoning"):
            thoughts.append(_content(part.get("thinking") or part.get("reasoning") or part.get("text"))[0])
        elif isinstance(part, Mapping):
            texts.append(_text(part.get("text")))
        else:
            texts.append(_text(part))
    return replace_lone_surrogates("".join(texts)), "".join(thoughts)


def _refusal_parts(content: object) -> str:
    parts = content if isinstance(content, list) else []
    return "".join(_text(_member(part, "refusal")) for part in parts)


def _reasoning(said: Mapping[str, Any], thoughts: str) -> str | None:
    found = [
        replace_lone_surrogates(said[name]) for name in REASONING_FIELDS if isinstance(said.get(name), str)
    ]
    return thoughts or next(filter(None, found), None) or (found[0] if found else None)


def _calls(said: Mapping[str, Any]) -> Iterator[ModelToolCall]:
    calls = said.get("tool_calls")
    if not calls and isinstance(said.get("function_call"), Mapping):
        calls = [{"function": said["function_call"]}]
    if isinstance(calls, Mapping):
        calls = [calls]
    known: set[str] = set()
    for number, call in enumerate(calls if isinstance(calls, list) else (), start=1):
        if not isinstance(call, Mapping):
            continue
        function = call.get("function")
        function = function if isinstance(function, Mapping) else call
        arguments = parse_arguments(function.get("arguments"))
        yield ModelToolCall(
            id=_unused_id(replace_lone_surrogates(_text(call.get("id"))) or f"call{number:05}", known),
            name=replace_lone_surrogates(_text(function.get("name"))),
            raw=replace_lone_surrogates(arguments.raw),
            arguments=arguments.data,
            problem=arguments.problem,
            sent=None if arguments.sendable == arguments.raw else arguments.sendable,
        )


def _unused_id(wanted: str, known: set[str]) -> str:
    """Returns an id that no earlier call of the reply has: a result could not be assigned otherwise."""
    names = chain([wanted], (f"{wanted}_{number}" for number in count(2)))
    unused = next(name for name in names if name not in known)
    known.add(unused)
    return unused


def _original(said: Mapping[str, Any], calls: list[ModelToolCall]) -> dict[str, Any]:
    """Returns the message for later requests: as received, without members that requests do not have."""
    original: dict[str, Any] = {"role": "assistant"}
    if "content" in said:
        original["content"] = writable_data(said["content"])
    for name in REASONING_FIELDS:
        if said.get(name) is not None:
            original[name] = writable_data(said[name])
    if calls:
        raw_calls = said.get("tool_calls")
        received = raw_calls if isinstance(raw_calls, list) else []
        extras = [
            writable_data(call.get("extra_content")) for call in received if isinstance(call, Mapping)
        ]  # Gemini refuses later requests without the signature that it puts here.
        extras += [None] * (len(calls) - len(extras))
        original["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.raw if call.sent is None else call.sent},
            }
            | ({"extra_content": extra} if extra else {})
            for call, extra in zip(calls, extras, strict=True)
        ]
    elif original.get("content") is None and said.get("refusal"):
        original["content"] = replace_lone_surrogates(_text(said["refusal"]))
    elif original.get("content") is None:
        # A message with neither content nor calls is refused everywhere.
        original["content"] = ""
    return original


def _usage(usage: object) -> TokenUsage:
    if not isinstance(usage, Mapping):
        return TokenUsage()
    prompt = usage.get("prompt_tokens_details")
    completion = usage.get("completion_tokens_details")
    cached = prompt.get("cached_tokens") if isinstance(prompt, Mapping) else None
    if cached is None:
        cached = usage.get("prompt_cache_hit_tokens", usage.get("cached_tokens"))
    return TokenUsage(
        prompt_tokens=_count(usage.get("prompt_tokens")),
        completion_tokens=_count(usage.get("completion_tokens")),
        cached_tokens=_count(cached) or 0,
        reasoning_tokens=_count(completion.get("reasoning_tokens")) or None
        if isinstance(completion, Mapping)
        else None,
    )


def _count(value: object) -> int | None:
    if isinstance(value, str):
        value = int(value) if value.isdecimal() else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MAX_COUNT:
        return None
    return int(value)


def _logprobs(logprobs: object) -> list[float] | None:
    tokens = logprobs.get("content") if isinstance(logprobs, Mapping) else None
    if not isinstance(tokens, list):
        return None
    values = [value for token in tokens if isinstance(value := _member(token, "logprob"), int | float)]
    if not values or len(values) != len(tokens):
        return None
    return [value if _LOWEST_LOGPROB <= value <= 1 else _LOWEST_LOGPROB for value in values]


def _member(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, Mapping) else None


def _token_ids(ids: object) -> list[int] | None:
    return ids if isinstance(ids, list) and all(isinstance(each, int) for each in ids) else None


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
