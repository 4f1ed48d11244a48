"""Reads tool calls that a model wrote as Python expressions."""

import ast
import re
from collections.abc import Iterator

from codegym_mcp.models.call_arguments import CallArguments, parse_arguments
from codegym_mcp.models.written_calls import Written
from codegym_mcp.models.written_values import python_literal


def read_python(source: str, names: set[str], *, marked: bool) -> Iterator[Written]:
    """Returns the calls in a list, a tuple, or one after the other.

    Args:
        source: the text of the calls.
        names: the names of the tools that were offered.
        marked: whether special tokens mark the text as calls, so that an unreadable one is malformed.
    """
    try:
        statements = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        name = re.match(r"\[?\s*([\w.]+)\(", source)
        if name is not None and (marked or name[1] in names):
            yield name[1], CallArguments(source, None, f"the call is not a Python expression: {error}")
        return
    for statement in statements:
        value = statement.value if isinstance(statement, ast.Expr) else None
        for node in value.elts if isinstance(value, ast.List | ast.Tuple) else [value]:
            call = _printed(node, names)
            if isinstance(call, ast.Call):
                yield ast.unparse(call.func), _read_keywords(call, source)


def _printed(node: ast.expr | None, names: set[str]) -> ast.expr | None:
    """Returns the call in `print(call)`, as Gemma writes it."""
    match node:
        case ast.Call(func=ast.Name(id="print"), args=[ast.Call() as call]) if "print" not in names:
            return call
    return node


def _read_keywords(node: ast.Call, source: str) -> CallArguments:
    raw = ast.get_source_segment(source, node) or source
    keywords = [keyword.arg for keyword in node.keywords]
    if node.args or None in keywords:
        return CallArguments(raw, None, "arguments without names")
    if len(set(keywords)) < len(keywords):
        return CallArguments(raw, None, "an argument occurs twice")
    try:
        values = {keyword.arg: python_literal(keyword.value) for keyword in node.keywords}
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError) as error:
        return CallArguments(raw, None, f"an argument is not a literal: {error}")
    parsed = parse_arguments(values)
    return CallArguments(raw, parsed.data, parsed.problem)
