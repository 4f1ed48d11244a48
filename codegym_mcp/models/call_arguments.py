"""Reads the arguments of a tool call, which a model wrote as JSON text."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from pydantic_core import to_json

EMPTY_OBJECT = "{}"


@dataclass(frozen=True)
class CallArguments:
    """The arguments of a tool call, as text and as data.

    Attributes:
        raw: the text as the model wrote it.
        data: the arguments, or None if the text is not a JSON object that every JSON parser accepts.
        problem: why `data` is None; empty otherwise.
    """

    raw: str
    data: dict[str, Any] | None
    problem: str = ""

    @property
    def sendable(self) -> str:
        """The text to send back to the provider: as it was written, or an empty object if it is malformed.

        Servers parse the arguments in the history of every later request, and refuse all of them because of
        one malformed text.
        """
        return self.raw if self.data is not None and self.raw.strip() else EMPTY_OBJECT


def parse_arguments(written: object) -> CallArguments:
    """Parses the arguments of a call.

    Args:
        written: a text, or a mapping as several servers send it. An empty text and None are an empty object:
            several servers write a call without arguments in this way.
    """
    if isinstance(written, str):
        return _parse_text(written)
    if written is None:
        return CallArguments("", {})
    try:
        raw = json.dumps(written, ensure_ascii=False, separators=(",", ":"))
    except (ValueError, RecursionError) as error:
        return CallArguments(repr(written), None, str(error))
    return _parse_text(raw)


def _parse_text(raw: str) -> CallArguments:
    if not raw.strip():
        return CallArguments(raw, {})
    try:
        data = json.loads(raw, parse_constant=_refuse_constant, parse_float=_parse_finite)
        to_json(data)  # Refuses lone surrogates, which no UTF-8 text can hold, and nesting without bound.
    except (ValueError, RecursionError) as error:
        return CallArguments(raw, None, _one_line(error))
    if not isinstance(data, dict):
        return CallArguments(raw, None, f"the text is a JSON {_json_type(data)}")
    return CallArguments(raw, data)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _parse_finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text} is too large")
    return number


def _json_type(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case str():
            return "string"
        case int() | float():
            return "number"
        case Mapping():
            return "object"
    return "array"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
