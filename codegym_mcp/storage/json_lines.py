"""Reads JSON Lines: files with one JSON object a line."""

import json
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from codegym_mcp.errors import SourceError
from codegym_mcp.storage.regular_files import open_regular_file

_UTF16_STARTS = (BOM_UTF16_LE, BOM_UTF16_BE, b"{\0", b"\0{")
"""Beginnings of files in UTF-16, with and without a mark: PowerShell redirects output into such files."""
MAX_LINE = 64 << 20
"""Maximum length of a line in bytes."""
_SKIPPED = 1 << 20
"""Bytes of a line that is too long which are in memory at a time."""


class JsonLine(NamedTuple):
    """One line that is not blank.

    Attributes:
        number: its number, counted from one.
        offset: the position of its first byte in the file.
        data: its bytes, without a byte order mark; empty if it is too long.
        end: the position after its last byte.
    """

    number: int
    offset: int
    data: bytes
    end: int


def read_lines(path: Path, *, skip_long: bool = False, after: tuple[int, int] = (0, 0)) -> Iterator[JsonLine]:
    """Yields the lines of a file that are not blank.

    Args:
        path: the file.
        skip_long: whether to yield lines longer than `MAX_LINE` without their bytes.
        after: the number and the end of the line after which to begin.

    Raises:
        SourceError: the file cannot be read, is not a regular file, is UTF-16, or has a line longer than
            `MAX_LINE`.
    """
    with open_regular_file(path) as file:
        number, offset = after
        file.seek(offset)
        while True:
            try:
                line = file.readline(MAX_LINE + 1)
            except OSError as error:
                raise SourceError(str(path), None, f"cannot be read: {error.strerror or error}") from None
            if not line:
                return
            number += 1
            if number == 1 and line.startswith(_UTF16_STARTS):
                raise SourceError(str(path), 1, "is UTF-16 text, not UTF-8", hint="Save the file as UTF-8.")
            start, offset = offset, offset + len(line)
            if len(line) > MAX_LINE:
                if not skip_long:
                    raise SourceError(str(path), number, too_long())
                while line and not line.endswith(b"\n"):
                    line = file.readline(_SKIPPED)
                    offset += len(line)
                yield JsonLine(number, start, b"", offset)
                continue
            data = line.removeprefix(BOM_UTF8)
            if data.strip():
                yield JsonLine(number, start + len(line) - len(data), data, offset)


def too_long() -> str:
    """Returns what is wrong with a line that is longer than `MAX_LINE`."""
    return f"the line is longer than {MAX_LINE:,} bytes"


def read_line_at(path: Path, offset: int, length: int) -> bytes:
    """Returns the bytes of one line whose position is known.

    Raises:
        SourceError: the file cannot be read.
    """
    with open_regular_file(path) as file:
        try:
            file.seek(offset)
            return file.read(length)
        except OSError as error:
            raise SourceError(str(path), None, f"cannot be read: {error.strerror or error}") from None


def parse_object(data: bytes) -> dict[str, Any]:
    """Parses a line as a JSON object.

    Raises:
        ValueError: the line is not UTF-8 text, not JSON, or not an object; the message is a predicate such as
            "is not JSON: …".
    """
    try:
        value = json.loads(data.decode())
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8 text") from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise ValueError("is not a JSON object")
    return value
