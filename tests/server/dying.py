"""A server that kills itself at chosen moments: `python dying.py FOLDER MOMENTS serve …`.

The moments stand in one text, with commas between them. Each strikes once; the folder keeps those that have.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from codegym_mcp.cli import main
from codegym_mcp.episodes.events import Event
from codegym_mcp.episodes.lost_process_replay import ReplayableEnvironment
from codegym_mcp.episodes.sqlite_journal import SqliteJournal
from codegym_mcp.episodes.tool_outcome import ToolOutcome


class Deaths:
    """Puts the moments into the server's code."""

    def __init__(self, folder: Path, moments: list[str]) -> None:
        self._folder = folder
        self._moments = moments

    def arrange(self) -> None:
        """Makes the server end at its moments."""
        append, outcome = SqliteJournal.append, ReplayableEnvironment._outcome

        async def append_or_die(journal: SqliteJournal, id: str, number: int, event: Event) -> None:
            self._come(f"before {event.kind} is recorded")
            await append(journal, id, number, event)
            self._come(f"after {event.kind} is recorded")

        async def outcome_or_die(
            environment: ReplayableEnvironment,
            process: Any,
            name: str,
            arguments: dict[str, Any],
            seconds: float,
        ) -> ToolOutcome:
            found = await outcome(environment, process, name, arguments, seconds)
            # A replayed call has more time than any other.
            if seconds > environment._limits.call_seconds:
                self._come("during a replay")
            return found

        SqliteJournal.append = append_or_die  # type: ignore[method-assign]
        ReplayableEnvironment._outcome = outcome_or_die  # type: ignore[method-assign]

    def _come(self, moment: str) -> None:
        struck = self._folder / moment
        if moment in self._moments and not struck.exists():
            struck.touch()
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    _, folder, moments, *arguments = sys.argv
    Deaths(Path(folder), moments.split(",")).arrange()
    main(arguments, prog_name="codegym-mcp")
