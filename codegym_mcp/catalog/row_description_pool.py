"""Describes the rows of a set in one process for each processor."""

import os
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from queue import SimpleQueue

from pydantic import ValidationError

from codegym_mcp.catalog.environment_sets import COLUMNS, row_without_name
from codegym_mcp.catalog.row_description_worker import ROWS, RowsRequest
from codegym_mcp.catalog.row_descriptions import (
    IndexedRow,
    RowProblem,
    compress_content,
    describe_row,
    row_digest,
)
from codegym_mcp.errors import SourceError
from codegym_mcp.python_process import python_command
from codegym_mcp.storage.json_lines import MAX_LINE, too_long

_CHUNK = 32
"""Rows that a process describes at a time, at most."""
_CHUNK_BYTES = 2 << 20
"""Bytes of rows from which on a chunk is complete."""
_FEW_ROWS = 200
"""So many rows are described in this process."""


@dataclass(frozen=True)
class UndescribedRow:
    """A row as it is read from a set.

    Attributes:
        number: its number, counted from one.
        position: the position of its first byte in a file of JSON Lines.
        end: the position after it.
        content: its bytes; empty if it is too long.
        keep: whether the index keeps the bytes.
    """

    number: int
    position: int
    end: int
    content: bytes
    keep: bool = False


@dataclass(frozen=True)
class DescribedRow:
    """A row with its description.

    Attributes:
        row: what the row tells.
        undescribed: the row as it was read.
        kept: the content for the index, or None if it is read from the set.
    """

    row: IndexedRow
    undescribed: UndescribedRow
    kept: bytes | None

    @classmethod
    def of(cls, row: IndexedRow, undescribed: UndescribedRow) -> "DescribedRow":
        """Combines a row with its description."""
        kept = compress_content(undescribed.content) if undescribed.keep else None
        return cls(row, undescribed, kept)


def described_rows(path: Path, rows: Iterator[UndescribedRow]) -> Iterator[DescribedRow]:
    """Describes rows in their order: a few in this process, more in one process for each processor.

    Raises:
        SourceError: the rows cannot be read, or a process has ended.
    """
    first = list(islice(rows, _FEW_ROWS))
    if len(first) < _FEW_ROWS:
        for row in first:
            yield DescribedRow.of(_describe(path, row), row)
        return
    with ExitStack() as stack:
        processes: SimpleQueue[_WorkerProcess] = SimpleQueue()
        count = _processors()
        for _ in range(count):
            processes.put(stack.enter_context(closing(_WorkerProcess(path))))
        threads = stack.enter_context(ThreadPoolExecutor(count))
        pending: deque[Future[list[DescribedRow]]] = deque()
        for chunk in _chunks(chain(first, rows)):
            pending.append(threads.submit(_describe_chunk, processes, chunk))
            if len(pending) > 2 * count:
                yield from pending.popleft().result()
        while pending:
            yield from pending.popleft().result()


def _describe_chunk(
    processes: "SimpleQueue[_WorkerProcess]", chunk: list[UndescribedRow]
) -> list[DescribedRow]:
    process = processes.get()
    try:
        described = process.describe(chunk)
    finally:
        processes.put(process)
    return [DescribedRow.of(row, undescribed) for row, undescribed in zip(described, chunk, strict=True)]


def _processors() -> int:
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _chunks(rows: Iterator[UndescribedRow]) -> Iterator[list[UndescribedRow]]:
    chunk: list[UndescribedRow] = []
    size = 0
    for row in rows:
        chunk.append(row)
        size += len(row.content)
        if len(chunk) >= _CHUNK or size >= _CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _describe(path: Path, row: UndescribedRow) -> IndexedRow:
    if row.content:
        return describe_row(path, row.number, row.content)
    if row.keep:
        text = f"the row is longer than {MAX_LINE:,} bytes"
        problem = RowProblem(line=None, is_unreadable=False, text=text, hint=COLUMNS)
    else:
        problem = RowProblem(line=row.number, is_unreadable=True, text=too_long(), hint=COLUMNS)
    return IndexedRow(
        number=row.number, name=row_without_name(row.number), digest=row_digest(b""), problem=problem
    )


class _WorkerProcess:
    """A process that describes rows; see `row_description_worker`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._process = subprocess.Popen(
            python_command("codegym_mcp.catalog.row_description_worker"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests, self._responses = self._process.stdin, self._process.stdout

    def describe(self, rows: list[UndescribedRow]) -> list[IndexedRow]:
        """Describes rows.

        Raises:
            SourceError: the process has ended.
        """
        sent = [row for row in rows if row.content]
        request = RowsRequest(path=self._path, rows=[(row.number, len(row.content)) for row in sent])
        message = b"".join((request.model_dump_json().encode(), b"\n", *(row.content for row in sent)))
        try:
            self._requests.write(message)
            self._requests.flush()
            found = {row.number: row for row in ROWS.validate_json(self._responses.readline())}
        except (OSError, ValidationError):
            raise SourceError(
                str(self._path), None, "a process that indexed the set has ended", hint="Try again."
            ) from None
        return [found.get(row.number) or _describe(self._path, row) for row in rows]

    def close(self) -> None:
        """Ends the process."""
        self._process.kill()
        self._process.communicate()
