"""The command `codegym-mcp`. Each subcommand is a module; it calls the library and prints the result."""

import io
import sys
from typing import Any

import click

from codegym_mcp.cli.audit import audit
from codegym_mcp.cli.command_output import Commands, show_index_progress
from codegym_mcp.cli.doctor import doctor
from codegym_mcp.cli.evaluate import evaluate
from codegym_mcp.cli.export import export
from codegym_mcp.cli.list_environments import list_command
from codegym_mcp.cli.publish import publish
from codegym_mcp.cli.report import report
from codegym_mcp.cli.runs import compare, runs_command
from codegym_mcp.cli.serve import serve
from codegym_mcp.cli.show import show
from codegym_mcp.cli.synthesize import synthesize
from codegym_mcp.cli.verify import verify
from codegym_mcp.cli.view import view
from codegym_mcp.version import VERSION


class _Main(Commands):
    """The command itself, for a person in a terminal and for an MCP client on pipes."""

    def main(self, *args: Any, **options: Any) -> Any:
        for stream in (sys.stdout, sys.stderr):
            # A terminal or pipe of another encoding shows escapes instead of ending in a traceback.
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        show_index_progress()
        return super().main(*args, **options)


@click.group(cls=_Main, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION)
@click.pass_context
def main(context: click.Context) -> None:
    """Tool-use environments for language-model agents, served over MCP.

    Without a command it prints this help in a terminal. On a pipe it serves the gateway to all bundled
    environments over stdio, which is what an MCP client needs.

    \b
    Example:
      codegym-mcp list
      codegym-mcp show night_courier
      codegym-mcp serve night_courier
      codegym-mcp eval --agent oracle
    """
    if context.invoked_subcommand is not None:
        return
    if sys.stdin is None or sys.stdin.isatty():
        click.echo(context.get_help())
    else:
        serve.main(["--stdio-gateway"], prog_name=f"{context.info_name} serve", standalone_mode=False)


for command in (
    list_command,
    show,
    serve,
    evaluate,
    runs_command,
    view,
    compare,
    report,
    export,
    verify,
    audit,
    synthesize,
    publish,
    doctor,
):
    main.add_command(command)
