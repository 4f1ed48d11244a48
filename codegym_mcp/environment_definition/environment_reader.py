"""Reads environments from files and source texts in either dialect; nothing of them is executed."""

import ast
from pathlib import Path

from codegym_mcp.environment_definition.codegym_format.class_reader import read_codegym
from codegym_mcp.environment_definition.codegym_format.format_recognition import is_codegym
from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.environment_definition.native_class_reader import read_native
from codegym_mcp.errors import SourceError
from codegym_mcp.sandbox.language.environment_dialects import Dialect
from codegym_mcp.source_parsing import MAX_SOURCE, PARSER_LOCK, line_at, parse_source
from codegym_mcp.storage.regular_files import read_regular_file

_MAX_BYTES = 4 * MAX_SOURCE + 4
"""Maximum size of a source file: UTF-8 uses at most four bytes a character."""


def read_environment(path: Path) -> Environment:
    """Reads a file of the native dialect; the environment has the name of the file.

    Raises:
        SourceError: the file cannot be read, or breaks the contract; the error names the line and says how to
            correct it.
    """
    return read_environment_source(read_source(path), name=path.stem, path=str(path))


def read_source(path: Path) -> str:
    """Returns the text of a source file.

    Raises:
        SourceError: the file cannot be read, is not a regular file, is too long, or is not UTF-8 text.
    """
    content = read_regular_file(path, _MAX_BYTES)
    try:
        # Line ends become "\n", as in a file opened as text.
        return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = line_at(content.decode("latin-1"), error.start)
        raise SourceError(str(path), line, "is not UTF-8 text", hint="Save it as UTF-8.") from None


def read_environment_source(source: str, *, name: str, path: str) -> Environment:
    """Reads an environment of the native dialect from its source text.

    Args:
        source: the text of the file.
        name: the environment's name.
        path: how error messages name the source.

    Raises:
        SourceError: the source breaks the contract.
    """
    source = source.removeprefix("\ufeff")
    with PARSER_LOCK:
        return read_native(parse_source(source, path), source, name=name, path=path)


def read_any_dialect(source: str, *, name: str, path: str, origin: str = "") -> Environment:
    """Reads an environment from source text in the dialect that the text shows.

    Args:
        source: the text of the file.
        name: the environment's name.
        path: how error messages name the source.
        origin: where an environment in the CodeGym format comes from.

    Raises:
        SourceError: the source cannot be used.
    """
    source = source.removeprefix("\ufeff")
    with PARSER_LOCK:
        tree = parse_source(source, path)
        match dialect_of(tree):
            case Dialect.CODEGYM:
                return read_codegym(tree, source, name=name, path=path, origin=origin)
            case Dialect.NATIVE:
                return read_native(tree, source, name=name, path=path)


def dialect_of(tree: ast.Module) -> Dialect:
    """Returns the dialect in which a module is written; the native one unless the module shows the other."""
    return Dialect.CODEGYM if is_codegym(tree) else Dialect.NATIVE
