"""Advisory locks on open files; the system releases them when the process ends."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
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


_not_for_children: set[int] = set()
"""Descriptors that a forked child closes."""


@contextmanager
def closed_in_children(descriptor: int) -> Iterator[None]:
    """Closes a locked file in the children that this process forks until the block is left.

    A lock belongs to the open file, which a forked child shares: a child that lives on would keep the lock
    after this process has ended.
    """
    _not_for_children.add(descriptor)
    try:
        yield
    finally:
        _not_for_children.discard(descriptor)


def _close_in_child() -> None:
    for descriptor in _not_for_children:
        # The number stays in use, so that the Python file which has it closes nothing else.
        null = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        os.dup2(null, descriptor, inheritable=False)
        os.close(null)
    _not_for_children.clear()


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_close_in_child)


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
