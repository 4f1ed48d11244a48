"""Sets of environments in the CodeGym format: JSONL and Parquet with the source in a column."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codegym_mcp.codegym import environment_name
from codegym_mcp.errors import SourceError
from codegym_mcp.task_files import numbered_lines

SUFFIXES = (".jsonl", ".parquet")
_COLUMNS = "A set has the columns env_code, env_name and source."


@dataclass(frozen=True)
class Row:
    """One environment of a set.

    Attributes:
        name: the environment's name.
        where: the set and the row, for people.
        code: its source.
        origin: the id of its problem; empty where the set does not tell it.
        problem: why it is no environment, where it is none.
    """

    name: str
    where: str
    code: str = ""
    origin: str = ""
    problem: SourceError | None = None


def read_set(path: Path) -> Iterator[Row]:
    """Reads the rows of a set; a broken one among good ones is a row with its problem.

    Raises:
        SourceError: it cannot be read, it is empty, or its first row shows that it is no set.
    """
    empty = True
    for number, data in _parquet_rows(path) if path.suffix == ".parquet" else _jsonl_rows(path):
        row = _read_row(path, number, data)
        if empty and row.problem is not None:
            raise row.problem
        empty = False
        yield row
    if empty:
        raise SourceError(str(path), None, "holds no environment", hint=_COLUMNS)


def _read_row(path: Path, number: int, data: dict[str, Any] | SourceError) -> Row:
    where, unnamed = f"{path}, row {number}", f"row_{number}"
    if isinstance(data, SourceError):
        return Row(unnamed, where, problem=data)
    code, name = data.get("env_code"), data.get("env_name")
    if not isinstance(code, str) or not isinstance(name, str):
        problem = SourceError(where, None, "has no env_code and env_name", hint=_COLUMNS)
        return Row(unnamed, where, problem=problem)
    # Class names repeat in a set; `source` is the id of the problem, as in training records.
    origin = str(data.get("source") or "")
    return Row(environment_name(f"{origin}__{name}" if origin else name), where, code, origin)


def _jsonl_rows(path: Path) -> Iterator[tuple[int, dict[str, Any] | SourceError]]:
    for number, line in numbered_lines(path):
        try:
            data = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield number, SourceError(str(path), number, f"is not JSON: {error}")
            continue
        if isinstance(data, dict):
            yield number, data
        else:
            yield number, SourceError(str(path), number, "is not a JSON object", hint=_COLUMNS)


def _parquet_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        raise SourceError(
            str(path), None, "Parquet needs an extra", hint="Run: pip install 'codegym-mcp[parquet]'"
        ) from None
    number = 0
    try:
        for batch in parquet.ParquetFile(path).iter_batches(batch_size=256):
            for row in batch.to_pylist():
                number += 1
                yield number, row
    except (ArrowException, OSError) as error:
        raise SourceError(str(path), None, f"is no Parquet file: {error}") from None
