"""Reads the JSON Schemas of tools, which are all that is known of a tool over MCP."""

import json
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from jsonschema.validators import extend  # type: ignore[import-untyped]

from codegym_mcp.episode_interface import ToolView

Schema = dict[str, Any]


def answer_parameter(submission: ToolView) -> str:
    """The name of the one argument that a submission takes."""
    return str(next(iter(submission.input_schema["properties"])))


def answer_schema(submission: ToolView) -> Schema:
    """The JSON Schema of the answer, complete in itself."""
    schema: Schema = submission.input_schema["properties"][answer_parameter(submission)]
    return schema


def needs_no_argument(tool: ToolView) -> bool:
    """Whether a tool can be called with no argument at all."""
    return not tool.input_schema.get("required")


def is_valid(schema: Schema, value: Any) -> bool:
    """Whether a value fits a schema. 10.0 is no integer, as it is none for the server."""
    return bool(_StrictValidator(schema).is_valid(value))


_StrictValidator = extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int),
)


def values_in(value: Any) -> Iterator[Any]:
    """Every value that plain data shows, each before its parts: the data itself, items, keys, members.

    Text that is JSON shows what it says as well: some environments return all their results as text.
    """
    yield value
    if isinstance(value, str):
        try:
            said = json.loads(value)
        except (ValueError, RecursionError):
            return
        if not isinstance(said, str):
            yield from values_in(said)
    elif isinstance(value, list):
        for item in value:
            yield from values_in(item)
    elif isinstance(value, dict):
        for key, member in value.items():
            yield key
            yield from values_in(member)
