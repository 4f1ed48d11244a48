"""Writes files atomically: a reader sees the old content or the new, never a part."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from codegym_mcp.errors import UnwritableError


def write_atomically(path: Path, text: str, *, hint: str) -> None:
    """Writes a text file, and creates the directories that lead to it.

    Args:
        path: the file.
        text: its new content.
        hint: what the user can do if the file cannot be written.

    Raises:
        UnwritableError: the file cannot be written.
    """
    with atomic_file(path, hint=hint) as temporary:
        temporary.write_text(text, encoding="utf-8")


@contextmanager
def atomic_file(path: Path, *, hint: str) -> Iterator[Path]:
    """Yields a temporary path, which replaces `path` when the block ends, and is deleted if the block raises.

    Args:
        path: the file.
        hint: what the user can do if the file cannot be written.

    Raises:
        UnwritableError: the file cannot be written.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise UnwritableError(path, error.strerror or str(error), hint=hint) from None
    finally:
        with suppress(OSError):
            temporary.unlink()
