"""Locks a data directory, so that two servers never use it at the same time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from codegym_mcp.errors import JournalError
from codegym_mcp.storage.file_lock import closed_in_children, try_lock


@contextmanager
def lock_directory(folder: Path, *, alone: bool) -> Iterator[int]:
    """Locks a directory until the block is left or the process ends.

    Yields the descriptor of the lock: a process that inherits it keeps the lock until it has ended too.

    Args:
        folder: the directory; it is created if it does not exist.
        alone: whether all other locks are excluded; otherwise only those that ask for `alone`.

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
            locked = try_lock(lock, exclusive=alone)
        except OSError as error:
            raise JournalError(f"The directory {folder} cannot be locked: {error}.") from None
        if not locked:
            raise JournalError(
                f"Another server uses the directory {folder}.",
                hint="Stop that server, or name another directory with --data.",
            )
        with closed_in_children(lock.fileno()):
            yield lock.fileno()
