"""A process that describes rows of a set for the process that builds its index.

A request is a line of JSON, a `RowsRequest`, and the bytes of the rows. The response is a line of JSON, a
list of `IndexedRow`. The process ends with its standard input.
"""

import gc
import sys
from pathlib import Path

from pydantic import BaseModel, TypeAdapter

from codegym_mcp.catalog.row_descriptions import IndexedRow, describe_row

ROWS = TypeAdapter(list[IndexedRow])


class RowsRequest(BaseModel):
    """Which rows are to be described; their bytes follow."""

    path: Path
    rows: list[tuple[int, int]]
    """The number and the length in bytes of each row."""


def main() -> None:
    """Describes rows until the standard input ends."""
    # Syntax trees have many objects and no cycles: they are freed at once, and searching them for cycles
    # would take a fifth of the time.
    gc.freeze()
    gc.disable()
    source, target = sys.stdin.buffer, sys.stdout.buffer
    for line in source:
        request = RowsRequest.model_validate_json(line)
        described = [
            describe_row(request.path, number, source.read(length)) for number, length in request.rows
        ]
        target.write(ROWS.dump_json(described) + b"\n")
        target.flush()
        del described
        gc.collect()


if __name__ == "__main__":
    main()
