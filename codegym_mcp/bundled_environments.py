"""Where the bundled environments are, and which sources are theirs."""

import functools
import hashlib
from pathlib import Path

import codegym_mcp
from codegym_mcp.errors import SourceError


def bundled_path() -> Path:
    """Returns the directory of the bundled environments.

    Raises:
        SourceError: the installation lacks the directory.
    """
    package = Path(codegym_mcp.__file__).parent
    # In an installation the directory is in the package, in a checkout beside it.
    for folder in (package / "environments", package.parent / "environments"):
        if folder.is_dir():
            return folder
    raise SourceError("environments", None, "the bundled environments are not installed")


def bundled_names() -> list[str]:
    """Returns the names of the bundled environments, sorted; none of them is read.

    Raises:
        SourceError: the installation lacks them.
    """
    return sorted(path.stem for path in bundled_path().glob("[!_]*.py"))


@functools.cache
def bundled_digests() -> frozenset[str]:
    """Returns the SHA-256 of each bundled environment's source, in hexadecimal."""
    try:
        sources = [path.read_text(encoding="utf-8") for path in bundled_path().glob("*.py")]
    except SourceError:
        return frozenset()
    return frozenset(hashlib.sha256(source.encode()).hexdigest() for source in sources)
