"""Which environments a command is about."""

from collections.abc import Iterable
from pathlib import Path

import click

from codegym_mcp.spec.catalog import Catalog
from codegym_mcp.spec.catalog_entries import Entry

_SUFFIXES = (".py", ".jsonl", ".parquet")

names_argument = click.argument("names", nargs=-1, metavar="[NAMES]...")
jobs_option = click.option(
    "--jobs",
    type=click.IntRange(1),
    metavar="N",
    help="Episodes to play at once; else four for each processor.",
)


def select_entries(names: Iterable[str], paths: Iterable[Path]) -> list[Entry]:
    """The environments that a user names.

    Args:
        names: names or globs of environments, and paths of files, folders and sets.
        paths: where the environments come from that are named by name; the bundled ones without any.

    Returns:
        What is at the named paths, then what is named by name; everything where nothing is named.

    Raises:
        NotFoundError: a name matches nothing.
        SourceError: a path holds no environments.
    """
    named = list(names)
    files = [Path(name) for name in named if Path(name).suffix in _SUFFIXES or Path(name).is_dir()]
    patterns = [name for name in named if Path(name) not in files]
    found = Catalog.load(files).entries if files else []
    if patterns or not files:
        found += Catalog.load(paths).select(*patterns).entries
    return found
