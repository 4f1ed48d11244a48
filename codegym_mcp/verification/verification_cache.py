"""Verdicts by content: what was verified once is verified again only where it has changed."""

import os
import sys
from functools import cache
from hashlib import sha256
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import to_json

import codegym_mcp
from codegym_mcp.limits import Limits
from codegym_mcp.spec.environment import Environment
from codegym_mcp.storage.atomic_files import write_atomically
from codegym_mcp.verification.gate_results import Verification

DIRECTORY_VARIABLE = "CODEGYM_MCP_CACHE"


def cache_directory() -> Path:
    """Where verdicts are kept unless a user says otherwise."""
    if named := os.environ.get(DIRECTORY_VARIABLE):
        return Path(named)
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(caches) / "codegym-mcp"


def content_digest(environment: Environment) -> str:
    """SHA-256 of an environment's source, its format and its fixed tasks, in hexadecimal."""
    program = environment.program
    tasks = [task.model_dump(mode="json") for task in environment.tasks]
    return sha256(to_json([program.digest, program.format, program.entry, tasks])).hexdigest()


@cache
def gates_version() -> str:
    """A digest of the code that decides: this package and the Python that runs it."""
    package = Path(codegym_mcp.__file__).parent
    digest = sha256(repr(sys.version_info).encode())
    for file in sorted(package.rglob("*.py")):
        digest.update(str(file.relative_to(package)).encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


class VerificationCache:
    """Verdicts on disk, one file for each content.

    Args:
        directory: where to keep them; it is made when it is needed.
        limits: those under which environments are verified.
    """

    def __init__(self, directory: Path, limits: Limits) -> None:
        self._directory = directory / "verified"
        self._limits = limits

    def get(self, environment: Environment) -> Verification | None:
        """The verdict on this very content, under these limits, by these gates; None where there is none."""
        try:
            found = Verification.model_validate_json(self._path(environment).read_bytes())
        except (OSError, ValidationError):
            return None
        # Two files may hold the same environment by different names.
        return found.model_copy(update={"environment": environment.name})

    def put(self, environment: Environment, verification: Verification) -> None:
        """Keeps a verdict.

        Raises:
            UnwritableError: it cannot be written.
        """
        hint = "Name another folder with --cache, or give --no-cache."
        write_atomically(self._path(environment), verification.model_dump_json() + "\n", hint=hint)

    def _path(self, environment: Environment) -> Path:
        told = [content_digest(environment), gates_version(), self._limits.model_dump_json()]
        key = sha256(to_json(told)).hexdigest()
        return self._directory / key[:2] / f"{key}.json"
