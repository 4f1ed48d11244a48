"""Output, errors and execution of commands."""

import errno
import io
import json
import logging
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import anyio
import click
from rich.console import Console
from rich.text import Text

from codegym_mcp.errors import CodegymError
from codegym_mcp.terminal_text import escape_control_characters, escape_json_text

T = TypeVar("T")


class SafeConsole(Console):
    """A console that shows control characters and markup in strings instead of executing them."""

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, **options)

    def print_heading(self, heading: str, rest: str = "") -> None:
        """Prints a line that begins with a bold heading."""
        self.print(
            Text(escape_control_characters(heading), style="bold") + Text(escape_control_characters(rest)),
            highlight=False,
        )

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(escape_control_characters(text), **options)


def open_closed_streams() -> None:
    """Opens standard streams that are closed, as some services and scripts start a program.

    A file or socket opened later would otherwise take the place of a stream and receive what is printed.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
    if sys.stdin is None:
        sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    if sys.stdout is None:
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)


def buffer_stdout() -> None:
    """Gives stdout a buffer where `PYTHONUNBUFFERED` has taken it away.

    Without one, Python drops what the system does not accept at once, for example on a full disk, and reports
    no error. What is printed is still written after each line.
    """
    raw = getattr(sys.stdout, "buffer", None)
    if isinstance(raw, io.RawIOBase):
        encoding, errors = sys.stdout.encoding, sys.stdout.errors
        sys.stdout = io.TextIOWrapper(io.BufferedWriter(raw), encoding, errors, line_buffering=True)


open_closed_streams()
# Without a terminal, a table has a fixed width, so that it keeps its columns.
out = SafeConsole(width=None if sys.stdout.isatty() else 140)
err = SafeConsole(stderr=True)


_FULL = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})
_OPEN_FILES = {
    errno.EMFILE: "This needs more open files than the process may have. Raise the limit, for example with "
    "ulimit -n 1024.",
    errno.ENFILE: "The system has as many open files as it allows. Close programs, or raise its limit.",
}


class Commands(click.Group):
    """A group of commands that reports the project's errors as a message and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except CodegymError as error:
            raise click.ClickException(escape_control_characters(str(error))) from None
        except OSError as error:
            if error.errno in _OPEN_FILES:
                raise click.ClickException(_OPEN_FILES[error.errno]) from None
            # What failed within a command is an error of the project; this is the output itself.
            if error.errno not in _FULL or error.filename is not None:
                raise
            raise click.ClickException(f"The output cannot be written: {error.strerror}.") from None


def run(main: Callable[[], Awaitable[T]]) -> T:
    """Runs an async function to its end; an error in an exception group is raised as itself."""
    try:
        return anyio.run(main, backend_options={"use_uvloop": sys.platform != "win32"})
    except BaseExceptionGroup as group:
        raise _first(group) or group from None


def _first(group: BaseExceptionGroup[BaseException]) -> CodegymError | OSError | None:
    for error in group.exceptions:
        found = _first(error) if isinstance(error, BaseExceptionGroup) else error
        if isinstance(found, CodegymError) or (isinstance(found, OSError) and found.errno in _OPEN_FILES):
            return found
    return None


class _EchoHandler(logging.Handler):
    """Prints log messages as lines on stderr."""

    def emit(self, record: logging.LogRecord) -> None:
        echo(self.format(record), err=True)


def show_log_messages() -> None:
    """Prints the warnings of all loggers on stderr; control characters in them are shown, not executed."""
    logging.lastResort = _EchoHandler(logging.WARNING)
    # The SDK logs a traceback for each line that is no message; the harness says it in a sentence.
    logging.getLogger("mcp.client").setLevel(logging.CRITICAL)


def show_index_progress() -> None:
    """Prints on stderr how far the index of a large set is, while it is built."""
    logger = logging.getLogger("codegym_mcp.catalog")
    if not logger.handlers:
        logger.setLevel(logging.INFO)
        logger.propagate = False
        logger.addHandler(_EchoHandler())


def print_json(data: Any) -> None:
    """Prints one JSON object or list for programs."""
    click.echo(escape_json_text(json.dumps(data, ensure_ascii=False)))


def echo(text: str, *, err: bool = False) -> None:
    """Prints a line of text; control characters in it are shown, not executed.

    Args:
        err: prints to stderr.
    """
    click.echo(escape_control_characters(text), err=err)


environments_option = click.option(
    "--environments",
    "paths",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="A file, folder or set (.jsonl, .parquet) to take environments from, instead of the bundled ones, "
    "or the word bundled or synthesized for an installed set. May be given several times.",
)
unconfined_option = click.option(
    "--allow-unconfined",
    is_flag=True,
    help="Run environments also where this system cannot confine them. Only for environments that you trust.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
