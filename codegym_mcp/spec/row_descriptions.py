"""Describes the rows of a set for its index. Nothing of an environment is executed or compiled."""

import json
from hashlib import blake2b
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from codegym_mcp.errors import CodegymError, SourceError
from codegym_mcp.spec.codegym.class_reader import read_codegym_source
from codegym_mcp.spec.environment import Environment
from codegym_mcp.spec.environment_info import EnvironmentInfo
from codegym_mcp.spec.environment_reader import read_any_dialect
from codegym_mcp.spec.environment_sets import (
    SetRow,
    parse_line,
    read_row,
    row_name,
    row_place,
    row_without_name,
)
from codegym_mcp.spec.stored_grade import grade_of_audit


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
        found = read_row(path, number, data)
        environment = read_row_environment(path, number, found, check=False)
    except SourceError as error:
        row.problem = RowProblem.of(error, path)
    except CodegymError as error:
        row.problem = RowProblem(line=None, is_unreadable=False, text=error.message, hint=error.hint)
    else:
        row.info = EnvironmentInfo.of(environment)
        row.grade = grade_of_audit(found.published.audit, environment.content_digest)
    return row


def read_row_environment(path: Path, number: int, row: SetRow, *, check: bool = True) -> Environment:
    """Reads the environment of a row with its tasks.

    Args:
        check: whether to check the whole contract; see `read_any_dialect`.

    Raises:
        SourceError: the source or a task of the row cannot be used.
        TaskError: the configuration of a task is not valid, or two tasks have the same id.
    """
    where, published = row_place(path, number), row.published
    if row.in_codegym_format:
        return read_codegym_source(
            published.code, name=row.name, path=where, origin=published.origin, check=check
        )
    environment = read_any_dialect(
        published.code, name=row.name, path=where, origin=published.origin, check=check
    )
    return published.with_tasks(environment, where, check=check)
