"""What the commands share: how they print, fail and run."""

import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import anyio
import click
from rich.console import Console

from codegym_mcp.errors import CodegymError

T = TypeVar("T")

# A table keeps its columns where no terminal says how wide it may be.
out = Console(width=None if sys.stdout.isatty() else 140)
err = Console(stderr=True)


class Commands(click.Group):
    """Turns the project's errors into a message and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except CodegymError as error:
            raise click.ClickException(str(error)) from None


def run(main: Callable[[], Awaitable[T]]) -> T:
    """Runs an async function to its end; an error that a task group wrapped comes out as itself."""
    try:
        return anyio.run(main, backend_options={"use_uvloop": sys.platform != "win32"})
    except BaseExceptionGroup as group:
        raise _first(group) or group from None


def _first(group: BaseExceptionGroup[BaseException]) -> CodegymError | None:
    for error in group.exceptions:
        found = _first(error) if isinstance(error, BaseExceptionGroup) else error
        if isinstance(found, CodegymError):
            return found
    return None


def print_json(data: Any) -> None:
    """Prints one JSON object or list for programs."""
    click.echo(json.dumps(data, ensure_ascii=False))


environments_option = click.option(
    "--environments",
    "paths",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="A file, folder or set (.jsonl, .parquet) to take environments from, instead of the bundled ones. "
    "May be given several times.",
)
unconfined_option = click.option(
    "--allow-unconfined",
    is_flag=True,
    help="Run environments also where this system cannot confine them. Only for environments that you trust.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
