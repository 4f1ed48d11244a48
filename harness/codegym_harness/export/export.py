"""Exports the trajectories of runs as a training set."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from codegym_harness.export.conversion_counts import LossCounts, UnfitError
from codegym_harness.export.export_format import Row
from codegym_harness.export.export_metadata import MetadataChoice, metadata, metadata_columns
from codegym_harness.export.export_summary import ExportedFile, ExportSummary
from codegym_harness.export.format_registry import FORMATS
from codegym_harness.export.row_writers import WriteRow, check_target, open_rows
from codegym_harness.export.trajectory_filters import BestOf, Filters
from codegym_harness.export.validation_split import validation_environments
from codegym_harness.records.episode_result import EpisodeResult
from codegym_harness.records.trajectory import Trajectory
from codegym_harness.runs.run_directory_reader import TRAJECTORIES, read_trajectories
from codegym_mcp.errors import CodegymError, NotFoundError, RunError


def export(
    runs: Sequence[Path],
    name: str,
    out: Path,
    filters: Filters | None = None,
    *,
    validation_share: float | None = None,
    metadata_choice: MetadataChoice | str = MetadataChoice.AUTO,
) -> ExportSummary:
    """Writes the trajectories of runs as rows of a format.

    Trajectories are read one by one. Memory grows with their number only for `dedupe` and `best_of`, by some
    hundred bytes per trajectory or task.

    Args:
        runs: run directories.
        name: the name of the format: trl, openai, sharegpt or atif.
        out: the file, .jsonl or .parquet; it is replaced if it exists.
        validation_share: writes the trajectories of about this share of the environments into a file of
            their own: `sft.jsonl` becomes `sft.train.jsonl` and `sft.validation.jsonl`.
        metadata_choice: whether rows have the columns of `METADATA_COLUMNS`.

    Raises:
        NotFoundError: the format does not exist.
        RunError: a run cannot be read.
        CodegymError: no trajectory is left, they cannot be split, or the file cannot be written.
        MissingExtraError: the file is Parquet, and pyarrow is not installed.
    """
    if name not in FORMATS:
        raise NotFoundError("format", name, FORMATS)
    check_target(out)
    paths = [out] if validation_share is None else [_beside(out, "train"), _beside(out, "validation")]
    reading = _Reading(_run_directories(runs, paths), filters or Filters())
    chosen, environments = _look_ahead(reading, split=validation_share is not None)
    validation: frozenset[str] = frozenset()
    if validation_share is not None:
        validation = validation_environments(environments, validation_share)
    added = metadata_columns(name, FORMATS[name], MetadataChoice(metadata_choice))
    columns = {**FORMATS[name].columns, **added}
    counts = LossCounts()
    with ExitStack() as stack:
        files = [_File(path, stack.enter_context(open_rows(path, columns))) for path in paths]
        for number, (trajectory, result) in enumerate(reading):
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
            files[result.environment in validation].add(row, trajectory)
        if not any(file.rows for file in files):
            raise _nothing_left(reading)
    lost = +counts.lost
    if out.suffix == ".parquet":
        for place in FORMATS[name].only_in_jsonl:
            del lost[place]
    return ExportSummary(
        format=name,
        runs=reading.runs,
        read=reading.read,
        dropped=dict(reading.dropped),
        kept=sum(file.rows for file in files),
        files=[file.described() for file in files],
        lost=dict(lost.most_common()),
        changed=dict(counts.changed.most_common()),
    )


@dataclass
class _Reading:
    """The trajectories that pass the filters which need no other trajectories. It can be iterated again.

    Attributes:
        read: the number of trajectories, in the last iteration.
        dropped: the number of dropped trajectories by filter, in the last iteration.
    """

    runs: list[Path]
    filters: Filters
    read: int = 0
    dropped: Counter[str] = field(default_factory=Counter)

    def __iter__(self) -> Iterator[tuple[Trajectory, EpisodeResult]]:
        filters = self.filters.stream()
        self.read = 0
        self.dropped = Counter({name: 0 for name, _ in filters})
        if self.filters.best_of is not None:
            self.dropped["best_of"] = 0
        for run in self.runs:
            for trajectory in read_trajectories(run):
                self.read += 1
                result = EpisodeResult.of(trajectory)
                dropping = next((name for name, keeps in filters if not keeps(trajectory, result)), None)
                if dropping is None:
                    yield trajectory, result
                else:
                    self.dropped[dropping] += 1


@dataclass
class _File:
    """A file in progress."""

    path: Path
    write: WriteRow
    rows: int = 0
    messages: int = 0
    environments: set[str] = field(default_factory=set)

    def add(self, row: Row, trajectory: Trajectory) -> None:
        self.write(row)
        self.rows += 1
        self.messages += sum(
            1 + (len(step.observation.results) if step.observation is not None else 0)
            for step in trajectory.steps
        )
        self.environments.add(trajectory.extra.environment)

    def described(self) -> ExportedFile:
        return ExportedFile(
            path=self.path, rows=self.rows, messages=self.messages, environments=len(self.environments)
        )


def _look_ahead(reading: _Reading, *, split: bool) -> tuple[frozenset[int] | None, set[str]]:
    """Reads all trajectories and returns the numbers of the best, and the environments."""
    count = reading.filters.best_of
    environments: set[str] = set()
    if count is None and not split:
        return None, environments
    best = BestOf(count) if count is not None else None
    for number, (_, result) in enumerate(reading):
        environments.add(result.environment)
        if best is not None:
            best.offer(number, result)
    if not environments:
        raise _nothing_left(reading)
    return best.chosen() if best is not None else None, environments


def _run_directories(runs: Sequence[Path], out: Sequence[Path]) -> list[Path]:
    """Returns the distinct runs. Refuses directories that are no runs, and to overwrite a run's own file."""
    distinct: dict[Path, Path] = {}
    for run in runs:
        distinct.setdefault(run.resolve(), run)
    for run in distinct.values():
        recorded = run / TRAJECTORIES
        if not recorded.is_file():
            raise RunError(
                run,
                f"{run} is no run directory: it has no {TRAJECTORIES}.",
                hint="`codegym-mcp runs` lists runs.",
            )
        if any(path.exists() and path.samefile(recorded) for path in out):
            raise RunError(
                run, f"{recorded} belongs to the run and must not be replaced.", hint="Name another file."
            )
    return list(distinct.values())


def _beside(path: Path, part: str) -> Path:
    return path.with_name(f"{path.stem}.{part}{path.suffix}")


def _nothing_left(reading: _Reading) -> CodegymError:
    reasons = ", ".join(f"{name} {count}" for name, count in reading.dropped.items() if count)
    dropped = f" Dropped: {reasons}." if reasons else ""
    return CodegymError(f"None of {reading.read} trajectories is left to write.{dropped}")
