"""Advisory locks on open files; the system releases them when the process ends."""

import fcntl
from typing import IO


def try_lock(file: IO[str] | IO[bytes] | int, *, exclusive: bool = True) -> bool:
    """Locks an open file without waiting, until it is closed.

    Args:
        file: the file or its descriptor.
        exclusive: whether all other locks are excluded; otherwise only exclusive ones.

    Returns:
        Whether the lock was taken; False if another process holds a lock that excludes it.
    """
    try:
        fcntl.flock(file, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
