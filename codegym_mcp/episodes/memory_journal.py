"""The journal in memory."""

import heapq

from codegym_mcp.episodes.events import EpisodeRecord, Event, EventRow, event_data, read_event, read_record
from codegym_mcp.episodes.journal import Journal, Opening
from codegym_mcp.errors import JournalError


class MemoryJournal(Journal):
    """A journal that ends with the process."""

    outlives_process = False

    def __init__(self) -> None:
        self._rows: dict[str, list[EventRow]] = {}

    async def append(self, episode: str, number: int, event: Event) -> None:
        try:
            row = EventRow(number, event.kind, event.at, event_data(event))
        except ValueError as error:
            raise JournalError(f"The event is not JSON data: {error}.") from None
        rows = self._rows.setdefault(episode, [])
        if number != len(rows):
            raise JournalError(f"The journal cannot be written: episode {episode} has {len(rows)} events.")
        rows.append(row)

    def record(self, episode: str) -> EpisodeRecord:
        return read_record(self._rows.get(episode, ()))

    def next_number(self, episode: str) -> int:
        return len(self._rows.get(episode, ()))

    def event(self, episode: str, number: int) -> Event:
        rows = self._rows.get(episode, ())
        if number >= len(rows):
            raise JournalError(f"The journal of episode {episode} has no event {number}.")
        return read_event(rows[number])

    def forget(self, episode: str) -> None:
        self._rows.pop(episode, None)

    def open_episodes(self) -> list[str]:
        return [episode for episode, rows in self._rows.items() if rows[-1].kind != "ended"]

    def openings(self, *, before: Opening | None, limit: int) -> list[Opening]:
        openings = (Opening(rows[0].at, episode) for episode, rows in self._rows.items())
        return heapq.nlargest(limit, (each for each in openings if before is None or each < before))
