"""The index of a set: what each row tells of its environment, and where the row is.

An index is built once and stored in the cache directory, so that a set of many thousands of environments
opens at once. It is an SQLite database with one row for each environment. It belongs to the content of the
set's file: another content is indexed again.

Rows of JSON Lines are read from the set by their position. A Parquet file cannot be read at a position
without decoding a whole group of rows, so its rows are copied into the index, each compressed.
"""

import logging
import sqlite3
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, Self

from pydantic import BaseModel

from codegym_mcp.catalog.environment_sets import SetRow, parse_line, read_row, row_place
from codegym_mcp.catalog.row_descriptions import RowProblem, decompress_content, row_digest
from codegym_mcp.catalog.set_index_build import build_index
from codegym_mcp.catalog.set_index_files import FileStamp, index_directory, open_stored
from codegym_mcp.environment_definition.environment_info import EnvironmentInfo
from codegym_mcp.errors import SourceError
from codegym_mcp.storage.json_lines import read_line_at

logger = logging.getLogger(__name__)

STORED_BYTES = 256 * 1024
"""Size from which on the index of a set is stored. Smaller sets are indexed faster than files are written."""


class IndexEntry(BaseModel):
    """One row of an index."""

    number: int
    name: str
    digest: str
    info: EnvironmentInfo | None
    grade: str | None
    problem: RowProblem | None
    position: int
    length: int


class SetIndex:
    """The index of a set. Use `SetIndex.open`.

    It can be used by several threads. A pickle of it opens the index of the same path again.

    Attributes:
        path: the set, as the user named it.
    """

    def __init__(self, path: Path, database: sqlite3.Connection) -> None:
        self.path = path
        self._database = database
        self._lock = Lock()
        self._names: list[str] | None = None
        weakref.finalize(self, database.close)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Opens the index of a set, and builds it first if there is none of the file's present content.

        Raises:
            SourceError: the file cannot be read, is empty, or its first row is broken.
        """
        stamp = FileStamp.of(path)
        if stamp.size >= STORED_BYTES:
            try:
                return cls(path, open_stored(path, stamp))
            except (OSError, sqlite3.Error) as error:
                logger.warning("The index of %s is built for this process only: %s.", path, error)
        # An empty name makes a temporary database, which SQLite writes to the disk if it is large.
        database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        try:
            build_index(path, database)
        except BaseException:
            database.close()
            raise
        return cls(path, database)

    def __reduce__(self) -> tuple[Any, ...]:
        return SetIndex.open, (self.path,)

    def __len__(self) -> int:
        return int(self._query("SELECT count(*) FROM rows")[0][0])

    def names(self) -> list[str]:
        """Returns the names of all rows in the order of the set."""
        if self._names is None:
            self._names = [name for (name,) in self._query("SELECT name FROM rows ORDER BY number")]
        return self._names.copy()

    def find(self, name: str) -> IndexEntry | None:
        """Returns the row with a name, or None."""
        found = self._query(_FIND, name)
        with self._explained():
            return _entry(found[0]) if found else None

    def names_with(self, tags: Iterable[str]) -> set[str]:
        """Returns the names of the environments that have all of some tags."""
        found = [{name for (name,) in self._query(_TAGGED, f"\n{tag}\n")} for tag in tags]
        return set.intersection(*found) if found else set(self.names())

    def names_matching(self, text: str) -> set[str]:
        """Returns the names of the environments that have a text in their name, title or tags."""
        rows = self._query("SELECT name FROM rows WHERE instr(searched, ?)", text.lower())
        return {name for (name,) in rows}

    def grades(self) -> dict[str, str]:
        """Returns the grades in the rows' own audits, by name."""
        return dict(self._query("SELECT name, grade FROM rows WHERE grade IS NOT NULL"))

    def problems(self) -> Iterator[SourceError]:
        """Yields why some rows are not environments, in the order of the set."""
        for number, problem in self._query(
            "SELECT number, problem FROM rows WHERE problem IS NOT NULL ORDER BY number"
        ):
            with self._explained():
                found = RowProblem.model_validate_json(problem)
            yield found.error(self.path, number)

    def read(self, entry: IndexEntry) -> SetRow:
        """Reads the content of a row.

        Raises:
            SourceError: the row is not an environment, or the set has changed since it was opened.
        """
        if entry.problem is not None and entry.name.startswith(f"row_{entry.number}"):
            raise entry.problem.error(self.path, entry.number)
        content = self._content(entry)
        if row_digest(content) != entry.digest:
            where = row_place(self.path, entry.number)
            raise SourceError(where, None, "the set has changed since it was opened", hint="Open it again.")
        return read_row(self.path, entry.number, parse_line(self.path, entry.number, content))

    def _content(self, entry: IndexEntry) -> bytes:
        found = self._query("SELECT content FROM contents WHERE number = ?", entry.number)
        if not found:
            return read_line_at(self.path, entry.position, entry.length)
        with self._explained():
            return decompress_content(found[0][0])

    def _query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with self._explained(), self._lock:
            return self._database.execute(sql, parameters).fetchall()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Explains damage of the index that shows when it is used."""
        try:
            yield
        except (sqlite3.Error, ValueError) as error:
            fault = str(error).partition("\n")[0]
            raise SourceError(
                str(self.path),
                None,
                f"the index of the set is damaged: {fault}",
                hint=f"Delete the directory {index_directory()}; the index is then built again.",
            ) from None


_TAGGED = "SELECT name FROM rows WHERE instr(tags, ?)"
_FIND = "SELECT number, name, digest, info, grade, problem, position, length FROM rows WHERE name = ?"


def _entry(row: tuple[Any, ...]) -> IndexEntry:
    number, name, digest, info, grade, problem, position, length = row
    return IndexEntry(
        number=number,
        name=name,
        digest=digest,
        info=EnvironmentInfo.model_validate_json(info) if info is not None else None,
        grade=grade,
        problem=RowProblem.model_validate_json(problem) if problem is not None else None,
        position=position,
        length=length,
    )
