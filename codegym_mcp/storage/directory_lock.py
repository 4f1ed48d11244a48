"""A folder in which a server keeps what it needs after a restart, held against other servers."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from codegym_mcp.errors import JournalError


@contextmanager
def lock_directory(folder: Path, *, alone: bool) -> Iterator[None]:
    """Holds a folder until the block is left, or the process ends in whatever way.

    Args:
        folder: made where it is missing.
        alone: against all others; else against those that want it alone.

    Raises:
        JournalError: another server holds it, or it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("a")
    except OSError as error:
        raise JournalError(f"The folder {folder} cannot be used: {error}.") from None
    with lock:
        try:
            fcntl.flock(lock, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except OSError:
            raise JournalError(
                f"Another server keeps its episodes in {folder}.",
                hint="End it first, or give --data another folder.",
            ) from None
        yield
