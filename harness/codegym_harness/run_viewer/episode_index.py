"""The index of a run: one row for each episode, in SQLite, kept current while the run is written.

The index holds where each trajectory stands in its file, what lists show of it, and which words its texts
contain. Trajectories are read from the run's own files. Files of trajectories are only appended to, so an
update reads what is new; a file that was replaced is read again. Several processes may use one index.
"""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel

from codegym_harness.run_viewer.trajectory_files import AppendedLines, Line, ReadPosition
from codegym_harness.run_viewer.trajectory_reading import ReadTrajectory, read_trajectory
from codegym_harness.run_viewer.trajectory_views import episode_row, step_texts
from codegym_harness.runs.run_directory_reader import FAILED, TRAJECTORIES
from codegym_mcp.episode_viewer.episode_views import EpisodeRow
from codegym_mcp.errors import SourceError

UNREADABLE = "unreadable"
"""The outcome of a row whose line is damaged."""
_SCHEMA_VERSION = 2
"""Raise it with every change of the schema or of what is stored; older indexes are built anew."""
_BATCH_SECONDS = 0.4
_BUSY_SECONDS = 20
_SCHEMA = """
CREATE TABLE files (
    name TEXT PRIMARY KEY, inode INTEGER, offset INTEGER, lines INTEGER, tail TEXT, incomplete INTEGER
);
CREATE TABLE episodes (
    number INTEGER PRIMARY KEY, id TEXT UNIQUE, file TEXT, line INTEGER, offset INTEGER, length INTEGER,
    environment TEXT, task TEXT, epoch INTEGER, difficulty INTEGER, agent TEXT, outcome TEXT, reward REAL,
    ended TEXT, calls INTEGER, oracle_calls INTEGER, failed_calls INTEGER, invalid_calls INTEGER,
    steps INTEGER, tokens INTEGER,
    cost_usd REAL, seconds REAL, at TEXT, error TEXT, superseded INTEGER, tags TEXT, messages INTEGER
);
CREATE INDEX tasks ON episodes (environment, task);
CREATE TABLE tags (tag TEXT, episode INTEGER, PRIMARY KEY (tag, episode)) WITHOUT ROWID;
"""
_TEXTS = "CREATE VIRTUAL TABLE texts USING fts5(body, content='', detail='none', columnsize=0)"
_COLUMNS = (
    *("id", "file", "line", "offset", "length", "environment", "task", "epoch", "difficulty", "agent"),
    *(
        "outcome",
        "reward",
        "ended",
        "calls",
        "oracle_calls",
        "failed_calls",
        "invalid_calls",
        "steps",
        "tokens",
    ),
    *("cost_usd", "seconds", "at", "error", "superseded", "tags", "messages"),
)
_INSERT = f"INSERT INTO episodes ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"
_ERROR_CHARACTERS = 500


class StoredTags(BaseModel):
    """The tags of an episode, as the index stores them."""

    tags: list[str]


class IndexState(NamedTuple):
    """How far the files of the run were read.

    Attributes:
        read: the bytes that were read, those of an incomplete last line among them.
        total: the bytes of the files.
        incomplete: the bytes of a last line that is not complete.
        problem: why the files cannot be read, or the empty string.
    """

    read: int
    total: int
    incomplete: int
    problem: str


