"""`codegym-mcp view`: shows runs and their episodes in a browser."""

from pathlib import Path

import click

from codegym_mcp.cli.command_output import echo, json_option, print_json, run


@click.command()
@click.argument(
    "runs", nargs=-1, metavar="[RUN|DIRECTORY]...", type=click.Path(path_type=Path, file_okay=False)
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="The port on 127.0.0.1; by default a free one.",
)
@json_option
def view(runs: tuple[Path, ...], port: int, as_json: bool) -> None:
    """Show runs and their episodes in a browser.

    Give run directories, or directories that hold some; runs/ without an argument. The command serves a page
    on 127.0.0.1 and prints its address, until it is stopped with Ctrl-C. The address holds a token, so that
    other users of this machine cannot read the runs. Runs are never changed; runs in progress are followed.

    \b
    Example:
      codegym-mcp view runs/mine
    """
    from codegym_harness.run_viewer.viewer_server import HOST, serve_viewer
    from codegym_mcp.server.listeners import bind

    def announce(address: str) -> None:
        if as_json:
            print_json({"url": address})
        else:
            echo(f"Open {address}\nStop with Ctrl-C.")

    with bind(HOST, port) as listener:
        run(lambda: serve_viewer(runs or (Path("runs"),), listener, announce))
