"""The journal in an SQLite file."""

import asyncio
import logging
import math
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from codegym_mcp.episodes.events import EpisodeRecord, Event, EventRow, event_data, read_event, read_record
from codegym_mcp.episodes.journal import Journal, Opening
from codegym_mcp.episodes.journal_file import open_journal_file
from codegym_mcp.errors import JournalError

logger = logging.getLogger(__name__)

_MAX_PRUNED = 20
"""Maximum number of episodes that are deleted at a time: other calls wait meanwhile."""


class SqliteJournal(Journal):
    """A journal in an SQLite file, which outlives the process."""

    outlives_process = True

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        # One damaged text must not make the other rows of a query unreadable.
        self._connection.text_factory = lambda data: data.decode(errors="replace")
        self._pending: list[tuple[str, int, str, float, str]] = []
        self._written: asyncio.Future[None] | None = None

    @classmethod
    @contextmanager
    def open_file(cls, path: Path) -> Iterator["SqliteJournal"]:
        """Opens a journal until the block is left. Raises as `open`."""
        with open_journal_file(path) as connection:
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

    def record(self, episode: str) -> EpisodeRecord:
        return read_record(self._rows("WHERE episode = ? ORDER BY number", episode))

    def next_number(self, episode: str) -> int:
        numbers = [row.number for row in self._rows("WHERE episode = ?", episode)]
        # A damaged number can be a text.
        return max((number for number in numbers if type(number) is int), default=-1) + 1

    def event(self, episode: str, number: int) -> Event:
        rows = self._rows("WHERE episode = ? AND number = ?", episode, number)
        if not rows:
            raise JournalError(f"The journal of episode {episode} has no event {number}.")
        try:
            return read_event(rows[0])
        except ValueError as error:
            raise JournalError(f"Event {number} of episode {episode} cannot be read: {error}.") from None

    def _rows(self, condition: str, *values: str | int) -> list[EventRow]:
        statement = f"SELECT number, kind, at, data FROM events {condition}"  # noqa: S608 - only our own conditions
        return [EventRow(*row) for row in self._query(statement, *values)]

    def forget(self, episode: str) -> None:
        pass

    def open_episodes(self) -> list[str]:
        found = self._query(
            "SELECT episode FROM events GROUP BY episode HAVING sum(kind = 'ended') = 0 ORDER BY min(at)"
        )
        readable = [episode for (episode,) in found if _is_readable(episode)]
        if len(readable) < len(found):
            logger.error("The journal has rows without a readable episode id; they are left as they are.")
        return readable

    def openings(self, *, before: Opening | None, limit: int) -> list[Opening]:
        position = before or Opening(math.inf, "")
        found = self._query(
            "SELECT at, episode FROM events WHERE number = 0 AND (at, episode) < (?, ?) "
            "ORDER BY at DESC, episode DESC LIMIT ?",
            *position,
            limit,
        )
        return [Opening(at, episode) for at, episode in found if isinstance(at, float)]

    def prune(self, *, ended_before: float | None, max_bytes: int | None) -> bool:
        oldest = self._query(
            "SELECT at, episode FROM events WHERE kind = 'ended' ORDER BY at LIMIT ?", _MAX_PRUNED
        )
        oversize = max_bytes is not None and self._used_bytes() > max_bytes
        before = math.inf if oversize else ended_before if ended_before is not None else -math.inf
        ids = [episode for at, episode in oldest if isinstance(at, float) and at < before]
        if not ids:
            return False
        try:
            self._connection.execute("BEGIN")
            self._connection.executemany("DELETE FROM events WHERE episode = ?", [(each,) for each in ids])
            self._connection.execute("COMMIT")
            # Only a script runs the statement to its end; `execute` returns one free page.
            self._connection.executescript("PRAGMA incremental_vacuum")
        except sqlite3.Error as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise JournalError(f"Old episodes cannot be deleted from the journal: {error}.") from None
        return True

    def _used_bytes(self) -> int:
        size, pages, free = (
            int(self._query(f"PRAGMA {name}")[0][0]) for name in ("page_size", "page_count", "freelist_count")
        )
        return size * (pages - free)

    def _query(self, statement: str, *values: str | float) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise JournalError(f"The journal cannot be read: {error}.") from None


def _is_readable(episode: object) -> bool:
    """Checks whether an episode id is a text that was decoded without loss."""
    return isinstance(episode, str) and "\N{REPLACEMENT CHARACTER}" not in episode
