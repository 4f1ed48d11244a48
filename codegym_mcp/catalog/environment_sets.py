"""Reads sets of environments: JSON Lines and Parquet files with the source of an environment in each row."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codegym_mcp.catalog.environment_set_rows import PublishedEnvironment
from codegym_mcp.environment_definition.codegym_format.environment_names import environment_name
from codegym_mcp.errors import SourceError
from codegym_mcp.storage.json_lines import parse_object
from codegym_mcp.storage.regular_files import open_regular_file

SUFFIXES = (".jsonl", ".parquet")
COLUMNS = "A set has the columns env_code, env_name and source, or name, code and tasks."
MAX_ROW_GROUP = 1 << 30
"""Maximum size of a row group of a Parquet file in bytes, uncompressed."""
_BATCH = 32
_BATCH_BYTES = 256 << 20
"""Rows and bytes of a Parquet file that are in memory at a time; more bytes only if one row has them."""


@dataclass(frozen=True)
class SetRow:
    """One row of a set.

    Attributes:
        name: the name of its environment.
        published: its content.
        in_codegym_format: whether it has the columns of the CodeGym format: code, name and origin.
    """

    name: str
    published: PublishedEnvironment
    in_codegym_format: bool


def row_place(path: Path, number: int) -> str:
    """Returns how error messages name a row, counted from one."""
    return f"{path}, row {number}"


def row_without_name(number: int) -> str:
    """Returns the name of a row that tells no name of its own."""
    return f"row_{number}"


def parse_line(path: Path, number: int, line: bytes) -> dict[str, Any]:
    """Parses a line of a set in JSON Lines.

    Raises:
        SourceError: the line is not a JSON object.
    """
    try:
        return parse_object(line)
    except ValueError as error:
        raise SourceError(str(path), number, f"the line {error}", hint=COLUMNS) from None


def row_name(path: Path, number: int, data: dict[str, Any]) -> tuple[str, bool]:
    """Returns the name of a row's environment, and whether the row is in the CodeGym format.

    Raises:
        SourceError: the row lacks a column.
    """
    name, code = data.get("name"), data.get("code")
    if isinstance(name, str) and isinstance(code, str):
        return environment_name(name), False
    name, code = data.get("env_name"), data.get("env_code")
    if isinstance(name, str) and isinstance(code, str):
        # Several rows of a set have the same class name; `source` is the id of the problem.
        origin = _origin(data)
        return environment_name(f"{origin}__{name}" if origin else name), True
    problem = "the row has neither env_code and env_name, nor name and code"
    raise SourceError(row_place(path, number), None, problem, hint=COLUMNS)


def read_row(path: Path, number: int, data: dict[str, Any]) -> SetRow:
    """Reads the columns of a row.

    Raises:
        SourceError: the row is not an environment.
    """
    name, in_codegym_format = row_name(path, number, data)
    if in_codegym_format:
        data = {"name": data["env_name"], "code": data["env_code"], "origin": _origin(data)}
    return SetRow(name, PublishedEnvironment.read(data, row_place(path, number)), in_codegym_format)


def _origin(data: dict[str, Any]) -> str:
    return str(data.get("source") or "")


def count_parquet_rows(path: Path) -> int:
    """Returns the number of rows of a Parquet file.

    Raises:
        SourceError: the file cannot be read, or a row group is too large.
    """
    with _opened(path) as file:
        for group in range(file.num_row_groups):
            size = file.metadata.row_group(group).total_byte_size
            if size > MAX_ROW_GROUP:
                problem = f"a row group has {size:,} bytes; at most {MAX_ROW_GROUP:,} are allowed"
                raise SourceError(str(path), None, problem, hint="Write the file with smaller row groups.")
        return int(file.metadata.num_rows)


def read_parquet_rows(path: Path, *, skip: int = 0) -> Iterator[dict[str, Any]]:
    """Yields the rows of a Parquet file, except the first `skip`.

    Raises:
        SourceError: the file cannot be read.
    """
    with _opened(path) as file:
        first = 0
        for group in range(file.num_row_groups):
            content = file.metadata.row_group(group)
            count = content.num_rows
            # A value that many rows have is in the file once, so a row may have as many bytes as its group.
            batch_size = max(1, min(_BATCH, _BATCH_BYTES // max(1, content.total_byte_size)))
            if first + count > skip:
                row = first
                for batch in file.iter_batches(batch_size=batch_size, row_groups=[group]):
                    rows = batch if row >= skip else batch.slice(min(skip - row, len(batch)))
                    row += len(batch)
                    yield from rows.to_pylist()
            first += count


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        raise SourceError(
            str(path),
            None,
            "reading Parquet needs an optional package",
            hint="Run: pip install 'codegym-mcp[parquet]'",
        ) from None
    with open_regular_file(path):
        # pyarrow would wait for ever on a pipe.
        pass
    try:
        with parquet.ParquetFile(path) as file:
            yield file
    except (ArrowException, OSError) as error:
        raise SourceError(str(path), None, f"is not a Parquet file: {error}") from None
