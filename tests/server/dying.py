"""A server that kills itself at chosen moments: `python dying.py FOLDER MOMENTS serve …`.

The moments stand in one text, with commas between them. Each strikes once; the folder keeps those that have.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from codegym_mcp.cli import main
from codegym_mcp.episodes import replay
from codegym_mcp.episodes.journal import EventKind, SqliteJournal


class Deaths:
    """Puts the moments into the server's code."""

    def __init__(self, folder: Path, moments: list[str]) -> None:
        self._folder = folder
        self._moments = moments

    def arrange(self) -> None:
        """From here on it dies at its moments."""
        append, digest = SqliteJournal.append, replay.digest

        async def append_or_die(
            journal: SqliteJournal, id: str, number: int, kind: EventKind, data: Any
        ) -> None:
            self._come(f"before {kind} is recorded")
            await append(journal, id, number, kind, data)
            self._come(f"after {kind} is recorded")

        def digest_or_die(outcome: Any) -> str:
            # Here it is used for replays alone.
            self._come("during a replay")
            return digest(outcome)

        SqliteJournal.append = append_or_die  # type: ignore[method-assign]
        replay.digest = digest_or_die  # type: ignore[attr-defined]

    def _come(self, moment: str) -> None:
        struck = self._folder / moment
        if moment in self._moments and not struck.exists():
            struck.touch()
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    _, folder, moments, *arguments = sys.argv
    Deaths(Path(folder), moments.split(",")).arrange()
    main(arguments, prog_name="codegym-mcp")
