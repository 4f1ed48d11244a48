"""Reads the parts of tool calls that a model wrote as text: objects, arguments, and values without quotes."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from codegym_mcp.episode_protocol import ToolView
from codegym_mcp.models.call_arguments import CallArguments, parse_arguments
from codegym_mcp.models.text_calls.written_values import read_value, read_values, strip_fence

Written = tuple[str, CallArguments]
"""The name and the arguments of a call."""

CUT_OFF = "the call is cut off"
_NAMES = ("name", "tool_name", "function")
_ARGUMENTS = ("arguments", "parameters")


def read_calls(written: str) -> Iterator[Written]:
    """Reads calls that are JSON objects, in a list or one after the other.

    A call is `{"name": …, "arguments" or "parameters": …}`, or `{NAME: {…}}`.
    """
    try:
        for value, text in read_values(written):
            for call in value if isinstance(value, list) else [value]:
                yield _read_mapping(call, text)
    except ValueError as error:
        name = re.search(r"""["'](?:tool_)?name["']\s*:\s*["']([^"'\\]*)["']""", written)
        yield name[1] if name else "", CallArguments(written, None, str(error))


def _read_mapping(call: Any, written: str) -> Written:
    if not isinstance(call, dict):
        return "", CallArguments(written, None, "the call has no name")
    if isinstance(call.get("function"), dict):
        call = call["function"]
    match list(call.items()):
        case [(str() as only, dict() as arguments)] if only not in _ARGUMENTS:
            return only, parse_arguments(arguments)
    name = next((call[key] for key in _NAMES if isinstance(call.get(key), str)), None)
    if name is None:
        return "", CallArguments(written, None, "the call has no name")
    return name, parse_arguments(call.get("arguments", call.get("parameters")))


def read_arguments(written: str) -> CallArguments:
    """Reads the arguments of a call that are followed by nothing, or by special tokens."""
    written = strip_fence(written)
    if not written:
        return parse_arguments(None)
    try:
        value, end = read_value(written)
    except ValueError as error:
        return CallArguments(written, None, str(error))
    parsed = parse_arguments(written[:end])
    return parsed if parsed.data is not None or not isinstance(value, dict) else parse_arguments(value)


def read_unquoted_values(
    name: str, pairs: Iterable[tuple[str, str, bool]], tools: Sequence[ToolView]
) -> CallArguments:
    """Reads values that are written without quotes, by the types in the tool's schema.

    Args:
        pairs: each value's name, its text, and whether the text says that the value is a string.
    """
    schema = next((tool.input_schema for tool in tools if tool.name == name), {})
    properties = schema.get("properties", {})
    values: dict[str, Any] = {}
    for key, text, is_string in pairs:
        if key in values:
            return CallArguments(text, None, f"the argument {key} occurs twice")
        values[key] = text if is_string else read_unquoted_value(text, properties.get(key, {}))
    return parse_arguments(values)


def read_unquoted_value(text: str, schema: Any) -> Any:
    """Reads a value that is written without quotes: as JSON, unless its schema says that it is a string."""
    types = _types(schema)
    if types == {"string"}:
        return text
    stripped = text.strip()
    try:
        value, end = read_value(stripped)
    except ValueError:
        return text
    if end < len(stripped):
        return text
    return text if "string" in types and not _permits(types, value) else value


def _permits(types: set[str], value: Any) -> bool:
    match value:
        case None:
            return "null" in types
        case bool():
            return "boolean" in types
        case int() | float():
            return bool(types & {"integer", "number"})
        case list():
            return "array" in types
        case dict():
            return "object" in types
    return False


def _types(schema: Any) -> set[str]:
    """Returns the names of the JSON types that a schema permits, as far as it names them."""
    if not isinstance(schema, dict):
        return set()
    named = schema.get("type")
    types = {named} if isinstance(named, str) else set(named) if isinstance(named, list) else set()
    return types.union(*(_types(each) for key in ("anyOf", "oneOf") for each in schema.get(key) or ()))
