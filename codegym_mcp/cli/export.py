"""`codegym-mcp export`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from codegym_mcp.cli.command_output import json_option, out, print_json
from codegym_mcp.cli.runs import RUN

if TYPE_CHECKING:
    from codegym_harness.export.export_summary import ExportSummary

FORMATS = ("trl", "openai", "sharegpt", "atif")


@click.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN...", type=RUN)
@click.option(
    "--format",
    "name",
    required=True,
    type=click.Choice(FORMATS),
    help="trl: TRL and what reads its shape. openai: fine-tuning services. sharegpt: LLaMA-Factory. "
    "atif: the trajectories as recorded.",
)
@click.option(
    "--output",
    "-o",
    "file",
    required=True,
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Ends with .jsonl or .parquet; replaced if it is there.",
)
@click.option("--env", "environments", multiple=True, metavar="GLOB", help="Only environments that match.")
@click.option("--tag", "tags", multiple=True, help="Only environments with this tag, or one of several.")
@click.option(
    "--difficulty",
    "difficulties",
    multiple=True,
    type=click.IntRange(1, 5),
    help="Only tasks of this difficulty, or one of several.",
)
@click.option("--reward", type=float, metavar="R", help="Only episodes with at least this reward.")
@click.option(
    "--max-calls-over-oracle",
    type=click.FloatRange(min=0, min_open=True),
    metavar="X",
    help="Only episodes with at most X times the calls of the environment's own solution.",
)
@click.option(
    "--no-invalid-calls",
    is_flag=True,
    help="Only episodes without calls of a tool that does not exist, or with arguments that do not fit.",
)
@click.option("--dedupe", is_flag=True, help="Of episodes in which the same was said and done, one.")
@click.option(
    "--best-of",
    type=click.IntRange(1),
    metavar="N",
    help="At most N episodes of each task: with the highest reward, and then the fewest calls.",
)
@click.option(
    "--split",
    is_flag=True,
    help="Write a file for training and one for validation that share no environment.",
)
@click.option(
    "--validation-share",
    "share",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.1,
    show_default=True,
    help="The part of the environments that --split sets aside.",
)
@json_option
def export(
    *,
    runs: tuple[Path, ...],
    name: str,
    file: Path,
    split: bool,
    share: float,
    as_json: bool,
    **filters: Any,
) -> None:
    """Write the episodes of runs as a training set.

    Filters apply in the order in which they are listed here. What they drop is told, and so is what the
    format has no place for.

    \b
    Example:
      codegym-mcp export runs/mine --format trl -o sft.parquet --reward 1 --best-of 2 --split
    """
    from codegym_harness.export.export import export as export_runs
    from codegym_harness.export.filters import Filters

    summary = export_runs(runs, name, file, Filters(**filters), validation_share=share if split else None)
    if as_json:
        print_json(summary.model_dump(mode="json"))
    else:
        _print_summary(summary)


def _print_summary(summary: "ExportSummary") -> None:
    out.print(f"{summary.kept} of {summary.read} episodes kept.", highlight=False)
    _print_counts("Dropped by", summary.dropped)
    _print_counts("Changed", summary.changed)
    _print_counts(f"No place for in {summary.format}", summary.lost)
    for file in summary.files:
        out.print(
            f"\n{file.path}: rows {file.rows}, messages {file.messages}, environments {file.environments}",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )


def _print_counts(heading: str, counts: dict[str, int]) -> None:
    if not counts:
        return
    table = Table(heading, "", box=None, pad_edge=False)
    table.columns[1].justify = "right"
    for name, count in counts.items():
        table.add_row(name, str(count))
    out.print()
    out.print(table, markup=False, highlight=False)
