"""The journals of a data folder: a file for each process, divided anew if the number of processes changes."""

import logging
import os
import re
import sqlite3
from contextlib import ExitStack
from pathlib import Path

from codegym_mcp.episodes.episode_shards import Shard, shard_of
from codegym_mcp.episodes.journal_file import open_journal_file
from codegym_mcp.errors import JournalError

logger = logging.getLogger(__name__)

_NAME = re.compile(r"journal(-[0-9]+-of-[0-9]+)?\.sqlite")
_LARGE_BYTES = 64 << 20
"""Dividing journals of more bytes takes so long that it is announced."""


def divide_journals(folder: Path, count: int) -> None:
    """Moves the episodes of a data folder into the journals of a number of shards.

    Nothing is lost if the process ends meanwhile: a file is removed after all of its events are safe in the
    others, and an event that was copied already is not copied again. No other process may use the folder.

    Args:
        folder: the data folder.
        count: the number of shards.

    Raises:
        JournalError: a journal cannot be read, or another one cannot be written.
    """
    wanted = [folder / Shard(index, count).journal_name for index in range(count)]
    others = [path for path in sorted(folder.glob("journal*.sqlite")) if _NAME.fullmatch(path.name)]
    sources = [path for path in others if path not in wanted]
    if not sources:
        return
    size = sum(path.stat().st_size for path in sources)
    if size > _LARGE_BYTES:
        logger.warning(
            "The journal of %d MiB is divided among %d processes. This happens once.", size >> 20, count
        )
    try:
        for source in sources:
            _copy(source, wanted)
        for source in sources:
            for suffix in ("", "-wal", "-shm"):
                source.with_name(source.name + suffix).unlink(missing_ok=True)
    except (OSError, sqlite3.Error) as error:
        raise JournalError(
            f"The journal in {folder} cannot be divided among {count} processes: {error}.",
            hint="Free space on the disk, or start with the number of workers of before.",
        ) from None


def _copy(source: Path, wanted: list[Path]) -> None:
    """Copies the events of a journal into those of their shards, and waits until they are on the disk."""
    with open_journal_file(source) as connection:
        connection.create_function(
            "shard", 1, lambda episode: shard_of(episode, len(wanted)), deterministic=True
        )
        for index, target in enumerate(wanted):
            with ExitStack() as stack:
                # It is created if it does not exist, and checked.
                stack.enter_context(open_journal_file(target))
                connection.execute("ATTACH ? AS target", (os.fspath(target),))
                stack.callback(connection.execute, "DETACH target")
                # The file of the source is removed afterwards: the copies must survive a power cut.
                connection.execute("PRAGMA target.synchronous=FULL")
                connection.execute(
                    "INSERT OR IGNORE INTO target.events SELECT episode, number, kind, at, data "
                    "FROM main.events WHERE shard(CAST(episode AS BLOB)) = ?",
                    (index,),
                )
                connection.execute("PRAGMA target.wal_checkpoint(TRUNCATE)")
