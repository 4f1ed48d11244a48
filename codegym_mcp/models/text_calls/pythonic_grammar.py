"""The grammar of tool calls that a model wrote as Python expressions."""

import ast
import re
from collections.abc import Iterator, Sequence
from itertools import islice

from codegym_mcp.episode_protocol import ToolView
from codegym_mcp.models.call_arguments import CallArguments, parse_arguments
from codegym_mcp.models.text_calls.call_parts import Written
from codegym_mcp.models.text_calls.written_values import python_literal, strip_fence

_MARK = r"<\|tool_call_start\|>|<\|python_(?:start|tag)\|>|<function_calls>|```tool_code\s"
_END = re.compile(r"<\|tool_call_end\|>|<\|python_end\|>|</function_calls>|```|\Z")
_LIST_END = re.compile(r"\](?=\s*$)", re.MULTILINE)
_FENCE_START = r"```(?:python)?\s*"
_SYNTAX_ERRORS = (SyntaxError, ValueError, RecursionError, MemoryError)
_MAX_ENDS = 100
"""Number of marks that are tried as the end of the calls: some may be within strings."""


class PythonCalls:
    """Calls in a list, a tuple, or one after the other, behind a mark or on lines of their own."""

    start = re.compile(
        rf"(?P<mark>{_MARK})|^(?:{_FENCE_START})?(?=\[\s*[\w.-]+\()|^(?:{_FENCE_START})?(?=[^\W\d][\w.]*\()",
        re.MULTILINE,
    )

    def read(
        self, text: str, start: re.Match[str], tools: Sequence[ToolView], *, is_first: bool
    ) -> tuple[list[Written], int]:
        names = {tool.name for tool in tools}
        marked = start["mark"] is not None
        if marked:
            until, end = _marked_end(text, start.end())
        elif text.startswith("[", start.end()):
            until = end = _list_end(text, start.end())
        elif is_first:
            until = end = len(text)
        else:
            return [], start.end() + 1
        source = strip_fence(text[start.start() if not marked else start.end() : until])
        if (
            not marked
            and not source.startswith("[")
            and not source.startswith(tuple(f"{name}(" for name in names))
        ):
            return [], start.end() + 1
        return list(_read_python(source, names, marked=marked)), max(end, start.end() + 1)


def _marked_end(text: str, begin: int) -> tuple[int, int]:
    """Returns where the calls behind a mark end, and where the mark behind them does."""
    ends = list(islice(_END.finditer(text, begin), _MAX_ENDS))
    found = next((end for end in ends if _is_python(strip_fence(text[begin : end.start()]))), ends[0])
    return found.start(), found.end()


def _list_end(text: str, begin: int) -> int:
    """Returns where the list at a position ends, or the end of the text if it is not Python."""
    ends = islice(_LIST_END.finditer(text, begin), _MAX_ENDS)
    return next((end.end() for end in ends if _is_python(text[begin : end.end()])), len(text))


def _is_python(source: str) -> bool:
    try:
        ast.parse(source)
    except _SYNTAX_ERRORS:
        return False
    return True


def _read_python(source: str, names: set[str], *, marked: bool) -> Iterator[Written]:
    """Returns the calls in Python source.

    Args:
        names: the names of the tools that were offered.
        marked: whether special tokens mark the text as calls, so that an unreadable one is malformed.
    """
    try:
        statements = ast.parse(source).body
    except _SYNTAX_ERRORS as error:
        name = re.match(r"\[?\s*([\w.]+)\(", source)
        if name is not None and (marked or name[1] in names):
            yield name[1], CallArguments(source, None, f"the call is not a Python expression: {error}")
        return
    for statement in statements:
        value = statement.value if isinstance(statement, ast.Expr | ast.Assign) else None
        for node in value.elts if isinstance(value, ast.List | ast.Tuple) else [value]:
            call = _printed(node, names)
            if isinstance(call, ast.Call):
                yield ast.unparse(call.func), _read_keywords(call, source)


def _printed(node: ast.expr | None, names: set[str]) -> ast.expr | None:
    """Returns the call in `print(call)`, as Gemma writes it; None if something else is printed."""
    match node:
        case ast.Call(func=ast.Name(id="print"), args=arguments) if "print" not in names:
            return next((each for each in arguments if isinstance(each, ast.Call)), None)
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
