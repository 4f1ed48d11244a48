"""Shows the progress of a command over many environments: a bar in a terminal, up to ten lines elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from codegym_mcp.cli.command_output import echo, err
from codegym_mcp.terminal_text import escape_control_characters

_LINES = 10


@contextmanager
def batch_progress(title: str, total: int) -> Iterator[Callable[[str], None]]:
    """Shows on stderr how many environments are done.

    Args:
        title: name of the activity.
        total: number of environments.

    Yields:
        A function to call with the name of each environment that is done.
    """
    done = 0
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err, disable=not err.is_terminal) as progress:
        task = progress.add_task(title, total=total)

        def count(name: str) -> None:
            nonlocal done
            done += 1
            progress.update(task, completed=done, description=escape_control_characters(f"{title} {name}"))
            if not err.is_terminal and done * _LINES // total > (done - 1) * _LINES // total:
                echo(f"{title}: {done}/{total}", err=True)

        yield count
