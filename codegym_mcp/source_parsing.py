"""Parses Python source text without running it, and reports every defect as a `SourceError`."""

import ast
import threading
import warnings

from codegym_mcp.errors import SourceError
from codegym_mcp.unicode_text import is_encodable, lone_surrogate

PARSER_LOCK = threading.RLock()
"""Held while sources are parsed and compiled. In CPython before 3.13, threads that parse at the same time
disturb each other: the parser's recursion depth is kept for the whole process (python/cpython#106905)."""

MAX_SOURCE = 100_000
"""Maximum length of a source in characters; parsing and compiling happen in the server and must be quick."""

NESTED_TOO_DEEPLY = "nested too deeply to be read"
_SPLIT_HINT = "Split the expression into several statements."


def parse_source(source: str, path: str, *, longest: int = MAX_SOURCE) -> ast.Module:
    """Parses a source text.

    Args:
        source: the text; a byte order mark at its beginning is ignored.
        path: how error messages name the source.
        longest: greatest allowed length in characters.

    Raises:
        SourceError: the text is not Python, is too long, or is nested too deeply; the error names the line.
    """
    check_text(source, path, longest=longest)
    try:
        return _parse(source)
    except SyntaxError as error:
        raise SourceError(path, error.lineno, f"not valid Python: {error.msg}") from None
    except (RecursionError, MemoryError):
        raise SourceError(path, _first_deep_line(source), NESTED_TOO_DEEPLY, hint=_SPLIT_HINT) from None
    except ValueError as error:
        raise SourceError(path, None, f"not valid Python: {error}") from None


def check_text(source: str, path: str, *, longest: int = MAX_SOURCE) -> None:
    """Checks the length and the characters of a source text.

    Raises:
        SourceError: the text is too long, or contains a character that no source can contain.
    """
    if len(source) > longest:
        line = line_at(source, longest)
        problem = f"the source is {len(source):,} characters long; at most {longest:,} are allowed"
        raise SourceError(path, line, problem, hint="Move data into the tasks.")
    null = source.find("\0")
    if null >= 0:
        raise SourceError(
            path, line_at(source, null), "the text contains a null character", hint="Remove it."
        )
    surrogate = lone_surrogate(source)
    if surrogate is not None:
        raise SourceError(
            path,
            line_at(source, surrogate),
            "the text contains half of a surrogate pair",
            hint="Write the whole character.",
        )


def check_strings(tree: ast.Module, source: str, path: str) -> None:
    """Checks that UTF-8 and JSON can represent the strings of a module, which schemas and task texts contain.

    Args:
        tree: the syntax tree of `source`.
        source: the text of the module, which itself can be represented.
        path: how error messages name the source.

    Raises:
        SourceError: an escape in a string is half of a surrogate pair.
    """
    if "\\u" not in source and "\\U" not in source:
        # Only these escapes can write half of a pair.
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and not is_encodable(node.value):
            raise SourceError(
                path,
                node.lineno,
                "the string contains half of a surrogate pair",
                hint="Write the whole character.",
            )


def nesting_error(tree: ast.Module, path: str) -> SourceError:
    """Builds the error for a syntax tree that is too deep to be processed."""
    return SourceError(path, _deepest_line(tree), NESTED_TOO_DEEPLY, hint=_SPLIT_HINT)


def is_main_block(node: ast.stmt) -> bool:
    """Checks whether a statement is an `if __name__ == "__main__":` block without an `else`."""
    match node:
        case ast.If(
            test=ast.Compare(
                left=ast.Name(id="__name__"), ops=[ast.Eq()], comparators=[ast.Constant(value="__main__")]
            ),
            orelse=[],
        ):
            return True
    return False


def line_at(text: str, position: int) -> int:
    """Returns the one-based number of the line that holds the character at a position."""
    before = text[:position].replace("\r\n", "\n").replace("\r", "\n")
    return before.count("\n") + 1


def _parse(source: str) -> ast.Module:
    with warnings.catch_warnings(action="ignore"):
        return ast.parse(source.removeprefix("\ufeff"))


def _first_deep_line(source: str) -> int:
    """Returns the first line with which the text becomes too deep for the parser."""
    lines = source.splitlines(keepends=True)
    low, high = 1, len(lines)
    while low < high:
        middle = (low + high) // 2
        try:
            _parse("".join(lines[:middle]))
            low = middle + 1
        except (SyntaxError, ValueError):
            # A prefix may end within a statement.
            low = middle + 1
        except (RecursionError, MemoryError):
            high = middle
    return line_at(source, len("".join(lines[: low - 1])))


def _deepest_line(tree: ast.Module) -> int | None:
    deepest, line = 0, None
    pending: list[tuple[ast.AST, int, int | None]] = [(tree, 0, None)]
    while pending:
        node, depth, above = pending.pop()
        here = getattr(node, "lineno", above)
        if depth > deepest:
            deepest, line = depth, here
        pending += [(child, depth + 1, here) for child in ast.iter_child_nodes(node)]
    return line
