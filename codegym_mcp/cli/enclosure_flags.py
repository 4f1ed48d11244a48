"""Options of `codegym-mcp eval` that say how agent programs are enclosed."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from codegym_harness.agent_enclosure.enclosure_options import EnclosureOptions

F = TypeVar("F", bound=Callable[..., Any])

ENCLOSURE_PARAMETERS = ("allow_read", "pass_env", "network", "allow_unenclosed")
"""The parameters of these options. They have the names of the fields of `EnclosureOptions`."""

_NETWORKS = ("none", "loopback", "host")


def enclosure_options(command: F) -> F:
    """Adds the options to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--allow-read",
        type=click.Path(path_type=Path),
        multiple=True,
        metavar="PATH",
        help="A file or folder that the program of --command may read besides what it needs to start. Can be "
        "repeated. What lies in your home folder is found in the program's own home folder too.",
    ),
    click.option(
        "--pass-env",
        multiple=True,
        metavar="NAME",
        help="An environment variable that the program receives besides those of the system and the keys of "
        "model providers; may contain *. Can be repeated.",
    ),
    click.option(
        "--network",
        type=click.Choice(_NETWORKS),
        default="host",
        show_default=True,
        help="What the program reaches over the network: its episode alone, also the services on this "
        "machine's loopback address, or everything.",
    ),
    click.option(
        "--allow-unenclosed",
        is_flag=True,
        help="Run the program also where the system refuses namespaces, with what it offers in their place: "
        "the program may then read answers.",
    ),
)


def read_enclosure_options(options: dict[str, Any]) -> "EnclosureOptions":
    """Returns what the options say.

    Raises:
        click.UsageError: one of them is given without a program.
    """
    from codegym_harness.agent_enclosure.enclosure_options import EnclosureOptions

    enclosure = EnclosureOptions.model_validate({name: options[name] for name in ENCLOSURE_PARAMETERS})
    if options["command"] is None and enclosure != EnclosureOptions():
        raise click.UsageError(
            "--allow-read, --pass-env, --network and --allow-unenclosed are for --agent command."
        )
    return enclosure
