"""Reads JSON values that a model wrote as text, also in code fences or as Python literals."""

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

FENCE = r"```(?:json|python|tool_code|tool_call)?[ \t]*\n?"
_FENCE = re.compile(rf"\s*{FENCE}", re.IGNORECASE)
_SEPARATORS = "; \n\t\r,"
_SEPARATOR = re.compile(r"[;\s,]*")
_DECODER = json.JSONDecoder(strict=False)
"""Accepts line breaks in strings, which small models do not escape."""
_JSON_NAMES = {"true": True, "false": False, "null": None}
_LITERAL_ERRORS = (ValueError, TypeError, SyntaxError, RecursionError, MemoryError)


def strip_fence(text: str) -> str:
    """Returns a text without the code fence around it."""
    opening = _FENCE.match(text)
    if opening is None:
        return text.strip()
    return text[opening.end() :].rpartition("```")[0].strip() or text[opening.end() :].strip()


def read_value(text: str) -> tuple[Any, int]:
    """Reads the value at the beginning of a text.

    Returns:
        The value, and where it ends.

    Raises:
        ValueError: the text begins with no JSON value, and as a whole is no Python literal.
    """
    try:
        return _DECODER.raw_decode(text)
    except (ValueError, RecursionError) as error:
        try:
            return python_literal(ast.parse(text.strip(), mode="eval").body), len(text)
        except _LITERAL_ERRORS:
            raise ValueError(" ".join(str(error).split())) from error


def read_values(text: str) -> Iterator[tuple[Any, str]]:
    """Reads the values that follow each other, separated by `;`, commas or spaces, with the text of each.

    The first text that is no value ends them.

    Raises:
        ValueError: the text begins with no value.
    """
    rest, first = strip_fence(text), True
    while first or rest[:1] in ("{", "["):
        try:
            value, end = read_value(rest)
        except ValueError:
            if first:
                raise
            return
        yield value, rest[:end]
        rest, first = rest[end:].lstrip(_SEPARATORS), False


def values_end(text: str, start: int) -> int:
    """Returns where the JSON values that follow each other from a position end; `start` if there is none.

    Marks of a format that occur within strings are thereby not taken for marks.
    """
    opening = _FENCE.match(text, start)
    position, end = opening.end() if opening is not None else start, start
    while True:
        separator = _SEPARATOR.match(text, position)
        position = separator.end() if separator is not None else position
        if text[position : position + 1] not in ("{", "["):
            return end
        try:
            position = end = _DECODER.raw_decode(text, position)[1]
        except (ValueError, RecursionError):
            return end


def python_literal(node: ast.expr) -> Any:
    """Returns the value of a Python literal, in which `true`, `false` and `null` may occur.

    Raises:
        ValueError, TypeError, RecursionError: the expression is not a literal.
    """
    return ast.literal_eval(_JsonNames().visit(node))


class _JsonNames(ast.NodeTransformer):
    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id not in _JSON_NAMES:
            return node
        return ast.copy_location(ast.Constant(_JSON_NAMES[node.id]), node)
