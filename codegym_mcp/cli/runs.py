"""`codegym-mcp runs` and `codegym-mcp compare`."""

from pathlib import Path

import click
from rich.table import Table

from codegym_mcp.cli.command_output import json_option, out, print_json

RUN = click.Path(path_type=Path, file_okay=False)


@click.command("runs")
@click.argument("directory", type=RUN, default="runs")
@json_option
def runs_command(directory: Path, as_json: bool) -> None:
    """List the runs in DIRECTORY (runs/ without it), the earliest first.

    \b
    Example:
      codegym-mcp runs
    """
    from codegym_harness.runs.run_index import list_runs

    entries = list_runs(directory)
    if as_json:
        print_json([entry.model_dump(mode="json") for entry in entries])
        return
    table = Table("run", "agent", "begun", "episodes", "reward", "state", box=None, pad_edge=False)
    for entry in entries:
        total = f" of {entry.episodes + entry.missing}" if entry.missing else ""
        table.add_row(
            entry.path,
            entry.agent,
            entry.at[:16].replace("T", " "),
            f"{entry.episodes}{total}",
            "-" if entry.reward is None else f"{entry.reward:.3f}",
            entry.problem or entry.state,
        )
    out.print(table, soft_wrap=True)


@click.command()
@click.argument("first", type=RUN)
@click.argument("second", type=RUN)
@json_option
def compare(first: Path, second: Path, as_json: bool) -> None:
    """Compare two runs on the tasks that both have scored: the differences with their 95 % intervals.

    \b
    Example:
      codegym-mcp compare runs/before runs/after
    """
    from codegym_harness.runs import comparison
    from codegym_mcp.cli.summary_tables import print_comparison

    compared = comparison.compare(first, second)
    if as_json:
        print_json(compared.model_dump(mode="json"))
    else:
        print_comparison(compared)
