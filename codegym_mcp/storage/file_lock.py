"""Advisory locks on open files; the system releases them when the process ends."""

import os
import sys
from typing import IO

if sys.platform != "win32":
    import fcntl


def try_lock(file: IO[str] | IO[bytes] | int, *, exclusive: bool = True) -> bool:
    """Locks an open file without waiting, until it is closed.

    Args:
        file: the file or its descriptor.
        exclusive: whether all other locks are excluded; otherwise only exclusive ones. Windows has only
            exclusive locks, so there a lock that is not exclusive is always granted and excludes nothing.

    Returns:
        Whether the lock was taken; False if another process holds a lock that excludes it.
    """
    descriptor = file if isinstance(file, int) else file.fileno()
    if sys.platform == "win32":
        return not exclusive or _try_windows_lock(descriptor)
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _try_windows_lock(descriptor: int) -> bool:
    if sys.platform != "win32":
        raise NotImplementedError
    import msvcrt

    position = os.lseek(descriptor, 0, os.SEEK_CUR)
    os.lseek(descriptor, 0, os.SEEK_SET)
    try:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    except OSError:
        return False
    finally:
        os.lseek(descriptor, position, os.SEEK_SET)
    return True
