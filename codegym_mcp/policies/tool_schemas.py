"""Reads the JSON Schemas of tools. Over MCP nothing else is known of a tool."""

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from jsonschema.validators import extend  # type: ignore[import-untyped]

from codegym_mcp.episode_protocol import ToolView

Schema = dict[str, Any]


def takes_answer(submission: ToolView) -> bool:
    """Checks whether a submission takes an answer; without one, the final state alone is scored."""
    return bool(submission.input_schema["properties"])


def submission_arguments(submission: ToolView, answer: Any) -> dict[str, Any]:
    """Returns the arguments of the submission of an answer, which is ignored if none is taken."""
    return dict.fromkeys(islice(submission.input_schema["properties"], 1), answer)


def answer_schema(submission: ToolView) -> Schema:
    """Returns the JSON Schema of the answer; that of null if none is taken."""
    schemas: dict[str, Schema] = submission.input_schema["properties"]
    return next(iter(schemas.values()), {"type": "null"})


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
