"""Parses a source of which only the definitions are needed.

Most of the time of a syntax tree is spent on the bodies of functions, which the index of a set does not read.
They are left out of the tree, and only their syntax is checked. This takes three quarters of the time.
"""

import ast
import re
import symtable
import warnings

from codegym_mcp.source_parsing import check_text, parse_source

_FUNCTION = re.compile(
    r"^(?P<head>(?P<indent>\ *)def\ [^\n]*:)\n"
    r"(?P<body>(?:(?P=indent)\ [^\n]*\n|[\ \t]*(?:\#[^\n]*)?\n)+)",
    re.MULTILINE | re.VERBOSE,
)
"""A function whose parameters are on one line. Its body is what follows and is indented further."""
_QUOTES = ('"""', "'''")


def parse_outline(source: str, path: str) -> ast.Module:
    """Parses a source; in the tree, most functions have the body `...`.

    Errors of syntax are found in the bodies too. A source whose functions cannot be told apart by their lines
    is parsed as a whole.

    Args:
        source: the text, without a byte order mark.
        path: how error messages name the source.

    Raises:
        SourceError: as `parse_source`.
    """
    check_text(source, path)
    parts = _divide(source)
    if parts is not None:
        outline, bodies = parts
        with warnings.catch_warnings(action="ignore"):
            try:
                # The symbol table is made by the same parser, without a tree of Python objects.
                symtable.symtable(bodies, path, "exec")
                return ast.parse(outline)
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                # Whether this is an error of the source, and where, the whole source tells.
                pass
    return parse_source(source, path)


def _divide(source: str) -> tuple[str, str] | None:
    """Returns a source with the body `...` in its functions, and the bodies, each in a function of its own.

    If both are valid, the source is valid, unless a part begins or ends within a string. Only a part with an
    uneven number of triple quotes may do that.

    Returns:
        None if a part may begin or end within a string.
    """
    source += "\n"
    outline, bodies, position = [], [], 0
    for function in _FUNCTION.finditer(source):
        body = function["body"]
        before = source[position : function.end("head")]
        if _may_end_in_string(before) or _may_end_in_string(body):
            return None
        # The lines keep their numbers.
        outline += [before, " ...", "\n" * (1 + body.count("\n"))]
        bodies += ["def _():\n", body]
        position = function.end()
    rest = source[position:]
    if _may_end_in_string(rest):
        return None
    return "".join((*outline, rest)), "".join(bodies)


def _may_end_in_string(part: str) -> bool:
    return any(part.count(quotes) % 2 for quotes in _QUOTES)