class EpisodeIndex:
    """The index of one run.

    Args:
        run: the run directory.
        file: the file of the index.
    """

    def __init__(self, run: Path, file: Path) -> None:
        self.run = run
        self._file = file
        self._lock = threading.Lock()
        self._problem = ""
        self._searchable: bool | None = None
        self._stopped = threading.Event()

    # --- reading

    @contextmanager
    def reader(self) -> Iterator[sqlite3.Connection]:
        """Yields a connection that only reads."""
        self._ensure_exists()
        with closing(self._connect()) as connection:
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA query_only = ON")
            yield connection

    @property
    def searchable(self) -> bool:
        """Whether this Python's SQLite can search texts."""
        self._ensure_exists()
        assert self._searchable is not None
        return self._searchable

    @property
    def state(self) -> IndexState:
        """How far the files of the run were read."""
        with self.reader() as connection:
            rows = {row["name"]: row for row in connection.execute("SELECT * FROM files")}
        return IndexState(
            read=sum(row["offset"] + row["incomplete"] for row in rows.values()),
            total=sum(self._size(name) for name in _FILES),
            incomplete=rows[TRAJECTORIES]["incomplete"] if TRAJECTORIES in rows else 0,
            problem=self._problem,
        )

    @property
    def is_current(self) -> bool:
        """Whether everything that the files hold was read."""
        with self.reader() as connection:
            rows = {row["name"]: row for row in connection.execute("SELECT * FROM files")}
        return all(self._is_read(name, rows.get(name)) for name in _FILES)

    # --- writing

    def update(self) -> None:
        """Reads what was appended to the files of the run, until `stop` is called."""
        with self._lock:
            self._ensure_exists()
            try:
                for name in _FILES:
                    while not self._stopped.is_set() and self._read_batch(name):
                        pass
                self._problem = ""
            except SourceError as error:
                self._problem = str(error)
            except sqlite3.OperationalError as error:
                # Another process builds the same index, or the disk is full.
                self._problem = f"The index cannot be written: {error}."

    def stop(self) -> None:
        """Ends an update in progress after its current batch."""
        self._stopped.set()

    def _read_batch(self, name: str) -> bool:
        """Reads lines of a file for a moment and stores them; returns whether there is more to read."""
        path = self.run / name
        if not path.exists():
            return False
        with closing(self._connect()) as connection, connection:
            # Another process that updates the index waits here, and continues where this one ends.
            connection.execute("BEGIN IMMEDIATE")
            lines = AppendedLines.open(path, _position(connection, name))
            if lines is None:
                _create(connection)
                return True
            until = time.monotonic() + _BATCH_SECONDS
            finished = True
            for line in lines:
                self._insert(connection, name, line)
                if time.monotonic() > until or self._stopped.is_set():
                    finished = False
                    break
            incomplete = lines.incomplete
            position = lines.finish()
            connection.execute(
                "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)",
                (name, position.inode, position.offset, position.lines, position.tail, incomplete),
            )
        return not finished

    def _insert(self, connection: sqlite3.Connection, file: str, line: Line) -> None:
        superseded = file == FAILED
        too_long = ReadTrajectory(None, ("The line is too long to be read.",))
        trajectory, problems = too_long if line.too_long else read_trajectory(line.data)
        damaged_id = f"{file}:{line.number}"
        if trajectory is None:
            row = EpisodeRow(
                id=damaged_id,
                environment="",
                task=f"line {line.number}",
                outcome=UNREADABLE,
                error=problems[0],
            )
        else:
            row = episode_row(trajectory, trajectory.extra.key or damaged_id, superseded=superseded)
            taken = "SELECT 1 FROM episodes WHERE id = ?"
            if superseded or connection.execute(taken, (row.id,)).fetchone() is not None:
                row.id = f"{row.id}@{damaged_id}"
        row.error = row.error[:_ERROR_CHARACTERS]
        steps = trajectory.steps if trajectory is not None else []
        values: dict[str, Any] = {
            **row.__dict__,
            "file": file,
            "line": line.number,
            "offset": line.offset,
            "length": line.length,
            "outcome": str(row.outcome),
            "ended": str(row.ended),
            "tags": StoredTags(tags=row.tags).model_dump_json(),
            "messages": sum(1 + len(step.tool_calls or ()) for step in steps),
        }
        number = connection.execute(_INSERT, [values[column] for column in _COLUMNS]).lastrowid
        connection.executemany(
            "INSERT OR IGNORE INTO tags VALUES (?, ?)", [(tag, number) for tag in row.tags]
        )
        if self._searchable:
            body = "\n".join(text for step in steps for text in step_texts(step))
            connection.execute(
                "INSERT INTO texts (rowid, body) VALUES (?, ?)", (number, f"{row.id}\n{row.error}\n{body}")
            )

    # --- the file of the index

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._file, timeout=_BUSY_SECONDS, isolation_level=None)
        try:
            connection.execute("PRAGMA synchronous = NORMAL")
        except BaseException:
            connection.close()
            raise
        return connection

    def _ensure_exists(self) -> None:
        """Creates the index, or replaces one of another version and one that is damaged."""
        if self._searchable is not None and self._file.exists():
            return
        try:
            self._prepare()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            for suffix in ("", "-wal", "-shm"):
                with suppress(OSError):
                    self._file.with_name(self._file.name + suffix).unlink()
            self._prepare()

    def _prepare(self) -> None:
        with closing(self._connect()) as connection, connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("BEGIN IMMEDIATE")
            if connection.execute("PRAGMA user_version").fetchone()[0] != _SCHEMA_VERSION:
                _create(connection)
            found = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'texts'").fetchone()
            self._searchable = found is not None
        # The index is in use.
        self._file.touch()

    def _size(self, name: str) -> int:
        try:
            return (self.run / name).stat().st_size
        except OSError:
            return 0

    def _is_read(self, name: str, row: sqlite3.Row | None) -> bool:
        try:
            status = (self.run / name).stat()
        except OSError:
            return row is None
        if row is None:
            return status.st_size == 0
        read = row["offset"] + row["incomplete"]
        return bool(row["inode"] == status.st_ino and read == status.st_size)


_FILES = (TRAJECTORIES, FAILED)


def _position(connection: sqlite3.Connection, name: str) -> ReadPosition:
    query = "SELECT inode, offset, lines, tail FROM files WHERE name = ?"
    row = connection.execute(query, (name,)).fetchone()
    return ReadPosition(*row) if row is not None else ReadPosition()


def _create(connection: sqlite3.Connection) -> None:
    """Creates the tables, in place of those that exist. It belongs to the transaction of the caller."""
    for table in ("files", "episodes", "tags", "texts"):
        connection.execute(f"DROP TABLE IF EXISTS {table}")
    for statement in _SCHEMA.split(";"):
        connection.execute(statement)
    with suppress(sqlite3.OperationalError):
        # Without FTS5 everything works except the search.
        connection.execute(_TEXTS)
    connection.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
