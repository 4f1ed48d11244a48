"""Reads the JSON Schemas of tools. Over MCP nothing else is known of a tool."""

import json
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from jsonschema.validators import extend  # type: ignore[import-untyped]

from codegym_mcp.episode_interface import ToolView

Schema = dict[str, Any]


def answer_parameter(submission: ToolView) -> str:
    """Returns the name of the argument of a submission."""
    return str(next(iter(submission.input_schema["properties"])))


def answer_schema(submission: ToolView) -> Schema:
    """Returns the JSON Schema of the answer."""
    schema: Schema = submission.input_schema["properties"][answer_parameter(submission)]
    return schema


def needs_no_argument(tool: ToolView) -> bool:
    """Checks whether a tool can be called without arguments."""
    return not tool.input_schema.get("required")


def is_valid(schema: Schema, value: Any) -> bool:
    """Checks whether a value fits a schema. 10.0 is not an integer, as in the server."""
    return bool(_StrictValidator(schema).is_valid(value))


_StrictValidator = extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int),
)


def values_in(value: Any) -> Iterator[Any]:
    """Returns every value in plain data, each before its parts: the data itself, items, keys, members.

    A text that is JSON is parsed as well, since some environments return all their results as text.
    """
    yield value
    if isinstance(value, str):
        try:
            parsed = json.loads(value)
        except (ValueError, RecursionError):
            return
        if not isinstance(parsed, str):
            yield from values_in(parsed)
    elif isinstance(value, list):
        for item in value:
            yield from values_in(item)
    elif isinstance(value, dict):
        for key, member in value.items():
            yield key
            yield from values_in(member)
