"""Files that are there as a whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from codegym_mcp.errors import UnwritableError


def write_atomically(path: Path, text: str, *, hint: str) -> None:
    """Writes a file, and the folders that lead to it, so that no reader ever sees a part of it.

    Args:
        hint: what to do where it cannot be written.

    Raises:
        UnwritableError: it cannot be written.
    """
    with atomic_file(path, hint=hint) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


@contextmanager
def atomic_file(path: Path, *, hint: str) -> Iterator[Path]:
    """Where to write a file that takes its name when the block is left. If the block raises, nothing is left.

    Args:
        hint: what to do where it cannot be written.

    Raises:
        UnwritableError: it cannot be written.
    """
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield unfinished
        unfinished.replace(path)
    except OSError as error:
        raise UnwritableError(path, error.strerror or str(error), hint=hint) from None
    finally:
        with suppress(OSError):
            unfinished.unlink()
