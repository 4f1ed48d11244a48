"""Builds the index of a set: reads every row once, with all processors, and writes what it tells."""

import logging
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from codegym_mcp.catalog.environment_sets import COLUMNS, count_parquet_rows, read_parquet_rows
from codegym_mcp.catalog.row_description_pool import UndescribedRow, described_rows
from codegym_mcp.catalog.row_descriptions import IndexedRow, RowProblem, row_content
from codegym_mcp.environment_definition.environment_info import searched_text
from codegym_mcp.errors import SourceError
from codegym_mcp.storage.json_lines import MAX_LINE, read_lines

logger = logging.getLogger(__name__)

_META = "CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)"
_ROWS = """
CREATE TABLE IF NOT EXISTS rows (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    tags TEXT NOT NULL,
    searched TEXT NOT NULL,
    info TEXT,
    grade TEXT,
    problem TEXT,
    position INTEGER,
    length INTEGER
)
"""
_CONTENTS = "CREATE TABLE IF NOT EXISTS contents (number INTEGER PRIMARY KEY, content BLOB NOT NULL)"
"""The rows of a Parquet file; in a table of their own, so that searches do not pass them."""
COMMIT_SECONDS = 2.0
"""How often the index is committed and the progress is shown."""
_POSITION = "position"


class BuildPosition(BaseModel):
    """How far an index is built."""

    rows: int = 0
    """The number of the last row in the index."""
    end: int = 0
    """The position after it in a file of JSON Lines."""


def build_index(path: Path, database: sqlite3.Connection) -> None:
    """Reads a set and fills a database with its index; what the database already contains is not read again.

    The database is committed every two seconds, so that a build that is killed can be continued.

    Args:
        path: the set.
        database: a new database, or one of an earlier call for the same content that was interrupted.

    Raises:
        SourceError: the file cannot be read, is empty, or its first row is broken.
    """
    database.execute(_META)
    database.execute(_ROWS)
    database.execute(_CONTENTS)
    done = build_position(database)
    progress = _Progress(path)
    reported = time.monotonic()
    database.execute("BEGIN")
    for each in described_rows(path, _rows(path, done)):
        _insert(database, each.row, each.undescribed.position, len(each.undescribed.content))
        if each.kept is not None:
            database.execute("INSERT INTO contents VALUES (?, ?)", (each.row.number, each.kept))
        done = BuildPosition(rows=each.row.number, end=each.undescribed.end)
        if time.monotonic() - reported >= COMMIT_SECONDS:
            database.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_POSITION, done.model_dump_json()))
            database.execute("COMMIT")
            progress.show(done)
            database.execute("BEGIN")
            reported = time.monotonic()
    _check_first(path, database)
    _rename_duplicates(database)
    database.execute("CREATE UNIQUE INDEX names ON rows (name)")
    database.execute("CREATE INDEX grades ON rows (name, grade) WHERE grade IS NOT NULL")
    database.execute("CREATE INDEX problems ON rows (number) WHERE problem IS NOT NULL")
    database.execute("DELETE FROM meta WHERE key = ?", (_POSITION,))
    database.execute("COMMIT")


def build_position(database: sqlite3.Connection) -> BuildPosition:
    """Returns how far the index in a database is built."""
    found = database.execute("SELECT value FROM meta WHERE key = ?", (_POSITION,)).fetchone()
    return BuildPosition.model_validate_json(found[0]) if found is not None else BuildPosition()


def _rows(path: Path, done: BuildPosition) -> Iterator[UndescribedRow]:
    if path.suffix == ".parquet":
        count_parquet_rows(path)
        for number, data in enumerate(read_parquet_rows(path, skip=done.rows), start=done.rows + 1):
            content = row_content(data)
            # A row that is too long has no content, as a line that is.
            yield UndescribedRow(number, 0, number, content if len(content) <= MAX_LINE else b"", keep=True)
    else:
        for line in read_lines(path, skip_long=True, after=(done.rows, done.end)):
            yield UndescribedRow(line.number, line.offset, line.end, line.data)


def _insert(database: sqlite3.Connection, row: IndexedRow, position: int, length: int) -> None:
    info = row.info
    database.execute(
        "INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            row.number,
            row.name,
            row.digest,
            "".join(f"\n{tag}\n" for tag in info.tags) if info is not None else "",
            searched_text(info) if info is not None else "",
            info.model_dump_json() if info is not None else None,
            row.grade,
            row.problem.model_dump_json() if row.problem is not None else None,
            position,
            length,
        ),
    )


def _check_first(path: Path, database: sqlite3.Connection) -> None:
    """Refuses a file that is no set: without rows, or with a first row that tells no environment's name."""
    first = database.execute("SELECT number, name, problem FROM rows ORDER BY number LIMIT 1").fetchone()
    if first is None:
        raise SourceError(str(path), None, "the set contains no environment", hint=COLUMNS)
    number, name, problem = first
    if problem is not None and name == f"row_{number}":
        raise RowProblem.model_validate_json(problem).error(path, number)


def _rename_duplicates(database: sqlite3.Connection) -> None:
    """Marks rows as broken whose name another row has; the first usable row of a name keeps it."""
    doubled = database.execute(
        "SELECT number, name, first FROM rows JOIN"
        " (SELECT name AS doubled, coalesce(min(iif(problem IS NULL, number, NULL)), min(number)) AS first"
        " FROM rows GROUP BY name HAVING count(*) > 1)"
        " ON name = doubled WHERE number <> first"
    ).fetchall()
    for number, name, first in doubled:
        problem = RowProblem(
            line=None,
            is_unreadable=False,
            text=f"row {first} has an environment of the same name, {name}",
            hint="Rename one of them.",
        )
        database.execute(
            "UPDATE rows SET name = ?, tags = '', searched = '', info = NULL, grade = NULL, problem = ?"
            " WHERE number = ?",
            (f"row_{number}_{name}", problem.model_dump_json(), number),
        )


class _Progress:
    """Logs how much of a set is indexed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._is_parquet = path.suffix == ".parquet"
        self._whole = count_parquet_rows(path) if self._is_parquet else path.stat().st_size

    def show(self, done: BuildPosition) -> None:
        share = (done.rows if self._is_parquet else done.end) / max(self._whole, 1)
        logger.info("Indexing %s: %s environments, %.0f %%.", self._path, f"{done.rows:,}", 100 * share)
