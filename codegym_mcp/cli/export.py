"""`codegym-mcp export`: writes the episodes of runs as a training set, or for a viewer."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from codegym_mcp.cli.command_output import json_option, out, print_json
from codegym_mcp.cli.evaluate_options import SeedsParameter
from codegym_mcp.cli.runs import RUN

if TYPE_CHECKING:
    from codegym_harness.export.export_summary import ExportSummary

FORMATS = ("trl", "openai", "sharegpt", "atif", "atif-1.7")
VIEWER_FORMATS = ("inspect", "harbor", "sts", "otel")
METADATA_CHOICES = ("auto", "columns", "none")


@click.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN...", type=RUN)
@click.option(
    "--format",
    "name",
    required=True,
    type=click.Choice((*FORMATS, *VIEWER_FORMATS)),
    help="trl: TRL and trainers that read its format. openai: fine-tuning services. sharegpt: LLaMA-Factory. "
    "atif, atif-1.7: the trajectories as recorded. inspect: logs for `inspect view`. harbor: jobs for "
    "`harbor view`. sts: session traces for the Hub's viewer. otel: OpenTelemetry traces.",
)
@click.option(
    "--output",
    "-o",
    "target",
    required=True,
    metavar="PATH",
    help="A file that ends with .jsonl or .parquet; it is replaced if it exists. inspect: a directory. "
    "harbor, sts: a new directory. otel: a .jsonl file, or the address of an OTLP endpoint.",
)
@click.option("--env", "environments", multiple=True, metavar="GLOB", help="Only environments that match.")
@click.option("--tag", "tags", multiple=True, help="Only environments with this tag. Repeatable.")
@click.option(
    "--difficulty",
    "difficulties",
    multiple=True,
    type=click.IntRange(1, 5),
    help="Only tasks of this difficulty. Repeatable.",
)
@click.option(
    "--seed",
    "seeds",
    type=SeedsParameter(),
    metavar="N[-M]",
    help="Only generated tasks with this seed, or with a seed of this range: 100-149.",
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
    help="Only episodes without calls of unknown tools and without invalid arguments.",
)
@click.option("--dedupe", is_flag=True, help="Only the first of equal episodes.")
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
    help="The share of the environments that --split uses for validation.",
)
@click.option(
    "--metadata",
    "metadata_choice",
    type=click.Choice(METADATA_CHOICES),
    default="auto",
    show_default=True,
    help="Whether rows have columns for key, environment, task, difficulty, seed, reward and outcome. auto: "
    "if the readers of the format ignore further columns.",
)
@json_option
def export(
    *,
    runs: tuple[Path, ...],
    name: str,
    target: str,
    split: bool,
    share: float,
    metadata_choice: str,
    as_json: bool,
    **filters: Any,
) -> None:
    """Write the episodes of runs as a training set, or for the viewer of another project.

    Filters are applied in the order of this list. The summary counts what each filter drops, what the format
    cannot hold, and what is changed. Training sets leave out calls that were not executed.

    \b
    Example:
      codegym-mcp export runs/mine --format trl -o sft.parquet --reward 1 --best-of 2 --split
      codegym-mcp export runs/mine --format inspect -o logs
    """
    from codegym_harness.export.export import export as export_runs
    from codegym_harness.export.trajectory_filters import Filters

    if filters["seeds"] is not None and filters["seeds"].last is None:
        filters["seeds"] = filters["seeds"].model_copy(update={"last": filters["seeds"].first})
    summary = export_runs(
        runs,
        name,
        target,
        Filters(**filters),
        validation_share=share if split else None,
        metadata_choice=metadata_choice,
    )
    if as_json:
        print_json(summary.model_dump(mode="json"))
    else:
        _print_summary(summary)


def _print_summary(summary: "ExportSummary") -> None:
    out.print(f"{summary.kept} of {summary.read} episodes kept.", highlight=False)
    _print_counts("Dropped by", summary.dropped)
    _print_counts("Changed", summary.changed)
    _print_counts(f"Not held by {summary.format}", summary.lost)
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
