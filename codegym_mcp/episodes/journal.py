"""The journal: every event of every episode, written before the agent receives its reply.

Environments are deterministic, so an episode is its task and its calls: from its events it can be rebuilt in
a new process, and the digest of every outcome shows whether the rebuilt process is the same.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from codegym_mcp.episodes.events import EpisodeRecord, Event
from codegym_mcp.errors import JournalError


class Opening(NamedTuple):
    """The opening of an episode, by which lists of episodes are ordered."""

    at: float
    """When the episode was opened, in seconds since the epoch."""
    episode: str
    """The id of the episode."""


class Journal(ABC):
    """The events of all episodes of one server."""

    @staticmethod
    @contextmanager
    def open(path: Path | None = None) -> Iterator["Journal"]:
        """Opens a journal until the block is left.

        Args:
            path: the SQLite file; without it the journal is kept in memory and ends with the process.

        Raises:
            JournalError: the file cannot be opened, or is not a journal.
        """
        from codegym_mcp.episodes.memory_journal import MemoryJournal
        from codegym_mcp.episodes.sqlite_journal import SqliteJournal

        if path is None:
            yield MemoryJournal()
        else:
            with SqliteJournal.open_file(path) as journal:
                yield journal

    @property
    @abstractmethod
    def outlives_process(self) -> bool:
        """Whether another process can continue the episodes of this journal."""

    @abstractmethod
    async def append(self, episode: str, number: int, event: Event) -> None:
        """Writes an event and returns when it is safe.

        Args:
            number: the position of the event in its episode, starting at 0.

        Raises:
            JournalError: the event cannot be written, or is not JSON data.
        """

    def events(self, episode: str) -> list[Event]:
        """Returns the events of an episode in their order, or an empty list if the episode is unknown.

        Raises:
            JournalError: the episode is damaged, or the journal cannot be read.
        """
        events, damage = self.record(episode)
        if damage:
            raise JournalError(f"The journal of episode {episode} cannot be read: {damage}.")
        return events

    @abstractmethod
    def record(self, episode: str) -> EpisodeRecord:
        """Returns what can be read of an episode; it is empty if the episode is unknown.

        Raises:
            JournalError: the journal cannot be read.
        """

    @abstractmethod
    def next_number(self, episode: str) -> int:
        """Returns the number of the next event of an episode, which may be damaged.

        Raises:
            JournalError: the journal cannot be read.
        """

    @abstractmethod
    def event(self, episode: str, number: int) -> Event:
        """Returns one event of an episode.

        Raises:
            JournalError: the episode has no event with this number, or the event cannot be read.
        """

    @abstractmethod
    def forget(self, episode: str) -> None:
        """Removes the events of an ended episode from memory; a journal in a file keeps them."""

    @abstractmethod
    def open_episodes(self) -> list[str]:
        """Returns the ids of the episodes that have not ended, damaged episodes included, the oldest first.

        Raises:
            JournalError: the journal cannot be read.
        """

    @abstractmethod
    def openings(self, *, before: Opening | None, limit: int) -> list[Opening]:
        """Returns the openings of episodes, open and ended, the newest first.

        Args:
            before: only openings before this one are returned.
            limit: how many are returned at most.

        Raises:
            JournalError: the journal cannot be read.
        """

    def prune(self, *, ended_before: float | None, max_bytes: int | None) -> bool:
        """Deletes some episodes that ended long ago from a journal that outlives the process.

        Args:
            ended_before: episodes that ended before this time, in seconds since the epoch, are deleted.
            max_bytes: the oldest ended episodes are deleted while the journal is larger.

        Returns:
            Whether episodes were deleted; more may have to be.

        Raises:
            JournalError: the journal cannot be written.
        """
        return False
