"""Opens regular files only: a device, a pipe or a socket could block for ever or never end."""

import os
import stat
from pathlib import Path
from typing import BinaryIO

from codegym_mcp.errors import SourceError

_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}

_FLAGS = sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_NOCTTY"))
"""Windows has neither."""


def open_regular_file(path: Path) -> BinaryIO:
    """Opens a regular file, or a link to one, for reading. Never waits for a writer.

    Raises:
        SourceError: the file does not exist, cannot be opened, or is not a regular file.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | _FLAGS)
    except (OSError, ValueError) as error:
        # Opening a socket fails with "No such device or address".
        raise _unreadable(path, error) from None
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        kind = _KINDS.get(stat.S_IFMT(mode), "a special file")
        raise SourceError(str(path), None, f"is {kind}, not a regular file", hint="Copy it into a file.")
    return os.fdopen(descriptor, "rb")


def read_regular_file(path: Path, limit: int) -> bytes:
    """Returns the content of a regular file.

    Args:
        path: the file.
        limit: maximum size in bytes.

    Raises:
        SourceError: the file cannot be read, is not a regular file, or is larger than `limit`.
    """
    with open_regular_file(path) as file:
        try:
            content = file.read(limit + 1)
        except OSError as error:
            raise _unreadable(path, error) from None
    if len(content) > limit:
        raise SourceError(str(path), None, f"is larger than {limit:,} bytes")
    return content


def _unreadable(path: Path, error: OSError | ValueError) -> SourceError:
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return SourceError(str(path), None, f"cannot be read: {reason}")
