"""Reads and writes audit files, which are stored beside the environments."""

from pathlib import Path

from pydantic import ValidationError

from codegym_mcp.catalog.catalog_entries import Entry
from codegym_mcp.catalog.stored_grade import AUDIT_SUFFIX, audit_path
from codegym_mcp.storage.atomic_files import write_atomically
from codegym_mcp.verification.audit.audit import Audit


def current_audit(entry: Entry) -> Audit | None:
    """Returns the audit of an environment if it exists and is current, otherwise None.

    Raises:
        SourceError: the environment cannot be read.
    """
    found = AuditFiles().read(entry)
    return found if found is not None and found.fits(entry.read()) else None


class AuditFiles:
    """Reads and writes audit files.

    Args:
        directory: folder for all audit files; if None, each is at its `audit_path`.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self._directory = directory

    def read(self, entry: Entry) -> Audit | None:
        """Returns the stored audit of an environment, current or stale, or None.

        Without an audit file, the audit that was published with the environment is returned.

        Raises:
            SourceError: the environment's row in a set cannot be read.
        """
        path = self._path(entry)
        try:
            if path is not None and path.exists():
                return Audit.model_validate_json(path.read_bytes())
            if self._directory is None:
                return Audit.model_validate_json(entry.published_audit())
        except (OSError, ValidationError):
            pass
        return None

    def write(self, entry: Entry, audit: Audit) -> None:
        """Writes an audit file, if the environment has a file.

        Raises:
            UnwritableError: the audit file cannot be written.
        """
        path = self._path(entry)
        if path is not None:
            hint = "Name a folder for the audits with --out."
            write_atomically(path, audit.model_dump_json(indent=2) + "\n", hint=hint)

    def _path(self, entry: Entry) -> Path | None:
        return (
            audit_path(entry) if self._directory is None else self._directory / f"{entry.name}{AUDIT_SUFFIX}"
        )
