"""Exports runs for viewers of other projects."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from codegym_harness.export import harbor_format, inspect_ai_format, otel_format, session_trace_format
from codegym_harness.export.conversion_counts import LossCounts
from codegym_harness.export.export_summary import ExportSummary, FileCounts
from codegym_harness.export.selected_trajectories import TrajectorySelection, run_directories
from codegym_harness.export.trajectory_filters import Filters
from codegym_harness.export.whole_run_format import ExportedRun, ViewerFormat, WriteEpisode, file_name
from codegym_harness.runs.run_directory_reader import TRAJECTORIES, read_configuration
from codegym_harness.runs.run_index import recorded_agent
from codegym_mcp.errors import RunError

VIEWER_FORMATS: Mapping[str, ViewerFormat] = {
    "inspect": inspect_ai_format.FORMAT,
    "harbor": harbor_format.FORMAT,
    "sts": session_trace_format.FORMAT,
    "otel": otel_format.FORMAT,
}


def export_for_viewer(
    runs: Sequence[Path], name: str, out: str, filters: Filters | None = None
) -> ExportSummary:
    """Writes runs in the format of a viewer. Episodes that failed are written too.

    Args:
        runs: run directories.
        name: one of `VIEWER_FORMATS`.
        out: a path or an address, as the format describes.

    Raises:
        RunError: a run cannot be read, or the target is its directory.
        CodegymError: no trajectory is left, or the target is unfit or cannot be written.
        MissingExtraError: the format needs a library that is not installed.
    """
    selection = TrajectorySelection(run_directories(runs, []), filters or Filters(), training=False)
    _refuse_run_directories(out, selection.runs)
    chosen, _ = selection.look_ahead()
    counts = LossCounts()
    written = FileCounts(out if "://" in out else Path(out))
    with ExitStack() as stack:
        open_run = stack.enter_context(VIEWER_FORMATS[name].open(out))
        names = _names(selection.runs)
        writers: dict[Path, WriteEpisode] = {}
        for number, (run, trajectory, result) in enumerate(selection):
            if chosen is not None and number not in chosen:
                selection.dropped["best_of"] += 1
                continue
            if run not in writers:
                writers[run] = stack.enter_context(open_run(_exported_run(run, names[run])))
            writers[run](trajectory, result, counts)
            written.add(trajectory)
        if not written.rows:
            raise selection.nothing_left()
    return ExportSummary(
        format=name,
        runs=selection.runs,
        read=selection.read,
        dropped=dict(selection.dropped),
        kept=written.rows,
        files=[written.described()],
        lost=dict((+counts.lost).most_common()),
        changed=dict(counts.changed.most_common()),
    )


def _refuse_run_directories(out: str, runs: Sequence[Path]) -> None:
    target = Path(out).resolve()
    for run in runs:
        if (
            target == run.resolve()
            or run.resolve() in target.parents
            or target == (run / TRAJECTORIES).resolve()
        ):
            raise RunError(run, f"{out} is in the run directory {run}.", hint="Name another place.")


def _names(runs: Sequence[Path]) -> dict[Path, str]:
    """Returns a distinct name for each run: that of its directory, numbered where it repeats."""
    names: dict[Path, str] = {}
    for run in runs:
        stem = file_name(run.resolve().name)
        name, number = stem, 2
        while name in names.values():
            name, number = f"{stem}-{number}", number + 1
        names[run] = name
    return names


def _exported_run(path: Path, name: str) -> ExportedRun:
    configuration, start = read_configuration(path)
    return ExportedRun(name, path, recorded_agent(configuration), start.at, configuration, start.environments)
