"""Reads the lines that were appended to a file of trajectories since the last time."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, NamedTuple, Self

from pydantic_core import from_json

from codegym_mcp.storage.json_lines import MAX_LINE
from codegym_mcp.storage.regular_files import open_regular_file

_TAIL_BYTES = 256


@dataclass(frozen=True)
class ReadPosition:
    """How far a file was read, and what identifies the part that was read.

    Attributes:
        inode: the inode of the file; another one means that the file was replaced.
        offset: the position after the last line that was read, in bytes.
        lines: the number of lines before the offset.
        tail: digest of the last bytes before the offset.
    """

    inode: int = 0
    offset: int = 0
    lines: int = 0
    tail: str = ""


class Line(NamedTuple):
    """A line of a file.

    Attributes:
        number: its number, starting at 1.
        offset: the position of its first byte.
        length: its length in bytes.
        data: its bytes; of a line that is too long, only the beginning.
        too_long: whether it is longer than `MAX_LINE`.
    """

    number: int
    offset: int
    length: int
    data: bytes
    too_long: bool


class AppendedLines:
    """The lines after a position, of an open file.

    Attributes:
        position: the position after the line that was yielded last.
        incomplete: the bytes of a last line that is not complete. Its writer has not finished, or was killed.
    """

    def __init__(self, file: BinaryIO, position: ReadPosition) -> None:
        self._file = file
        self.position = ReadPosition(
            os.fstat(file.fileno()).st_ino, position.offset, position.lines, position.tail
        )
        self.incomplete = 0

    @classmethod
    def open(cls, path: Path, position: ReadPosition) -> Self | None:
        """Opens a file at a position.

        Returns:
            None if the file does not continue what was read: it was replaced, shortened or changed.

        Raises:
            SourceError: the file cannot be read.
        """
        file = open_regular_file(path)
        status = os.fstat(file.fileno())
        unchanged = position.offset == 0 or (
            status.st_ino == position.inode
            and status.st_size >= position.offset
            and _tail(file, position.offset) == position.tail
        )
        if not unchanged:
            file.close()
            return None
        file.seek(position.offset)
        return cls(file, position)

    def __iter__(self) -> Iterator[Line]:
        while True:
            position = self.position
            line = self._file.readline(MAX_LINE + 1)
            if not line:
                return
            length, complete = len(line), line.endswith(b"\n")
            if too_long := len(line) > MAX_LINE:
                line = line[:_TAIL_BYTES]
                while not complete and (rest := self._file.readline(1 << 20)):
                    length, complete = length + len(rest), rest.endswith(b"\n")
            if not complete and (too_long or not _is_json(line)):
                self.incomplete = length
                return
            number = position.lines + 1
            self.position = ReadPosition(position.inode, position.offset + length, number)
            if line.strip():
                yield Line(number, position.offset, length, line, too_long)

    def finish(self) -> ReadPosition:
        """Closes the file and returns the position to continue from."""
        position = self.position
        tail = _tail(self._file, position.offset)
        self._file.close()
        return ReadPosition(position.inode, position.offset, position.lines, tail)


def _tail(file: BinaryIO, offset: int) -> str:
    start = max(0, offset - _TAIL_BYTES)
    file.seek(start)
    return sha256(file.read(offset - start)).hexdigest()


def _is_json(line: bytes) -> bool:
    try:
        from_json(line)
    except ValueError:
        return False
    return True
