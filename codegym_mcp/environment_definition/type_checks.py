"""Checks data against declared types, and explains to an agent what does not fit."""

import json
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, from_json

from codegym_mcp.environment_definition.json_types import encode_json
from codegym_mcp.errors import InvalidArgumentsError
from codegym_mcp.validation_messages import fault_message

_MESSAGES_SHOWN = 5
_EXPECTED = "Input should be "


def check_data(adapter: TypeAdapter[Any], data: Any, what: str, member: str) -> None:
    """Checks data against a type, without any conversion.

    Args:
        adapter: the type.
        data: plain data.
        what: how messages name the data, for example "arguments for look".
        member: how messages name a member of the data, for example "parameter".

    Raises:
        InvalidArgumentsError: the data is not valid; the message says where and why.
    """
    try:
        adapter.validate_json(encode_json(data))
    except ValidationError as error:
        raise InvalidArgumentsError(f"Invalid {what}: {_explain(error, data, member)}.") from None
    except ValueError as error:
        raise InvalidArgumentsError(f"Invalid {what}: this is not JSON data: {error}.") from None


def _explain(error: ValidationError, data: Any, member: str) -> str:
    """Describes the faults by their place. For a union, one sentence names everything it accepts."""
    faults: dict[tuple[str, ...], list[ErrorDetails]] = {}
    for detail in error.errors(include_url=False):
        faults.setdefault(_place(detail, data), []).append(detail)
    sentences = [_explain_place(place, details, member) for place, details in faults.items()]
    more = [f"and {len(sentences) - _MESSAGES_SHOWN} more"] if len(sentences) > _MESSAGES_SHOWN else []
    return "; ".join(sentences[:_MESSAGES_SHOWN] + more)


def _place(detail: ErrorDetails, data: Any) -> tuple[str, ...]:
    """Returns the path to a fault, without the branches of unions that pydantic includes."""
    path = []
    for part in detail["loc"]:
        inside: Any = dict(enumerate(data)) if isinstance(data, list | tuple) else data
        if isinstance(inside, dict) and part in inside:
            data = inside[part]
            path.append(str(part))
    if detail["type"] == "missing":
        path.append(str(detail["loc"][-1]))
    return tuple(path)


def _explain_place(place: tuple[str, ...], details: list[ErrorDetails], member: str) -> str:
    where = ".".join(place) or "it"
    match details[0]["type"]:
        case "missing":
            return f"{where} is required"
        case "extra_forbidden":
            return f"{where} is not a {member if len(place) == 1 else 'field'}"
        case "json_invalid":
            return details[0]["msg"]
    messages = [fault_message(detail) for detail in details]
    expected = [text.removeprefix(_EXPECTED) for text in messages if text.startswith(_EXPECTED)]
    if not expected:
        return f"{where}: {messages[0]}"
    value = details[0]["input"]
    return (
        f"{where} should be {' or '.join(expected)}, not {_shorten(value)}{_encoding_hint(expected, value)}"
    )


def _encoding_hint(expected: list[str], value: Any) -> str:
    """Returns how to send a value that was sent as text instead of its own type, or the other way round."""
    wants_text = any("string" in each for each in expected)
    wants_integer = any("integer" in each for each in expected)
    if wants_text and isinstance(value, int | float):
        return f" (send it as a text, in quotes: {_shorten(_shorten(value))})"
    if wants_integer and isinstance(value, float) and value.is_integer():
        return f" (send it without a fraction: {int(value)})"
    if wants_text or not isinstance(value, str):
        return ""
    try:
        inner = from_json(value, allow_inf_nan=False)
    except ValueError:
        return ""
    if wants_integer and isinstance(inner, float) and inner.is_integer():
        inner = int(inner)
    return "" if isinstance(inner, str) else f" (send the value itself, without quotes: {_shorten(inner)})"


def _shorten(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "…"
