"""Builds values at the limits of what a JSON Schema allows: very large, very long, empty and unusual ones."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from codegym_mcp.environment_definition.tools import Tool
from codegym_mcp.errors import InvalidArgumentsError

Schema = Mapping[str, Any]

LENGTH = 10_000
"""Length of long strings and lists, in characters and items."""

_INTEGERS = (0, -1, 1 << 31, -(1 << 31), 1 << 63, 10**30)
_NUMBERS = (0.0, -1.0, 1e-300, 1e300, -1e300)
_STRINGS = ("", " ", "a" * LENGTH, "\u0000é💥\n")
_ANYTHING: tuple[Any, ...] = (None, 0, "a", [], {}, [[[[]]]])
_ALTERNATIVES = 4
_DEEPEST = 3


def extreme_arguments(tool: Tool, usual: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yields arguments of a tool in which one value is extreme and the others are usual.

    Args:
        usual: valid arguments of the tool.
    """
    schema = tool.input_schema
    for name, member in schema["properties"].items():
        for value in extreme_values(member):
            with suppress(InvalidArgumentsError):
                arguments = {**usual, name: value}
                tool.validate_arguments(arguments)
                yield arguments


def extreme_values(schema: Schema) -> Iterator[Any]:
    """Yields extreme values that fit a schema.

    Args:
        schema: a schema made from annotations.
    """
    yield from _extreme(schema, 0)


def _extreme(schema: Schema, depth: int) -> Iterator[Any]:
    if "const" in schema:
        yield schema["const"]
    elif "enum" in schema:
        yield from schema["enum"][:_ALTERNATIVES]
    elif "anyOf" in schema:
        for choice in schema["anyOf"]:
            yield from _extreme(choice, depth)
    else:
        match schema.get("type"):
            case "integer":
                yield from _INTEGERS
            case "number":
                yield from _NUMBERS
            case "string":
                yield from _STRINGS
            case "boolean":
                yield from (False, True)
            case "null":
                yield None
            case "array":
                yield from _arrays(schema, depth)
            case "object":
                yield from _objects(schema, depth)
            case _:
                yield from _ANYTHING


def _arrays(schema: Schema, depth: int) -> Iterator[list[Any]]:
    if "prefixItems" in schema:
        usual = [_usual(item, depth + 1) for item in schema["prefixItems"]]
        for place, item in enumerate(schema["prefixItems"]):
            for value in _inner(item, depth):
                yield [*usual[:place], value, *usual[place + 1 :]]
        return
    item = schema.get("items", {})
    yield []
    for value in _inner(item, depth):
        yield [value]
    if depth == 0 and not schema.get("uniqueItems"):
        yield [_usual(item, depth + 1)] * LENGTH


def _objects(schema: Schema, depth: int) -> Iterator[dict[str, Any]]:
    properties = schema.get("properties", {})
    usual = {name: _usual(member, depth + 1) for name, member in properties.items()}
    for name, member in properties.items():
        for value in _inner(member, depth):
            yield {**usual, name: value}
    others = schema.get("additionalProperties", not properties)
    if others is not False:
        yield usual
        value = _usual(others if isinstance(others, Mapping) else {}, depth + 1)
        yield {**usual, **{f"key{number}": value for number in range(LENGTH // 10)}}


def _inner(schema: Schema, depth: int) -> Iterator[Any]:
    """Yields extreme values of a part; at the depth limit one usual value, so that nested types end."""
    if depth >= _DEEPEST:
        yield _usual(schema, depth)
    else:
        yield from _extreme(schema, depth + 1)


def _usual(schema: Schema, depth: int) -> Any:
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        # The last alternative is null if there is one.
        return _usual(schema["anyOf"][-1 if depth >= _DEEPEST else 0], depth + 1)
    match schema.get("type"):
        case "integer":
            return 1
        case "number":
            return 1.5
        case "string":
            return "a"
        case "boolean":
            return True
        case "array":
            return [_usual(item, depth + 1) for item in schema.get("prefixItems", ())]
        case "object":
            return {
                name: _usual(schema["properties"][name], depth + 1) for name in schema.get("required", ())
            }
    return None
