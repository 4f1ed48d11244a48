"""Where the environments are that are installed with this package, and which sources are theirs.

Two sets are installed: the bundled environments, which commands use by default, and the synthesized ones,
which are used only if they are named.
"""

import functools
import hashlib
from pathlib import Path

import codegym_mcp
from codegym_mcp.errors import SourceError

BUNDLED = "bundled"
"""The word that names the bundled environments in place of a path."""
SYNTHESIZED = "synthesized"
"""The word that names the synthesized environments in place of a path."""
INSTALLED_SETS = (BUNDLED, SYNTHESIZED)


def installed_path(word: str) -> Path:
    """Returns the directory of a set that is installed with this package.

    Args:
        word: one of `INSTALLED_SETS`.

    Raises:
        SourceError: the installation lacks the directory.
    """
    folder = bundled_path()
    if word == BUNDLED:
        return folder
    if not (folder / word).is_dir():
        raise SourceError(word, None, f"the {word} environments are not installed")
    return folder / word


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
def installed_digests() -> frozenset[str]:
    """Returns the SHA-256 of each installed environment's source, in hexadecimal; of all installed sets."""
    try:
        folder = bundled_path()
        files = [*folder.glob("*.py"), *(folder / SYNTHESIZED).glob("*.py")]
        sources = [path.read_text(encoding="utf-8") for path in files]
    except SourceError:
        return frozenset()
    return frozenset(hashlib.sha256(source.encode()).hexdigest() for source in sources)
