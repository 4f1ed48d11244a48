"""Sets of environments: JSONL and Parquet with the source in a column, published ones and CodeGym's."""

import json
import re
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from codegym_mcp.errors import SourceError
from codegym_mcp.spec.codegym import environment_name
from codegym_mcp.spec.set_rows import PublishedEnvironment

SUFFIXES = (".jsonl", ".parquet")
_COLUMNS = "A set has the columns env_code, env_name and source, or name, code and tasks."
_HEAD = re.compile(rb'\{"name": ?"([A-Za-z0-9_]+)", ?"code": ?"')
"""What a line of a published set begins with; so much tells its name, and the rest can wait."""

_Data = dict[str, Any]


@dataclass(frozen=True)
class SetRow:
    """One environment of a set, read when it is asked for.

    Attributes:
        name: the environment's name.
        where: the set and the row, for people.
        problem: why it is no environment, where that shows at once.
        in_codegym_format: whether it is code and origin alone.
    """

    name: str
    where: str
    problem: SourceError | None = None
    in_codegym_format: bool = False
    _read: Callable[[], _Data] = field(default=dict, repr=False)

    def read(self) -> PublishedEnvironment:
        """What stands in the row.

        Raises:
            SourceError: it is no environment, or the set has changed since it was opened.
        """
        if self.problem is not None:
            raise self.problem.with_traceback(None)
        data = self._read()
        if self.in_codegym_format:
            data = {"name": data.get("env_name"), "code": data.get("env_code"), "origin": _origin(data)}
            return PublishedEnvironment.read(data, self.where)
        row = PublishedEnvironment.read(data, self.where)
        if environment_name(row.name) != self.name:
            raise SourceError(self.where, None, "has changed since it was opened", hint="Open it again.")
        return row


def read_set(path: Path) -> Iterator[SetRow]:
    """The rows of a set. A broken one among good ones raises its error when it is read.

    Raises:
        SourceError: it cannot be read, it is empty, or its first row shows that it is no set.
    """
    empty = True
    for row in _parquet_rows(path) if path.suffix == ".parquet" else _jsonl_rows(path):
        if empty and row.problem is not None:
            raise row.problem
        empty = False
        yield row
    if empty:
        raise SourceError(str(path), None, "holds no environment", hint=_COLUMNS)


def _row(path: Path, number: int, head: _Data, read: Callable[[], _Data]) -> SetRow:
    where = _where(path, number)
    name, code = head.get("name"), head.get("code")
    if isinstance(name, str) and isinstance(code, str):
        return SetRow(environment_name(name), where, _read=read)
    name, code = head.get("env_name"), head.get("env_code")
    if isinstance(name, str) and isinstance(code, str):
        # Class names repeat in a set; `source` is the id of the problem, as in training records.
        origin = _origin(head)
        name = environment_name(f"{origin}__{name}" if origin else name)
        return SetRow(name, where, in_codegym_format=True, _read=read)
    problem = SourceError(where, None, "has no env_code and env_name, and no name and code", hint=_COLUMNS)
    return SetRow(f"row_{number}", where, problem)


def _where(path: Path, number: int) -> str:
    return f"{path}, row {number}"


def _origin(data: _Data) -> str:
    return str(data.get("source") or "")


# --- JSONL


def _jsonl_rows(path: Path) -> Iterator[SetRow]:
    offset = 0
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                start, offset = offset, offset + len(line)
                if not line.removeprefix(BOM_UTF8).strip():
                    continue
                read = partial(_read_line, path, number, start, len(line))
                head = _HEAD.match(line)
                if head is not None:
                    yield SetRow(head[1].decode(), _where(path, number), _read=read)
                    continue
                try:
                    yield _row(path, number, _parse(path, number, line), read)
                except SourceError as error:
                    yield SetRow(f"row_{number}", _where(path, number), error)
    except OSError as error:
        raise SourceError(str(path), None, f"cannot be read: {error.strerror or error}") from None


def _read_line(path: Path, number: int, start: int, length: int) -> _Data:
    try:
        with path.open("rb") as file:
            file.seek(start)
            return _parse(path, number, file.read(length))
    except OSError as error:
        raise SourceError(str(path), number, f"cannot be read: {error.strerror or error}") from None


def _parse(path: Path, number: int, line: bytes) -> _Data:
    try:
        data = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise SourceError(str(path), number, "is not UTF-8 text", hint="Save it as UTF-8.") from None
    except (ValueError, RecursionError) as error:
        raise SourceError(str(path), number, f"is not JSON: {error}") from None
    if not isinstance(data, dict):
        raise SourceError(str(path), number, "is not a JSON object", hint=_COLUMNS)
    return data


# --- Parquet


def _parquet_rows(path: Path) -> Iterator[SetRow]:
    groups = _Groups(path)
    for number, (group, place, head) in enumerate(groups.heads(), start=1):
        yield _row(path, number, head, partial(groups.read, group, place))


class _Groups:
    """A Parquet file, of which the group of rows that was read last is kept."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kept: tuple[int, Any] | None = None

    def heads(self) -> Iterator[tuple[int, int, _Data]]:
        """Of each row the group, the place within it, and what tells its name.

        Code is not read out: an empty text stands for it.
        """
        with self._opened() as file:
            names = set(file.schema_arrow.names)
            texts, codes = names & {"name", "env_name", "source"}, names & {"code", "env_code"}
            for group in range(file.num_row_groups):
                place = 0
                for batch in file.iter_batches(row_groups=[group], columns=[*texts, *codes]):
                    valid = {name: batch.column(name).is_valid().to_pylist() for name in codes}
                    for within, head in enumerate(batch.select(sorted(texts)).to_pylist()):
                        there = {name: "" for name in codes if valid[name][within]}
                        yield group, place + within, {**head, **there}
                    place += batch.num_rows

    def read(self, group: int, place: int) -> _Data:
        if self._kept is None or self._kept[0] != group:
            with self._opened() as file:
                self._kept = group, file.read_row_group(group)
        (row,) = self._kept[1].slice(place, 1).to_pylist()
        return dict(row)

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        try:
            from pyarrow import ArrowException, parquet
        except ImportError:
            raise SourceError(
                str(self._path),
                None,
                "Parquet needs an extra",
                hint="Run: pip install 'codegym-mcp[parquet]'",
            ) from None
        try:
            with parquet.ParquetFile(self._path) as file:
                yield file
        except (ArrowException, OSError) as error:
            raise SourceError(str(self._path), None, f"is no Parquet file: {error}") from None
