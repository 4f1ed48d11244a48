"""`codegym-mcp runs` and `codegym-mcp compare`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table

from codegym_mcp.cli.command_output import json_option, out, print_json

if TYPE_CHECKING:
    from codegym_harness.runs.run_index import RunEntry

RUN = click.Path(path_type=Path, file_okay=False)
_PROBLEM_SHOWN = 100


@click.command("runs")
@click.argument("directory", type=RUN, default="runs")
@json_option
def runs_command(directory: Path, as_json: bool) -> None:
    """List the runs in DIRECTORY (by default runs/), the earliest first.

    \b
    Example:
      codegym-mcp runs
    """
    from codegym_harness.runs.run_index import list_runs

    entries = list_runs(directory)
    if as_json:
        print_json([entry.model_dump(mode="json") for entry in entries])
        return
    table = Table("run", "agent", "started", "episodes", "reward", "state", box=None, pad_edge=False)
    for entry in entries:
        total = f" of {entry.episodes + entry.missing}" if entry.missing else ""
        table.add_row(
            entry.path,
            entry.agent,
            entry.at[:16].replace("T", " "),
            f"{entry.episodes}{total}",
            "-" if entry.reward is None else f"{entry.reward:.3f}",
            _state(entry),
        )
    out.print(table, soft_wrap=True)


def _state(entry: "RunEntry") -> str:
    """Returns the state of a run and what happened to it, on one line."""
    state = f"{entry.failed} failed" if entry.state == "failed" else str(entry.state)
    if entry.failed and entry.state != "failed":
        state += f", {entry.failed} failed"
    problem = " ".join(entry.problem.split())
    return f"{state}: {problem[:_PROBLEM_SHOWN]}" if problem else state


@click.command()
@click.argument("first", type=RUN)
@click.argument("second", type=RUN)
@json_option
def compare(first: Path, second: Path, as_json: bool) -> None:
    """Compare two runs on the tasks that both scored: the differences with their 95 % intervals.

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
