"""Exports the trajectories of runs as a training set, or for a viewer."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from codegym_harness.export.conversion_counts import LossCounts, UnfitError
from codegym_harness.export.export_format import Row
from codegym_harness.export.export_metadata import MetadataChoice, metadata, metadata_columns
from codegym_harness.export.export_summary import ExportSummary, FileCounts
from codegym_harness.export.format_registry import FORMATS
from codegym_harness.export.row_writers import WriteRow, check_target, open_rows
from codegym_harness.export.selected_trajectories import TrajectorySelection, run_directories
from codegym_harness.export.trajectory_filters import Filters
from codegym_harness.export.validation_split import SplitBy, validation_names
from codegym_harness.export.whole_run_export import VIEWER_FORMATS, export_for_viewer
from codegym_harness.records.trajectory import Trajectory
from codegym_mcp.errors import CodegymError, NotFoundError


def export(
    runs: Sequence[Path],
    name: str,
    out: Path | str,
    filters: Filters | None = None,
    *,
    validation_share: float | None = None,
    split_by: SplitBy | str = SplitBy.ENVIRONMENT,
    metadata_choice: MetadataChoice | str = MetadataChoice.AUTO,
) -> ExportSummary:
    """Writes the trajectories of runs in a format.

    Trajectories are read one by one. Memory grows with their number only for `dedupe` and `best_of`, by some
    hundred bytes per trajectory or task.

    Args:
        runs: run directories.
        name: the name of a format, one of `FORMATS` or of `VIEWER_FORMATS`.
        out: the file, .jsonl or .parquet, which is replaced if it exists; for a viewer, what its format
            describes.
        validation_share: writes the trajectories of about this share of the environments, or tasks, into a
            file of their own: `sft.jsonl` becomes `sft.train.jsonl` and `sft.validation.jsonl`.
        split_by: whether these files share no environment, or no task.
        metadata_choice: whether rows have the columns of `METADATA_COLUMNS`.

    Raises:
        NotFoundError: the format does not exist.
        RunError: a run cannot be read.
        CodegymError: no trajectory is left, they cannot be split, or the file cannot be written.
        MissingExtraError: the file is Parquet, and pyarrow is not installed, or likewise for a viewer.
    """
    if name in VIEWER_FORMATS:
        if validation_share is not None or MetadataChoice(metadata_choice) is MetadataChoice.COLUMNS:
            raise CodegymError(f"{name} is a format for viewers, which has neither parts nor columns.")
        return export_for_viewer(runs, name, str(out), filters)
    if name not in FORMATS:
        raise NotFoundError("format", name, [*FORMATS, *VIEWER_FORMATS])
    out = Path(out)
    check_target(out)
    paths = [out] if validation_share is None else [_beside(out, "train"), _beside(out, "validation")]
    reading = TrajectorySelection(run_directories(runs, paths), filters or Filters())
    by = SplitBy(split_by)
    chosen, names = reading.look_ahead(name=by.name_of if validation_share is not None else None)
    validation: frozenset[str] = frozenset()
    if validation_share is not None:
        validation = validation_names(names, validation_share, by)
    added = metadata_columns(name, FORMATS[name], MetadataChoice(metadata_choice))
    columns = {**FORMATS[name].columns, **added}
    counts = LossCounts()
    with ExitStack() as stack:
        files = [_File(FileCounts(path), stack.enter_context(open_rows(path, columns))) for path in paths]
        for number, (_, trajectory, result) in enumerate(reading):
            if chosen is not None and number not in chosen:
                reading.dropped["best_of"] += 1
                continue
            own = LossCounts()
            try:
                row = FORMATS[name].row(trajectory, own)
            except UnfitError as error:
                reading.dropped[f"{name}: {error}"] += 1
                continue
            counts.add(own)
            row |= metadata(result) if added else {}
            files[by.name_of(result) in validation].add(row, trajectory)
        if not any(file.counts.rows for file in files):
            raise reading.nothing_left()
    lost = +counts.lost
    if out.suffix == ".parquet":
        for place in FORMATS[name].only_in_jsonl:
            del lost[place]
    return ExportSummary(
        format=name,
        runs=reading.runs,
        read=reading.read,
        dropped=dict(reading.dropped),
        kept=sum(file.counts.rows for file in files),
        files=[file.counts.described() for file in files],
        lost=dict(lost.most_common()),
        changed=dict(counts.changed.most_common()),
    )


@dataclass
class _File:
    """A file in progress."""

    counts: FileCounts
    write: WriteRow

    def add(self, row: Row, trajectory: Trajectory) -> None:
        self.write(row)
        self.counts.add(trajectory)


def _beside(path: Path, part: str) -> Path:
    return path.with_name(f"{path.stem}.{part}{path.suffix}")
