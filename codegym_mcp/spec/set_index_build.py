"""Builds the index of a set: reads every row once, with all processors, and writes what it tells."""

import logging
import os
import sqlite3
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from itertools import islice
from pathlib import Path
from queue import SimpleQueue

from pydantic import ValidationError

from codegym_mcp.errors import SourceError
from codegym_mcp.python_process import python_command
from codegym_mcp.spec.environment_info import searched_text
from codegym_mcp.spec.environment_sets import COLUMNS, count_parquet_rows, read_parquet_rows
from codegym_mcp.spec.row_descriptions import IndexedRow, RowProblem, describe_row, row_content, row_digest
from codegym_mcp.spec.set_index_worker import ROWS, RowsRequest
from codegym_mcp.storage.json_lines import read_lines, too_long

logger = logging.getLogger(__name__)

_META = "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)"
_ROWS = """
CREATE TABLE rows (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    tags TEXT NOT NULL,
    searched TEXT NOT NULL,
    info TEXT,
    grade TEXT,
    problem TEXT,
    position INTEGER,
    length INTEGER,
    content BLOB
)
"""
_CHUNK = 32
"""Rows that a process describes at a time."""
_FEW_ROWS = 200
"""So many rows are described in this process."""
_PROGRESS_SECONDS = 2.0

_Row = tuple[int, int, bytes]
"""Number, position in the file (0 in Parquet) and content of a row."""


def build_index(path: Path, database: sqlite3.Connection) -> None:
    """Reads a set and fills an empty database with its index.

    Args:
        path: the set.
        database: a new database.

    Raises:
        SourceError: the file cannot be read, is empty, or its first row is broken.
    """
    database.execute(_META)
    database.execute(_ROWS)
    keep = path.suffix == ".parquet"
    progress = _Progress(path)
    for rows, described in _described(path, _rows(path)):
        for (_, position, content), row in zip(rows, described, strict=True):
            _insert(database, row, position, len(content), content if keep else None)
            progress.count()
    _check_first(path, database)
    _rename_duplicates(database)
    database.execute("CREATE UNIQUE INDEX names ON rows (name)")


def _rows(path: Path) -> Iterator[_Row]:
    if path.suffix == ".parquet":
        count_parquet_rows(path)
        for number, data in enumerate(read_parquet_rows(path), start=1):
            yield number, 0, row_content(data)
    else:
        for line in read_lines(path, skip_long=True):
            yield line.number, line.offset, line.data


def _insert(
    database: sqlite3.Connection, row: IndexedRow, position: int, length: int, content: bytes | None
) -> None:
    info = row.info
    database.execute(
        "INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
            content,
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
    """Logs how many rows are done, if the index takes long."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._done = 0
        self._reported = time.monotonic()

    def count(self) -> None:
        self._done += 1
        if time.monotonic() - self._reported >= _PROGRESS_SECONDS:
            self._reported = time.monotonic()
            logger.info("Indexing %s: %d environments so far.", self._path, self._done)


def _described(path: Path, rows: Iterator[_Row]) -> Iterator[tuple[list[_Row], list[IndexedRow]]]:
    """Describes rows: a few in this process, more in one process for each processor."""
    first = list(islice(rows, _FEW_ROWS))
    if len(first) < _FEW_ROWS:
        yield first, [describe(path, number, content) for number, _, content in first]
        return
    with ExitStack() as stack:
        processes: SimpleQueue[_WorkerProcess] = SimpleQueue()
        count = _processors()
        for _ in range(count):
            processes.put(stack.enter_context(closing(_WorkerProcess(path))))
        threads = stack.enter_context(ThreadPoolExecutor(count))
        pending: deque[tuple[list[_Row], Future[list[IndexedRow]]]] = deque()
        for chunk in _chunks(first, rows):
            pending.append((chunk, threads.submit(_describe_chunk, processes, chunk)))
            if len(pending) > 2 * count:
                done, future = pending.popleft()
                yield done, future.result()
        for done, future in pending:
            yield done, future.result()


def _describe_chunk(processes: "SimpleQueue[_WorkerProcess]", chunk: list[_Row]) -> list[IndexedRow]:
    process = processes.get()
    try:
        return process.describe(chunk)
    finally:
        processes.put(process)


def _processors() -> int:
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _chunks(first: list[_Row], rest: Iterator[_Row]) -> Iterator[list[_Row]]:
    for start in range(0, len(first), _CHUNK):
        yield first[start : start + _CHUNK]
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk


def describe(path: Path, number: int, content: bytes) -> IndexedRow:
    """Describes one row; a row without content was too long to be read."""
    if content:
        return describe_row(path, number, content)
    problem = RowProblem(line=number, is_unreadable=True, text=too_long(), hint=COLUMNS)
    return IndexedRow(number=number, name=f"row_{number}", digest=row_digest(content), problem=problem)


class _WorkerProcess:
    """A process that describes rows; see `set_index_worker`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._process = subprocess.Popen(
            python_command("codegym_mcp.spec.set_index_worker"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests, self._responses = self._process.stdin, self._process.stdout

    def describe(self, rows: list[_Row]) -> list[IndexedRow]:
        """Describes rows.

        Raises:
            SourceError: the process has ended.
        """
        sent = [(number, content) for number, _, content in rows if content]
        request = RowsRequest(path=self._path, rows=[(number, len(content)) for number, content in sent])
        message = b"".join((request.model_dump_json().encode(), b"\n", *(content for _, content in sent)))
        try:
            self._requests.write(message)
            self._requests.flush()
            found = {row.number: row for row in ROWS.validate_json(self._responses.readline())}
        except (OSError, ValidationError):
            raise SourceError(
                str(self._path), None, "a process that indexed the set has ended", hint="Try again."
            ) from None
        return [found.get(number) or describe(self._path, number, content) for number, _, content in rows]

    def close(self) -> None:
        """Ends the process."""
        self._process.kill()
        self._process.communicate()
