"""`codegym-mcp doctor`."""

import click

from codegym_mcp.cli.command_output import json_option, out, print_json, run
from codegym_mcp.doctor import examine, render


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Show what protects this machine from environments. Exits with 1 if a check fails.

    Runs an environment as the server would and reports each layer of confinement.

    \b
    Example:
      codegym-mcp doctor
    """
    report = run(examine)
    if as_json:
        print_json(report.model_dump(mode="json") | {"healthy": report.healthy})
    else:
        out.print(render(report), markup=False, highlight=False, soft_wrap=True)
    if not report.healthy:
        raise SystemExit(1)
