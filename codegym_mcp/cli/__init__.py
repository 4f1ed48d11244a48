"""The command `codegym-mcp`. Each subcommand is a module; it calls the library and prints the result."""

import gc
import io
import sys
from importlib import import_module
from typing import Any

import click

from codegym_mcp.cli.command_output import Commands, buffer_stdout, show_index_progress, show_log_messages
from codegym_mcp.version import VERSION

COMMANDS = {
    "list": ("list_environments:list_command", "List the environments."),
    "show": ("show:show", "Show an environment, a run, or one episode of a run."),
    "serve": ("serve:serve", "Serve one episode over stdio, or all over HTTP."),
    "eval": ("evaluate:evaluate", "Let an agent play episodes, and record and score them."),
    "runs": ("runs:runs_command", "List the runs in a directory."),
    "view": ("view:view", "Show runs and their episodes in a browser."),
    "compare": ("runs:compare", "Compare two runs on the tasks that both scored."),
    "report": ("report:report", "Report what happened in runs, as one HTML file."),
    "export": ("export:export", "Write episodes as a training set, or for a viewer."),
    "verify": ("verify:verify", "Check whether environments may be served."),
    "audit": ("audit:audit", "Measure the quality of environments and grade them."),
    "synthesize": ("synthesize:synthesize", "Make environments of coding problems."),
    "publish": ("publish:publish", "Write environments to one set, with a card."),
    "doctor": ("doctor:doctor", "Show what protects this machine."),
}
"""The module and the name of each command, and what the command does.

Commands are imported when they are used: together they need ten times the time of this module."""


class _Main(Commands):
    """The command itself, for a person in a terminal and for an MCP client on pipes."""

    def main(self, *args: Any, **options: Any) -> Any:
        buffer_stdout()
        for stream in (sys.stdout, sys.stderr):
            # A terminal or pipe of another encoding shows escapes instead of ending in a traceback.
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        show_log_messages()
        show_index_progress()
        return super().main(*args, **options)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return load_command(cmd_name) if cmd_name in COMMANDS else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in self.list_commands(ctx)])


def load_command(name: str) -> click.Command:
    """Imports a command."""
    module, _, attribute = COMMANDS[name][0].partition(":")
    # Modules are no garbage, and searching them takes a tenth of the time of an import.
    gc.disable()
    try:
        command: click.Command = getattr(import_module(f"codegym_mcp.cli.{module}"), attribute)
    finally:
        gc.enable()
    return command


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
        serve = load_command("serve")
        serve.main(["--stdio-gateway"], prog_name=f"{context.info_name} serve", standalone_mode=False)
