"""Reads sets of environments: JSON Lines and Parquet files with the source of an environment in each row."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from codegym_mcp.errors import SourceError
from codegym_mcp.spec.codegym.environment_names import environment_name
from codegym_mcp.spec.environment_set_rows import PublishedEnvironment
from codegym_mcp.storage.json_lines import JsonLine, parse_object, read_line_at, read_lines
from codegym_mcp.storage.regular_files import open_regular_file

SUFFIXES = (".jsonl", ".parquet")
MAX_ROW_GROUP = 1 << 30
"""Maximum size of a row group of a Parquet file in bytes, uncompressed."""
_COLUMNS = "A set has the columns env_code, env_name and source, or name, code and tasks."
_HEAD = re.compile(rb'\{"name": ?"([A-Za-z0-9_]+)", ?"code": ?"')
"""The beginning of a line of a published set, which tells the name without parsing the line."""

_Data = dict[str, Any]


@dataclass(frozen=True)
class SetRow:
    """One environment of a set, read on demand.

    Attributes:
        name: the environment's name.
        where: the set and the row, for error messages.
        problem: why the row is not an environment, if that is known without reading it.
        in_codegym_format: whether the row has the columns of the CodeGym format: code, name and origin.
    """

    name: str
    where: str
    problem: SourceError | None = None
    in_codegym_format: bool = False
    _read: Callable[[], _Data] = field(default=dict, repr=False)

    def read(self) -> PublishedEnvironment:
        """Returns the content of the row.

        Raises:
            SourceError: the row is not an environment, or the set has changed since it was opened.
        """
        if self.problem is not None:
            raise self.problem.with_traceback(None)
        data = self._read()
        if self.in_codegym_format:
            data = {"name": data.get("env_name"), "code": data.get("env_code"), "origin": _origin(data)}
            return PublishedEnvironment.read(data, self.where)
        row = PublishedEnvironment.read(data, self.where)
        if environment_name(row.name) != self.name:
            raise SourceError(
                self.where, None, "the set has changed since it was opened", hint="Open it again."
            )
        return row


def read_set(path: Path) -> Iterator[SetRow]:
    """Yields the rows of a set. A broken row after a good one raises its error only when it is read.

    Raises:
        SourceError: the file cannot be read, is not a regular file, is empty, or its first row is broken.
    """
    empty = True
    for row in _parquet_rows(path) if path.suffix == ".parquet" else _jsonl_rows(path):
        if empty and row.problem is not None:
            raise row.problem
        empty = False
        yield row
    if empty:
        raise SourceError(str(path), None, "the set contains no environment", hint=_COLUMNS)


def _row(path: Path, number: int, head: _Data, read: Callable[[], _Data]) -> SetRow:
    where = _where(path, number)
    name, code = head.get("name"), head.get("code")
    if isinstance(name, str) and isinstance(code, str):
        return SetRow(environment_name(name), where, _read=read)
    name, code = head.get("env_name"), head.get("env_code")
    if isinstance(name, str) and isinstance(code, str):
        # Several rows of a set have the same class name; `source` is the id of the problem.
        origin = _origin(head)
        name = environment_name(f"{origin}__{name}" if origin else name)
        return SetRow(name, where, in_codegym_format=True, _read=read)
    problem = "the row has neither env_code and env_name, nor name and code"
    return SetRow(f"row_{number}", where, SourceError(where, None, problem, hint=_COLUMNS))


def _where(path: Path, number: int) -> str:
    return f"{path}, row {number}"


def _origin(data: _Data) -> str:
    return str(data.get("source") or "")


# --- JSON Lines


def _jsonl_rows(path: Path) -> Iterator[SetRow]:
    for line in read_lines(path):
        read = partial(_read_again, path, line.number, line.offset, len(line.data))
        head = _HEAD.match(line.data)
        if head is not None:
            yield SetRow(head[1].decode(), _where(path, line.number), _read=read)
            continue
        try:
            yield _row(path, line.number, _parse(path, line), read)
        except SourceError as error:
            yield SetRow(f"row_{line.number}", _where(path, line.number), error)


def _read_again(path: Path, number: int, offset: int, length: int) -> _Data:
    return _parse(path, JsonLine(number, offset, read_line_at(path, offset, length)))


def _parse(path: Path, line: JsonLine) -> _Data:
    try:
        return parse_object(line.data)
    except ValueError as error:
        raise SourceError(str(path), line.number, f"the line {error}", hint=_COLUMNS) from None


# --- Parquet


def _parquet_rows(path: Path) -> Iterator[SetRow]:
    groups = _RowGroups(path)
    for number, (group, place, head) in enumerate(groups.heads(), start=1):
        yield _row(path, number, head, partial(groups.read, group, place))


class _RowGroups:
    """A Parquet file. The row group that was read last is cached."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._cached: tuple[int, Any] | None = None

    def heads(self) -> Iterator[tuple[int, int, _Data]]:
        """Yields the group of each row, its position in the group, and the columns that tell its name.

        Code is not read; an empty text takes its place.
        """
        with self._opened() as file:
            names = set(file.schema_arrow.names)
            texts, codes = names & {"name", "env_name", "source"}, names & {"code", "env_code"}
            for group in range(file.num_row_groups):
                self._check_size(file.metadata.row_group(group).total_byte_size)
                place = 0
                for batch in file.iter_batches(row_groups=[group], columns=[*texts, *codes]):
                    valid = {name: batch.column(name).is_valid().to_pylist() for name in codes}
                    for within, head in enumerate(batch.select(sorted(texts)).to_pylist()):
                        placeholders = {name: "" for name in codes if valid[name][within]}
                        yield group, place + within, {**head, **placeholders}
                    place += batch.num_rows

    def read(self, group: int, place: int) -> _Data:
        if self._cached is None or self._cached[0] != group:
            with self._opened() as file:
                self._cached = group, file.read_row_group(group)
        (row,) = self._cached[1].slice(place, 1).to_pylist()
        return dict(row)

    def _check_size(self, size: int) -> None:
        """Refuses a row group that is too large to be read into memory."""
        if size > MAX_ROW_GROUP:
            problem = f"a row group has {size:,} bytes; at most {MAX_ROW_GROUP:,} are allowed"
            raise SourceError(str(self._path), None, problem, hint="Write the file with smaller row groups.")

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        try:
            from pyarrow import ArrowException, parquet
        except ImportError:
            raise SourceError(
                str(self._path),
                None,
                "reading Parquet needs an optional package",
                hint="Run: pip install 'codegym-mcp[parquet]'",
            ) from None
        with open_regular_file(self._path):
            # pyarrow would wait for ever on a pipe.
            pass
        try:
            with parquet.ParquetFile(self._path) as file:
                yield file
        except (ArrowException, OSError) as error:
            raise SourceError(str(self._path), None, f"is not a Parquet file: {error}") from None
