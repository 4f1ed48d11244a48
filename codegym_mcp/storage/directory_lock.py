"""Locks a data directory, so that two servers never use it at the same time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from codegym_mcp.errors import JournalError
from codegym_mcp.storage.file_lock import closed_in_children, try_lock

_PAUSE = 0.05
"""Seconds between two attempts."""


@contextmanager
def lock_directory(folder: Path, *, alone: bool, patience: float = 0.0) -> Iterator[int]:
    """Locks a directory until the block is left or the process ends.

    Yields the descriptor of the lock: a process that inherits it keeps the lock until it has ended too.

    Args:
        folder: the directory; it is created if it does not exist.
        alone: whether all other locks are excluded; otherwise only those that ask for `alone`.
        patience: seconds to wait for another process to release its lock.

    Raises:
        JournalError: another process holds the lock, or the directory cannot be created.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("a")
    except OSError as error:
        raise JournalError(f"The directory {folder} cannot be used: {error}.") from None
    with lock:
        try:
            until = time.monotonic() + patience
            while not (locked := try_lock(lock, exclusive=alone)) and time.monotonic() < until:
                time.sleep(_PAUSE)
        except OSError as error:
            raise JournalError(f"The directory {folder} cannot be locked: {error}.") from None
        if not locked:
            raise JournalError(
                f"Another server uses the directory {folder}.",
                hint="Stop that server, or name another directory with --data.",
            )
        with closed_in_children(lock.fileno()):
            yield lock.fileno()
