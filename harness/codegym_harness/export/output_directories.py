"""Writes a directory that takes its name when it is complete."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from codegym_mcp.errors import CodegymError


@contextmanager
def new_directory(path: Path) -> Iterator[Path]:
    """Yields a directory that is written and takes the name `path` when the block ends.

    If the block raises, nothing is left.

    Raises:
        CodegymError: `path` exists, or the directory cannot be written.
    """
    if path.exists():
        raise CodegymError(f"{path} exists already.", hint="Name another directory, or remove this one.")
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        yield unfinished
        unfinished.rename(path)
    except OSError as error:
        raise CodegymError(f"{path} cannot be written: {error}.") from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
