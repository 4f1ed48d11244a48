"""`codegym-mcp report`: what happened in runs, as one HTML file."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from codegym_mcp.cli.command_output import echo, err, json_option, print_json
from codegym_mcp.cli.runs import RUN

if TYPE_CHECKING:
    from codegym_harness.report.report_contents import Report


@click.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN...", type=RUN)
@click.option(
    "--output",
    "-o",
    "file",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The HTML file; it is replaced if it exists.",
)
@json_option
def report(runs: tuple[Path, ...], file: Path | None, as_json: bool) -> None:
    """Report what happened in one or several runs, as one HTML file that needs nothing else.

    It has rewards with intervals, pass@k, calls against the oracle's, how episodes ended and why, paired
    differences of several runs, the audits of the environments, and the most telling episodes. A run that is
    in progress or damaged is reported as far as it can be read.

    \b
    Example:
      codegym-mcp report runs/before runs/after -o report.html
    """
    if file is None and not as_json:
        raise click.UsageError("Name the file with -o FILE, or print the data with --json.")
    from codegym_harness.report.build_report import build_report
    from codegym_harness.report.html_page import check_page, write_page

    if file is not None:
        check_page(file)
    with err.status("reading runs") as status:
        contents = build_report(runs, status.update)
    if file is not None:
        write_page(contents, file)
    if as_json:
        print_json(contents.model_dump(mode="json"))
        return
    for run in contents.runs:
        for problem in run.problems:
            echo(f"{run.label}: {problem}", err=True)
    echo(_written(contents, file))


def _written(contents: "Report", file: Path | None) -> str:
    runs = ", ".join(f"{run.label} {run.agent}" for run in contents.runs)
    episodes = sum(run.summary.episodes for run in contents.runs)
    size = file.stat().st_size if file is not None else 0
    return f"{file}: {episodes} episodes of {runs}; {size / 1000:,.0f} kB"
