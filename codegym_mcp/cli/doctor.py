"""`codegym-mcp doctor`."""

import click

from codegym_mcp.cli.command_output import json_option, out, print_json, run
from codegym_mcp.doctor import examine, render


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Show what protects this machine from environments and agent programs.

    Runs an environment as the server would and reports each layer of confinement. Exits with 1 if one of
    these checks fails. Runs a program as `eval --agent command` would and reports its enclosure.

    \b
    Example:
      codegym-mcp doctor
    """
    from codegym_harness.agent_enclosure.enclosure_probe import examine_enclosure

    report = run(examine)
    program = run(examine_enclosure)
    if as_json:
        enclosure = {"agent_programs": program.model_dump(mode="json")}
        print_json(report.model_dump(mode="json") | {"healthy": report.healthy} | enclosure)
    else:
        out.print(render(report), markup=False, highlight=False, soft_wrap=True)
        out.print(program.text, markup=False, highlight=False, soft_wrap=True)
    if not report.healthy:
        raise SystemExit(1)
