"""The description of an export format."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from codegym_harness.export.conversion_counts import LossCounts
from codegym_harness.records.trajectory import Trajectory

Row = dict[str, Any]
ColumnType = (
    Literal["text", "integer", "number", "JSON", "list of JSON", "list of turns", "list of messages"]
    | Mapping[str, "ColumnType"]
)
"""The type of a column: a name, or the types of the members of an object."""


@dataclass(frozen=True)
class Format:
    """Converts trajectories to rows.

    Attributes:
        row: converts a trajectory and counts what is lost; raises `UnfitError` if it cannot be a row.
        columns: the columns of a row, for files that have types.
        only_in_jsonl: what is lost in JSON Lines and not in Parquet.
        takes_metadata: whether readers of the format ignore further columns.
    """

    row: Callable[[Trajectory, LossCounts], Row]
    columns: Mapping[str, ColumnType]
    only_in_jsonl: frozenset[str] = frozenset()
    takes_metadata: bool = False
