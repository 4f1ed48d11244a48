"""`codegym-mcp export`: writes the episodes of runs as a training set or for a viewer, or a task set."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from codegym_mcp.cli.command_output import (
    environments_option,
    json_option,
    out,
    print_json,
    unconfined_option,
)
from codegym_mcp.cli.evaluate_options import DifficultiesParameter, SeedsParameter
from codegym_mcp.cli.export_statistics import print_statistics
from codegym_mcp.cli.export_tasks import TASK_FORMATS, export_tasks
from codegym_mcp.cli.refused_options import refuse_options
from codegym_mcp.cli.runs import RUN
from codegym_mcp.verification.audit.grading_rules import Grade

if TYPE_CHECKING:
    from codegym_harness.export.export_summary import ExportSummary
    from codegym_harness.export.trajectory_filters import Filters

FORMATS = ("trl", "openai", "sharegpt", "atif", "atif-1.7")
VIEWER_FORMATS = ("inspect", "harbor", "sts", "otel")
SPLITS = ("environment", "task")
METADATA_CHOICES = ("auto", "columns", "none")
_TASKS_ONLY = frozenset({"paths", "grade", "held_out", "calls", "allow_unconfined"})
_PART_OPTIONS = ("split", "split_by", "share", "metadata_choice")
_RUNS_ONLY = frozenset(
    {
        "reward",
        "max_calls_over_oracle",
        "no_invalid_calls",
        "dedupe",
        "best_of",
        *_PART_OPTIONS,
        "stats",
    }
)


@click.command()
@click.argument("runs", nargs=-1, metavar="[RUN]...", type=RUN)
@click.option("--tasks", is_flag=True, help="Write tasks to train on, not the episodes of runs.")
@click.option(
    "--format",
    "name",
    type=click.Choice(tuple(dict.fromkeys((*FORMATS, *VIEWER_FORMATS, *TASK_FORMATS)))),
    help="trl: TRL and trainers that read its format. openai: fine-tuning services. sharegpt: LLaMA-Factory. "
    "atif, atif-1.7: the trajectories as recorded. inspect: logs for `inspect view`. harbor: jobs for "
    "`harbor view`. sts: session traces for the Hub's viewer. otel: OpenTelemetry traces. "
    "Of tasks: trl, verl, skyrl, nemo-gym.",
)
@click.option(
    "--output",
    "-o",
    "target",
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
    type=DifficultiesParameter(),
    metavar="N[,N...]",
    help="Only tasks of these difficulties. With --tasks, tasks of them are generated; without it, the fixed "
    "tasks are written. Repeatable.",
)
@click.option(
    "--seed",
    "seeds",
    type=SeedsParameter(),
    metavar="N[-M]",
    help="Only generated tasks with this seed, or with a seed of this range: 100-149. With --tasks 0-999 "
    "without it.",
)
@click.option(
    "--held-out",
    type=click.IntRange(1),
    metavar="N",
    help="Also write N held-out tasks for each environment and difficulty, with seeds from 1000000 on "
    "(--tasks).",
)
@click.option(
    "--grade",
    type=click.Choice([grade.value for grade in Grade]),
    help="Only environments whose current audit gives this grade or a better one (--tasks).",
)
@click.option(
    "--calls",
    type=click.IntRange(1, 100_000),
    help="Tool calls that an episode allows, as the system prompt says; 256 without it (--tasks).",
)
@environments_option
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
    "--split-by",
    type=click.Choice(SPLITS),
    default="environment",
    show_default=True,
    help="What the two files of --split do not share.",
)
@click.option(
    "--validation-share",
    "share",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.1,
    show_default=True,
    help="The share of the environments, or tasks, that --split uses for validation.",
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
@click.option(
    "--stats",
    metavar="TOKENIZER",
    help="Write nothing, and print how many tokens the episodes have, by environment. TOKENIZER is a model "
    "of the Hugging Face Hub, a folder with its tokenizer, or an encoding of tiktoken such as o200k_base.",
)
@unconfined_option
@json_option
@click.pass_context
def export(
    context: click.Context,
    /,
    *,
    runs: tuple[Path, ...],
    tasks: bool,
    name: str | None,
    target: str | None,
    stats: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Write the episodes of runs as a training set, or for the viewer of another project; or write tasks.

    Filters are applied in the order of this list. The summary counts what each filter drops, what the format
    cannot hold, and what is changed. Training sets leave out calls that were not executed.

    With --tasks, a trainer opens the episodes of the rows by itself. Rows have no reference answer and no
    hidden configuration. Seeds from 1000000 on are held out: no training part has them.

    \b
    Example:
      codegym-mcp export runs/mine --format trl -o sft.parquet --reward 1 --best-of 2 --split
      codegym-mcp export runs/mine --stats Qwen/Qwen3-1.7B --reward 1
      codegym-mcp export runs/mine --format inspect -o logs
      codegym-mcp export --tasks --format verl -o tasks.parquet --difficulty 1,2 --held-out 50
    """
    if tasks == bool(runs):
        raise click.UsageError("Give the runs whose episodes to write, or --tasks, not both.")
    refuse_options(context, _RUNS_ONLY if tasks else _TASKS_ONLY, "episodes of runs" if tasks else "--tasks")
    if stats is not None:
        refuse_options(
            context, {"name", "target", *_PART_OPTIONS}, "writing a file, and --stats writes none,"
        )
        print_statistics(runs, stats, _read_filters(options), as_json=as_json)
        return
    if name is None or target is None:
        raise click.UsageError(f"Missing option '{'--format' if name is None else '--output'}'.")
    known = TASK_FORMATS if tasks else (*FORMATS, *VIEWER_FORMATS)
    if name not in known:
        raise click.UsageError(
            f"{'Tasks' if tasks else 'Episodes'} are written as one of: {', '.join(known)}."
        )
    if tasks:
        export_tasks(name, Path(target), options, as_json=as_json)
    else:
        _export_runs(runs, name, target, options, as_json=as_json)


def _export_runs(
    runs: tuple[Path, ...], name: str, target: str, options: dict[str, Any], *, as_json: bool
) -> None:
    from codegym_harness.export.export import export as export_runs

    summary = export_runs(
        runs,
        name,
        target,
        _read_filters(options),
        validation_share=options["share"] if options["split"] else None,
        split_by=options["split_by"],
        metadata_choice=options["metadata_choice"],
    )
    if as_json:
        print_json(summary.model_dump(mode="json"))
    else:
        _print_summary(summary)


def _read_filters(options: dict[str, Any]) -> "Filters":
    from codegym_harness.export.trajectory_filters import Filters

    filters = {name: value for name, value in options.items() if name in Filters.model_fields}
    filters["difficulties"] = tuple(number for numbers in options["difficulties"] for number in numbers)
    if filters["seeds"] is not None and filters["seeds"].last is None:
        filters["seeds"] = filters["seeds"].model_copy(update={"last": filters["seeds"].first})
    return Filters(**filters)


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
