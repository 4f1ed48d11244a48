"""The journal in memory."""

from typing import NamedTuple

from codegym_mcp.episodes.events import Event, event_data, read_event
from codegym_mcp.episodes.journal import Journal
from codegym_mcp.errors import JournalError


class _Row(NamedTuple):
    kind: str
    at: float
    data: bytes


class MemoryJournal(Journal):
    """A journal that ends with the process."""

    outlives_process = False

    def __init__(self) -> None:
        self._rows: dict[str, list[_Row]] = {}

    async def append(self, episode: str, number: int, event: Event) -> None:
        try:
            row = _Row(event.kind, event.at, event_data(event))
        except ValueError as error:
            raise JournalError(f"The event is not JSON data: {error}.") from None
        rows = self._rows.setdefault(episode, [])
        if number != len(rows):
            raise JournalError(
                f"The journal cannot be written: event {number} of episode {episode} is not number {len(rows)}."
            )
        rows.append(row)

    def events(self, episode: str) -> list[Event]:
        return [read_event(*row) for row in self._rows.get(episode, ())]

    def event(self, episode: str, number: int) -> Event:
        rows = self._rows.get(episode, ())
        if number >= len(rows):
            raise JournalError(f"The journal of episode {episode} has no event {number}.")
        return read_event(*rows[number])

    def forget(self, episode: str) -> None:
        self._rows.pop(episode, None)

    def open_episodes(self) -> list[str]:
        return [episode for episode, rows in self._rows.items() if rows[-1].kind != "ended"]
