"""Caches verifications by content, so that unchanged environments are not verified again."""

import logging
from hashlib import sha256
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import to_json

from codegym_mcp.code_digest import code_digest
from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.episode_limits import Limits
from codegym_mcp.errors import UnwritableError
from codegym_mcp.storage.atomic_files import write_atomically
from codegym_mcp.storage.cache_directory import cache_directory
from codegym_mcp.verification.gate_results import Verification

_HINT = "Name another folder with --cache, or use --no-cache."
_log = logging.getLogger(__name__)


class VerificationCache:
    """Verifications on disk, one file for each content.

    Args:
        directory: where to store them; created when the first one is stored.
        limits: the limits under which environments are verified.
        optional: if storing fails, log a warning and go on without storing.
    """

    def __init__(self, directory: Path, limits: Limits, *, optional: bool = False) -> None:
        self._directory = directory / "verified"
        self._limits = limits
        self._optional = optional
        self._writable = True

    @classmethod
    def default(cls, limits: Limits) -> "VerificationCache":
        """Returns the cache in the user's cache directory, which is skipped if it cannot be written."""
        return cls(cache_directory(), limits, optional=True)

    def get(self, environment: Environment) -> Verification | None:
        """Returns the stored verification of this content under these limits and gates, or None."""
        try:
            found = Verification.model_validate_json(self._path(environment).read_bytes())
        except (OSError, ValidationError):
            return None
        # Two files may hold the same environment under different names.
        return found.model_copy(update={"environment": environment.name})

    def put(self, environment: Environment, verification: Verification) -> None:
        """Stores a verification.

        Raises:
            UnwritableError: it cannot be written, and the cache is not optional.
        """
        if not self._writable:
            return
        try:
            write_atomically(self._path(environment), verification.model_dump_json() + "\n", hint=_HINT)
        except UnwritableError as error:
            if not self._optional:
                raise
            self._writable = False
            _log.warning("Verifications are not cached: %s", error)

    def _path(self, environment: Environment) -> Path:
        parts = [environment.content_digest, code_digest(), self._limits.model_dump_json()]
        key = sha256(to_json(parts)).hexdigest()
        return self._directory / key[:2] / f"{key}.json"
