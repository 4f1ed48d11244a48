"""What a format is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from codegym_harness.export.loss_counts import LossCounts
from codegym_harness.records.trajectory import Trajectory

Row = dict[str, Any]
ColumnType = Literal["text", "JSON", "list of JSON", "list of turns"]


@dataclass(frozen=True)
class Format:
    """How trajectories become rows.

    Attributes:
        row: makes a row and counts what is lost; raises `UnfitError` where a trajectory does not fit.
        columns: the columns of a row, for files that have types.
        only_in_jsonl: what is lost in JSONL and not in Parquet.
    """

    row: Callable[[Trajectory, LossCounts], Row]
    columns: Mapping[str, ColumnType]
    only_in_jsonl: frozenset[str] = frozenset()
