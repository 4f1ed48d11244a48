"""Selects the environments of a command by name, glob or path."""

from collections.abc import Iterable
from pathlib import Path

import click

from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.catalog.catalog_entries import Entry

_SUFFIXES = (".py", ".jsonl", ".parquet")

names_argument = click.argument("names", nargs=-1, metavar="[NAMES]...")
jobs_option = click.option(
    "--jobs",
    type=click.IntRange(1),
    metavar="N",
    help="Episodes to play at once; the default is four for each processor.",
)


def select_entries(names: Iterable[str], paths: Iterable[Path]) -> list[Entry]:
    """Returns the environments that a user names.

    Args:
        names: names or globs of environments, and paths of files, folders and sets.
        paths: files, folders and sets in which names are looked up; the bundled environments if empty.

    Returns:
        The environments at the named paths, then those that match a name; all environments if nothing is
        named.

    Raises:
        NotFoundError: a name matches no environment.
        SourceError: a path contains no environments.
    """
    named = list(names)
    files = [Path(name) for name in named if Path(name).suffix in _SUFFIXES or Path(name).is_dir()]
    patterns = [name for name in named if Path(name) not in files]
    found = Catalog.load(files).entries if files else []
    if patterns or not files:
        found += Catalog.load(paths).select(*patterns).entries
    return found


def find_entry(name: str, paths: tuple[Path, ...]) -> Entry:
    """Returns the environment with a name, or the one in the file with a path.

    Raises:
        NotFoundError: there is no environment with this name.
        SourceError: the file, or a path, cannot be used.
    """
    if name.endswith(".py"):
        (entry,) = Catalog.load([Path(name)]).entries
        return entry
    return Catalog.load(paths).entry(name)
