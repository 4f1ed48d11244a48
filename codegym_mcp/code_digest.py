"""A digest of this project's code, for what is cached and depends on it."""

import sys
from functools import cache
from hashlib import sha256
from pathlib import Path

import codegym_mcp


@cache
def code_digest(*folders: str) -> str:
    """Returns a digest of modules of `codegym_mcp` and of the Python version.

    Bundled environments are data and are left out, so that a checkout and an installation agree.

    Args:
        folders: the packages whose modules count, with the modules that no package contains; without
            packages, all modules.

    Returns:
        SHA-256 in hexadecimal.

    Raises:
        ValueError: there is no such package.
    """
    package = Path(codegym_mcp.__file__).parent
    environments = package / "environments"
    digest = sha256(repr(sys.version_info).encode())
    roots = [package / folder for folder in folders] or [package]
    for root in roots:
        if not root.is_dir():
            raise ValueError(f"there is no package {root.name} in codegym_mcp")
    files = {file for root in roots for file in root.rglob("*.py") if not file.is_relative_to(environments)}
    files.update(package.glob("*.py"))
    for file in sorted(files):
        digest.update(file.relative_to(package).as_posix().encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()
