"""Opens the SQLite file of a journal, and refuses a file that is damaged or is not a journal."""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from io import FileIO
from pathlib import Path

from codegym_mcp.errors import JournalError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    episode TEXT NOT NULL,
    number INTEGER NOT NULL,
    kind TEXT NOT NULL,
    at REAL NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (episode, number)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS openings ON events (at, episode) WHERE number = 0;
CREATE INDEX IF NOT EXISTS endings ON events (at, episode) WHERE kind = 'ended';
"""
_MAGIC = b"SQLite format 3\0"
_HEADER_BYTES = 100
_NEXT_STEP = (
    "Restore it from a backup, or move it away to begin a new journal; its open episodes are lost then."
)


@contextmanager
def open_journal_file(path: Path) -> Iterator[sqlite3.Connection]:
    """Opens the file of a journal until the block is left, and creates it if it does not exist.

    Raises:
        JournalError: the file cannot be opened or created, is empty or truncated, or is not a journal.
    """
    with ExitStack() as stack:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                _create(path)
            # It must be closed after the connection: closing any descriptor of a file releases all locks that
            # this process holds on it, and other processes would then delete the write-ahead log in use.
            file = stack.enter_context(path.open("rb", buffering=0))
            _check_header(path, file)
            connection = stack.enter_context(closing(sqlite3.connect(path, isolation_level=None)))
        except (OSError, sqlite3.Error) as error:
            raise JournalError(f"The journal {path} cannot be opened: {error}.") from None
        try:
            _prepare(connection)
            _check_length(connection, path, file)
            # A journal of an earlier version lacks the indexes.
            connection.executescript(_SCHEMA)
            connection.execute("SELECT episode, number, kind, at, data FROM events LIMIT 0")
        except sqlite3.Error as error:
            raise JournalError(f"The journal {path} cannot be opened: {error}.", hint=_NEXT_STEP) from None
        yield connection


def _create(path: Path) -> None:
    """Creates an empty journal under another name first, so that a crash never leaves a part of one."""
    # Only the owner can read it: it holds tokens and hidden configurations.
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    os.close(descriptor)
    try:
        with closing(sqlite3.connect(name, isolation_level=None)) as connection:
            # Space of deleted episodes can be returned to the file system; this cannot be changed later.
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
            _prepare(connection)
            connection.executescript(_SCHEMA)
        # Another process may create the same journal at the same time: the first one wins.
        with suppress(FileExistsError):
            os.link(name, path)
    finally:
        os.unlink(name)


def _prepare(connection: sqlite3.Connection) -> None:
    # WAL with NORMAL survives the end of the process at any moment; a power cut may lose the last events but
    # leaves the file consistent.
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")


def _check_header(path: Path, file: FileIO) -> None:
    """Refuses an empty file, which SQLite would take for a new database, and a file of another format."""
    header = file.read(_HEADER_BYTES)
    if not header:
        raise JournalError(f"The journal {path} is empty: its content was lost.", hint=_NEXT_STEP)
    if len(header) < _HEADER_BYTES or not header.startswith(_MAGIC):
        raise JournalError(f"The journal {path} cannot be opened: it is not a database.", hint=_NEXT_STEP)


def _check_length(connection: sqlite3.Connection, path: Path, file: FileIO) -> None:
    """Refuses a file that is shorter than its header says, which SQLite does not check."""
    busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        # Another process is using the journal and checked it before; parts of it are in the write-ahead log.
        return
    (page_size,) = connection.execute("PRAGMA page_size").fetchone()
    file.seek(0)
    pages = int.from_bytes(file.read(_HEADER_BYTES)[28:32], "big")
    size, expected = path.stat().st_size, pages * page_size
    if size < expected:
        raise JournalError(
            f"The journal {path} is truncated: it has {size} of {expected} bytes.", hint=_NEXT_STEP
        )
