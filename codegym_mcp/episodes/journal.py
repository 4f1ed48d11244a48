"""Every episode's events: written before the agent gets its reply, in a file or in memory.

Environments are deterministic, so an episode is its task and its actions: from these events it can be
rebuilt in a fresh process, and a digest of every result shows whether it really is the same.
"""

import asyncio
import json
import sqlite3
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from pydantic_core import to_json

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

EventKind = Literal["opened", "call", "submitted", "ended"]


class Event(BaseModel):
    """One thing that happened in an episode."""

    model_config = ConfigDict(frozen=True)

    number: int
    """Counted from 0 within the episode."""
    kind: EventKind
    at: float
    """Seconds since the epoch."""
    data: dict[str, Any]


class Journal(ABC):
    """The events of all episodes of one server."""

    @staticmethod
    @contextmanager
    def open(path: Path | None = None) -> Iterator["Journal"]:
        """Opens a journal; without a path it lives in memory and ends with the process.

        Raises:
            JournalError: the file cannot be opened, or is not a journal.
        """
        if path is None:
            yield MemoryJournal()
        else:
            with SqliteJournal.open_file(path) as journal:
                yield journal

    @abstractmethod
    async def append(self, episode: str, number: int, kind: EventKind, data: dict[str, Any]) -> None:
        """Writes an event and returns when it is safe.

        Raises:
            JournalError: it cannot be written, or is not JSON data.
        """

    @abstractmethod
    def events(self, episode: str) -> list[Event]:
        """The events of an episode in their order; empty where there is no such episode.

        Raises:
            JournalError: they cannot be read.
        """

    @abstractmethod
    def event(self, episode: str, number: int) -> Event:
        """One event of an episode.

        Raises:
            JournalError: there is none of that number, or it cannot be read.
        """

    @abstractmethod
    def forget(self, episode: str) -> None:
        """Lets go of an ended episode that nobody will ask for; what was written in a file stays there."""

    @abstractmethod
    def open_episodes(self) -> list[str]:
        """The ids of the episodes that were opened and have not ended, the oldest first.

        Raises:
            JournalError: they cannot be read.
        """


class MemoryJournal(Journal):
    """A journal that ends with the process."""

    def __init__(self) -> None:
        self._events: dict[str, list[tuple[EventKind, float, bytes]]] = {}

    async def append(self, episode: str, number: int, kind: EventKind, data: dict[str, Any]) -> None:
        event = kind, time.time(), _encode(data)
        events = self._events.setdefault(episode, [])
        if number != len(events):
            raise JournalError(
                f"The journal cannot be written: event {number} of episode {episode} follows {len(events)}."
            )
        events.append(event)

    def events(self, episode: str) -> list[Event]:
        return [self._read(number, *event) for number, event in enumerate(self._events.get(episode, ()))]

    def event(self, episode: str, number: int) -> Event:
        events = self._events.get(episode, ())
        if number >= len(events):
            raise _no_event(episode, number)
        return self._read(number, *events[number])

    def forget(self, episode: str) -> None:
        self._events.pop(episode, None)

    def open_episodes(self) -> list[str]:
        return [episode for episode, events in self._events.items() if events[-1][0] != "ended"]

    @staticmethod
    def _read(number: int, kind: EventKind, at: float, data: bytes) -> Event:
        return Event(number=number, kind=kind, at=at, data=json.loads(data))


class SqliteJournal(Journal):
    """A journal in an SQLite file, which outlives the process."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._pending: list[tuple[str, int, str, float, str]] = []
        self._written: asyncio.Future[None] | None = None

    @classmethod
    @contextmanager
    def open_file(cls, path: Path) -> Iterator["SqliteJournal"]:
        """Opens a journal; raises as `open`."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # It holds tokens and hidden configurations.
            path.touch(mode=0o600)
            connection = sqlite3.connect(path, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise JournalError(f"The journal {path} cannot be opened: {error}.") from None
        with closing(connection):
            try:
                # WAL with NORMAL survives the death of the process at any moment; a power cut may cost the
                # last moments, never the integrity.
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("PRAGMA synchronous=NORMAL")
                connection.executescript(_SCHEMA)
                connection.execute("SELECT episode, number, kind, at, data FROM events LIMIT 0")
            except sqlite3.Error as error:
                raise JournalError(f"The journal {path} cannot be opened: {error}.") from None
            yield cls(connection)

    async def append(self, episode: str, number: int, kind: EventKind, data: dict[str, Any]) -> None:
        self._pending.append((episode, number, kind, time.time(), _encode(data).decode()))
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
            # Waiters that were cancelled do not retrieve it.
            written.exception()
        else:
            written.set_result(None)

    def events(self, episode: str) -> list[Event]:
        return self._read(episode)

    def event(self, episode: str, number: int) -> Event:
        found = self._read(episode, "AND number = ?", number)
        if not found:
            raise _no_event(episode, number)
        return found[0]

    def forget(self, episode: str) -> None:
        pass

    def _read(self, episode: str, condition: str = "", *values: int) -> list[Event]:
        try:
            rows = self._connection.execute(
                f"SELECT number, kind, at, data FROM events WHERE episode = ? {condition} ORDER BY number",  # noqa: S608
                (episode, *values),
            )
            # Not pydantic's reader: it refuses levels of nesting that its writer lets pass.
            return [Event(number=n, kind=kind, at=at, data=json.loads(data)) for n, kind, at, data in rows]
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


def _encode(data: dict[str, Any]) -> bytes:
    try:
        return to_json(data)
    except ValueError as error:
        raise JournalError(f"The event is not JSON data: {error}.") from None


def _no_event(episode: str, number: int) -> JournalError:
    return JournalError(f"The journal of episode {episode} has no event {number}.")


def digest(outcome: Any) -> str:
    """A digest of an action's outcome, by which a replay is compared with what happened first."""
    return sha256(to_json(outcome)).hexdigest()[:32]
