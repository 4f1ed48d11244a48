"""The options that say how long a server keeps episodes that have ended."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from codegym_mcp.episode_limits import MIB
from codegym_mcp.episodes.retention import Retention

C = TypeVar("C", bound=Callable[..., Any])
_DAY = 86_400.0
_DEFAULTS = Retention()


def retention_options(command: C) -> C:
    """Adds the options to a command; `read_retention` reads them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


_OPTIONS = (
    click.option(
        "--retain-events",
        type=click.FloatRange(min=0),
        default=_DEFAULTS.events_seconds,
        show_default=True,
        metavar="SECONDS",
        help="Keep the events of an episode in memory for so long after its end, at most of "
        f"{_DEFAULTS.events_count:,} ended episodes.",
    ),
    click.option(
        "--retain-verdicts",
        type=click.FloatRange(min=0),
        default=_DEFAULTS.verdicts_seconds,
        show_default=True,
        metavar="SECONDS",
        help="Keep the state and the verdict of an episode in memory for so long after its end, at most of "
        f"{_DEFAULTS.verdicts_count:,} ended episodes.",
    ),
    click.option(
        "--data-max-age",
        type=click.FloatRange(min=0, min_open=True),
        metavar="DAYS",
        help="Delete an episode from the journal in --data so many days after its end.",
    ),
    click.option(
        "--data-max-size",
        type=click.IntRange(min=1),
        metavar="MIB",
        help="Delete the oldest ended episodes from the journal in --data while it is larger.",
    ),
)


def read_retention(options: dict[str, Any]) -> Retention:
    """Returns the retention that the options of a command describe.

    Raises:
        UsageError: an option has no effect.
    """
    age, size = options["data_max_age"], options["data_max_size"]
    for name, value in (("--data-max-age", age), ("--data-max-size", size)):
        if value is not None and options["data"] is None:
            raise click.UsageError(f"{name} needs --data, the folder of the journal.")
    return Retention(
        events_seconds=options["retain_events"],
        verdicts_seconds=options["retain_verdicts"],
        journal_seconds=age * _DAY if age is not None else None,
        journal_bytes=size * MIB if size is not None else None,
    )
