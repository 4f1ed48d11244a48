"""Refuses options of a command that would have no effect."""

from collections.abc import Collection

import click
from click.core import ParameterSource


def refuse_options(context: click.Context, names: Collection[str], purpose: str) -> None:
    """Checks that none of some options was given.

    Args:
        names: the names of their parameters.
        purpose: what the options are for, as the error says.

    Raises:
        click.UsageError: one was given.
    """
    for parameter in context.command.params:
        given = context.get_parameter_source(parameter.name or "") is ParameterSource.COMMANDLINE
        if given and parameter.name in names:
            raise click.UsageError(f"{parameter.opts[0]} is for {purpose} only.")
