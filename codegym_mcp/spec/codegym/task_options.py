"""The options of a task in the CodeGym format, from the text after the `@` to a task's configuration.

Options are a Python literal or JSON, and people mix the two. They may hold what plain JSON cannot carry
(tuples, sets, numbers as keys), so a task carries them as the text of a Python literal, written in one fixed
way. Nothing is changed on the way into the sandbox, and equal options have equal text.
"""

import ast
import hashlib
import json
import math
import warnings
from typing import Any

from codegym_mcp.spec.environment import Task

PREFIX_END = "@"
_JSON_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None, "Infinity": math.inf}


def parse_options(text: str) -> dict[Any, Any]:
    """Reads options.

    A text that is valid JSON means what JSON says; any other is read as a Python literal in which JSON's
    words may stand.

    Raises:
        ValueError: the text is neither, or is no dict.
    """
    try:
        options = json.loads(text)
    except (ValueError, RecursionError):
        options = _parse_literal(text)
    if not isinstance(options, dict):
        raise ValueError("options are a dict")
    return options


def _parse_literal(text: str) -> Any:
    try:
        with warnings.catch_warnings():
            # "\d" in somebody's string is a matter of taste here.
            warnings.simplefilter("ignore")
            tree = ast.parse(text.strip(), mode="eval")
        return ast.literal_eval(_JsonWords().visit(tree))
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        raise ValueError("neither a Python literal nor JSON") from None


class _JsonWords(ast.NodeTransformer):
    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id not in _JSON_WORDS:
            return node
        return ast.copy_location(ast.Constant(_JSON_WORDS[node.id]), node)


def write_options(value: Any) -> str:
    """Writes options, or a part of them, as a Python literal: the same text for the same value, everywhere.

    Raises:
        ValueError: a part has no literal, such as "not a number".
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
            # The shortest literal that overflows.
            return "1e999" if value > 0 else "-1e999"
    return repr(value)


def options_task(
    options: dict[Any, Any], *, text: str | None = None, oracle_calls: int | None = None
) -> Task:
    """The task with these options. Its id is a digest of them, so it stays when others come or go.

    Raises:
        ValueError: the options have no literal.
    """
    written = write_options(options)
    digest = hashlib.sha256(written.encode()).hexdigest()[:8]
    return Task(id=f"t{digest}", config={"options": written}, text=text, oracle_calls=oracle_calls)
