"""Writes files of rows: JSON Lines or Parquet."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO

from pydantic_core import to_json

from codegym_harness.export.export_format import ColumnType, Row
from codegym_mcp.errors import CodegymError, MissingExtraError
from codegym_mcp.json_line_escapes import json_line

WriteRow = Callable[[Row], object]

SUFFIXES = (".jsonl", ".parquet")
_ROW_GROUP = 256
"""The number of rows that are collected before they are written to a Parquet file."""


def check_target(path: Path) -> None:
    """Checks whether rows can be written to a file with this name.

    Raises:
        CodegymError: the suffix is none of `SUFFIXES`.
        MissingExtraError: the suffix is `.parquet`, and pyarrow is not installed.
    """
    if path.suffix not in SUFFIXES:
        raise CodegymError(f"{path} is neither .jsonl nor .parquet.", hint="The suffix selects the format.")
    if path.suffix == ".parquet" and find_spec("pyarrow") is None:
        raise MissingExtraError("Parquet", "pip install 'codegym-mcp[parquet]'")


@contextmanager
def open_rows(path: Path, columns: Mapping[str, ColumnType]) -> Iterator[WriteRow]:
    """A file to which rows are written until the block is left, which then takes its name.

    Whatever was there before is replaced; if the block raises, it is left as it was.

    Args:
        path: one that `check_target` lets pass.

    Raises:
        CodegymError: the file cannot be written.
    """
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("wb") as file:
            if path.suffix == ".parquet":
                with _parquet(file, columns) as write:
                    yield write
            else:
                yield lambda row: file.write(json_line(to_json(row)))
        unfinished.replace(path)
    except OSError as error:
        raise CodegymError(f"{path} cannot be written: {error}.") from None
    finally:
        with suppress(OSError):
            unfinished.unlink()


@contextmanager
def _parquet(file: BinaryIO, columns: Mapping[str, ColumnType]) -> Iterator[WriteRow]:
    import pyarrow
    from pyarrow.parquet import ParquetWriter

    stored = {name: _arrow_type(kind, pyarrow.string()) for name, kind in columns.items()}
    # JSON text loses nothing; Arrow's structures would give every object the keys of all others.
    declared = {name: _arrow_type(kind, pyarrow.json_()) for name, kind in columns.items()}
    schema = pyarrow.schema(list(declared.items()))
    rows: list[Row] = []

    def flush() -> None:
        arrays = [
            pyarrow.array([row[name] for row in rows], stored[name]).cast(declared[name]) for name in columns
        ]
        writer.write_batch(pyarrow.record_batch(arrays, schema=schema))
        rows.clear()

    def write(row: Row) -> None:
        rows.append({name: _encode(row[name], kind) for name, kind in columns.items()})
        if len(rows) == _ROW_GROUP:
            flush()

    with ParquetWriter(file, schema, compression="zstd") as writer:
        yield write
        if rows:
            flush()


def _arrow_type(kind: ColumnType, json: Any) -> Any:
    """Returns the Arrow type of a column.

    Args:
        json: the Arrow type of JSON text.
    """
    import pyarrow

    text = pyarrow.string()
    match kind:
        case "text":
            return text
        case "integer":
            return pyarrow.int64()
        case "number":
            return pyarrow.float64()
        case "JSON":
            return json
        case "list of JSON":
            return pyarrow.list_(json)
        case "list of turns":
            return pyarrow.list_(pyarrow.struct([("from", text), ("value", text)]))
        case "list of messages":
            return pyarrow.list_(pyarrow.struct([("role", text), ("content", text)]))
    return pyarrow.struct([(name, _arrow_type(member, json)) for name, member in kind.items()])


def _encode(value: Any, kind: ColumnType) -> Any:
    match kind:
        case "JSON":
            return to_json(value).decode()
        case "list of JSON":
            return [to_json(item).decode() for item in value]
    return value
