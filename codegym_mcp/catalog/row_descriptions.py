"""Describes the rows of a set for its index. Nothing of an environment is executed or compiled."""

import ast
import json
import zlib
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from codegym_mcp.catalog.environment_sets import (
    SetRow,
    parse_line,
    read_row,
    row_name,
    row_place,
    row_without_name,
)
from codegym_mcp.catalog.source_outline import parse_outline
from codegym_mcp.catalog.stored_grade import grade_of_audit
from codegym_mcp.environment_definition.codegym_format.class_reader import read_codegym, read_codegym_source
from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.environment_definition.environment_digests import audited_content_digest
from codegym_mcp.environment_definition.environment_info import EnvironmentInfo
from codegym_mcp.environment_definition.environment_reader import dialect_of, read_any_dialect
from codegym_mcp.environment_definition.native_outline import NativeOutline
from codegym_mcp.errors import CodegymError, SourceError
from codegym_mcp.sandbox.language.environment_dialects import Dialect
from codegym_mcp.sandbox.process.process_role_code import EnvironmentProgram
from codegym_mcp.source_parsing import parse_source


class RowProblem(BaseModel):
    """Why a row is not an environment: a `SourceError` without the path of the set."""

    line: int | None
    """The line within the row's source, or None."""
    is_unreadable: bool
    """Whether the row is a line that cannot be parsed."""
    text: str
    hint: str

    @classmethod
    def of(cls, error: SourceError, path: Path) -> "RowProblem":
        """Returns the problem that an error names."""
        is_unreadable = error.path == str(path)
        return cls(line=error.line, is_unreadable=is_unreadable, text=error.problem, hint=error.hint)

    def error(self, path: Path, number: int) -> SourceError:
        """Returns the error for a row of the set that a user named so."""
        where = str(path) if self.is_unreadable else row_place(path, number)
        return SourceError(where, self.line, self.text, hint=self.hint)


class IndexedRow(BaseModel):
    """What the index of a set tells of one row."""

    number: int
    """Number of the row; in JSON Lines, of the line. Counted from one."""
    name: str
    digest: str
    """Of the bytes of the row: another digest means that the set has changed."""
    info: EnvironmentInfo | None = None
    """None if the row is not an environment."""
    grade: str | None = None
    """The grade of the audit in the row, if that is an audit of the row's content."""
    problem: RowProblem | None = None


def row_digest(content: bytes) -> str:
    """Returns the digest of the bytes of a row, in hexadecimal."""
    return blake2b(content, digest_size=8).hexdigest()


def row_content(data: dict[str, Any]) -> bytes:
    """Returns the bytes that represent a row of a Parquet file in an index."""
    return json.dumps(data, ensure_ascii=False, default=str).encode(errors="surrogatepass")


def compress_content(content: bytes) -> bytes:
    """Returns the bytes of a row as an index keeps them."""
    return zlib.compress(content, 1)


def decompress_content(content: bytes) -> bytes:
    """Returns the bytes of a row that an index has kept.

    Raises:
        ValueError: they are damaged.
    """
    try:
        return zlib.decompress(content)
    except zlib.error as error:
        raise ValueError(f"a row cannot be decompressed: {error}") from None


def describe_row(path: Path, number: int, content: bytes) -> IndexedRow:
    """Describes one row.

    Args:
        path: the set.
        number: the number of the row.
        content: a JSON object.

    Returns:
        The description. Rows that are no environments have a `problem`; those that tell no name have one made
        from their number.
    """
    row = IndexedRow(number=number, name=row_without_name(number), digest=row_digest(content))
    try:
        data = parse_line(path, number, content)
        row.name, _ = row_name(path, number, data)
        _describe(row, path, read_row(path, number, data))
    except SourceError as error:
        row.problem = RowProblem.of(error, path)
    except CodegymError as error:
        row.problem = RowProblem(line=None, is_unreadable=False, text=error.message, hint=error.hint)
    return row


def _describe(row: IndexedRow, path: Path, found: SetRow) -> None:
    """Fills in what a row tells of its environment.

    Of the native dialect only the outline is read: types and schemas take half the time of a whole reading.

    Raises:
        SourceError: the outline or a task of the row cannot be used.
    """
    where, published = row_place(path, row.number), found.published
    source = published.code.removeprefix("\ufeff")
    tree = _parse(source, where)
    if found.in_codegym_format or dialect_of(tree) is Dialect.CODEGYM:
        environment = read_codegym(
            tree, source, name=row.name, path=where, origin=published.origin, check=False
        )
        tasks = environment.tasks if found.in_codegym_format else published.read_tasks(where)
        row.info = EnvironmentInfo.of(replace(environment, tasks=tasks))
        program = environment.program
    else:
        outline = NativeOutline.read(tree, source, name=row.name, path=where)
        outline.check_functions()
        program, tasks = EnvironmentProgram(where, source), published.read_tasks(where)
        row.info = EnvironmentInfo.of_outline(outline, program, tasks)
    row.grade = grade_of_audit(published.audit, lambda: audited_content_digest(program, tasks))


def _parse(source: str, where: str) -> ast.Module:
    """Parses a source as far as the index reads it."""
    if "func_mapping" in source or "\\u" in source.lower():
        # Of these, also the bodies of functions are read: of classes in the CodeGym format, and of sources
        # with strings that may contain half of a surrogate pair.
        return parse_source(source, where)
    return parse_outline(source, where)


def read_row_environment(path: Path, number: int, row: SetRow) -> Environment:
    """Reads the environment of a row with its tasks.

    Raises:
        SourceError: the source or a task of the row cannot be used.
        TaskError: the configuration of a task is not valid, or two tasks have the same id.
    """
    where, published = row_place(path, number), row.published
    if row.in_codegym_format:
        return read_codegym_source(published.code, name=row.name, path=where, origin=published.origin)
    environment = read_any_dialect(published.code, name=row.name, path=where, origin=published.origin)
    return environment.with_tasks(published.read_tasks(where))
