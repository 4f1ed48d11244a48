"""The commands. A thin layer: each does what the library does, and prints it."""

import click

from codegym_mcp import __version__
from codegym_mcp.cli.audit import audit
from codegym_mcp.cli.command_output import Commands
from codegym_mcp.cli.doctor import doctor
from codegym_mcp.cli.evaluate import evaluate
from codegym_mcp.cli.export import export
from codegym_mcp.cli.list_environments import list_command
from codegym_mcp.cli.publish import publish
from codegym_mcp.cli.runs import compare, runs_command
from codegym_mcp.cli.serve import serve
from codegym_mcp.cli.show import show
from codegym_mcp.cli.synthesize import synthesize
from codegym_mcp.cli.verify import verify


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Tool-use environments for language-model agents, served over MCP.

    \b
    Example:
      codegym-mcp list
      codegym-mcp show night_courier
      codegym-mcp serve night_courier
      codegym-mcp eval --agent oracle
    """


for command in (
    list_command,
    show,
    serve,
    evaluate,
    runs_command,
    compare,
    export,
    verify,
    audit,
    synthesize,
    publish,
    doctor,
):
    main.add_command(command)
