"""The journal in an SQLite file."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from codegym_mcp.episodes.events import Event, event_data, read_event
from codegym_mcp.episodes.journal import Journal
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
"""


class SqliteJournal(Journal):
    """A journal in an SQLite file, which outlives the process."""

    outlives_process = True

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._pending: list[tuple[str, int, str, float, str]] = []
        self._written: asyncio.Future[None] | None = None

    @classmethod
    @contextmanager
    def open_file(cls, path: Path) -> Iterator["SqliteJournal"]:
        """Opens a journal until the block is left. Raises as `open`."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # The file holds tokens and hidden configurations.
            path.touch(mode=0o600)
            connection = sqlite3.connect(path, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise JournalError(f"The journal {path} cannot be opened: {error}.") from None
        with closing(connection):
            try:
                # WAL with NORMAL survives the end of the process at any moment; a power cut may lose the
                # last events but leaves the file consistent.
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("PRAGMA synchronous=NORMAL")
                connection.executescript(_SCHEMA)
                connection.execute("SELECT episode, number, kind, at, data FROM events LIMIT 0")
            except sqlite3.Error as error:
                raise JournalError(f"The journal {path} cannot be opened: {error}.") from None
            yield cls(connection)

    async def append(self, episode: str, number: int, event: Event) -> None:
        try:
            data = event_data(event).decode()
        except ValueError as error:
            raise JournalError(f"The event is not JSON data: {error}.") from None
        self._pending.append((episode, number, event.kind, event.at, data))
        if self._written is None:
            # Events that arrive in the same turn of the event loop share one transaction.
            loop = asyncio.get_running_loop()
            self._written = loop.create_future()
            loop.call_soon(self._flush)
        await asyncio.shield(self._written)

    def _flush(self) -> None:
        pending, self._pending = self._pending, []
        written, self._written = self._written, None
        assert written is not None
        try:
            self._connection.execute("BEGIN")
            self._connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?)", pending)
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            written.set_exception(JournalError(f"The journal cannot be written: {error}."))
            # Waiters that were cancelled do not retrieve the exception.
            written.exception()
        else:
            written.set_result(None)

    def events(self, episode: str) -> list[Event]:
        return self._read(episode)

    def event(self, episode: str, number: int) -> Event:
        found = self._read(episode, "AND number = ?", number)
        if not found:
            raise JournalError(f"The journal of episode {episode} has no event {number}.")
        return found[0]

    def forget(self, episode: str) -> None:
        pass

    def _read(self, episode: str, condition: str = "", *values: int) -> list[Event]:
        try:
            rows = self._connection.execute(
                f"SELECT kind, at, data FROM events WHERE episode = ? {condition} ORDER BY number",  # noqa: S608
                (episode, *values),
            )
            return [read_event(kind, at, data) for kind, at, data in rows]
        except (sqlite3.Error, ValueError) as error:
            raise JournalError(f"The journal of episode {episode} cannot be read: {error}.") from None

    def open_episodes(self) -> list[str]:
        try:
            rows = self._connection.execute(
                "SELECT episode FROM events WHERE number = 0 AND episode NOT IN "
                "(SELECT episode FROM events WHERE kind = 'ended') ORDER BY at"
            )
            return [episode for (episode,) in rows]
        except sqlite3.Error as error:
            raise JournalError(f"The journal cannot be read: {error}.") from None
