"""Converts the options of a task in the CodeGym format, the text after the `@`, into a configuration.

Options are a Python literal, JSON, or a mixture of the two. They may contain values that JSON cannot
represent (tuples, sets, numbers as keys). A configuration therefore contains them as the text of a Python
literal in a canonical form: equal options have equal text.
"""

import ast
import hashlib
import json
import math
import warnings
from typing import Any

from codegym_mcp.environment_definition.environment import Task

PREFIX_END = "@"
_JSON_CONSTANTS: dict[str, Any] = {"true": True, "false": False, "null": None, "Infinity": math.inf}


def parse_options(text: str) -> dict[Any, Any]:
    """Parses options: JSON, or else a Python literal that may contain the constants of JSON.

    Raises:
        ValueError: the text is neither, or is not a dict.
    """
    try:
        options = json.loads(text)
    except (ValueError, RecursionError):
        options = _parse_literal(text)
    if not isinstance(options, dict):
        raise ValueError("the options are not a dict")
    return options


def _parse_literal(text: str) -> Any:
    try:
        with warnings.catch_warnings():
            # Invalid escapes like "\d" are only warnings.
            warnings.simplefilter("ignore")
            tree = ast.parse(text.strip(), mode="eval")
        return ast.literal_eval(_JsonConstants().visit(tree))
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        raise ValueError("the options are neither a Python literal nor JSON") from None


class _JsonConstants(ast.NodeTransformer):
    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id not in _JSON_CONSTANTS:
            return node
        return ast.copy_location(ast.Constant(_JSON_CONSTANTS[node.id]), node)


def write_options(value: Any) -> str:
    """Returns options, or a part of them, as a Python literal; equal values give equal text.

    Raises:
        ValueError: a part has no literal, for example NaN.
    """
    match value:
        case dict():
            return "{" + ", ".join(f"{write_options(k)}: {write_options(v)}" for k, v in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(write_options, value)) + "]"
        case tuple():
            return "(" + ", ".join(map(write_options, value)) + ("," if len(value) == 1 else "") + ")"
        case set():
            return "{" + ", ".join(sorted(map(write_options, value))) + "}" if value else "set()"
        case float() if math.isnan(value):
            raise ValueError("NaN has no literal")
        case float() if math.isinf(value):
            # The shortest literal that evaluates to infinity.
            return "1e999" if value > 0 else "-1e999"
    return repr(value)


def options_task(
    options: dict[Any, Any], *, text: str | None = None, oracle_calls: int | None = None
) -> Task:
    """Creates the task with these options. Its id is a digest of the options, independent of other tasks.

    Raises:
        ValueError: the options have no literal.
    """
    written = write_options(options)
    digest = hashlib.sha256(written.encode()).hexdigest()[:8]
    return Task(id=f"t{digest}", config={"options": written}, text=text, oracle_calls=oracle_calls)
