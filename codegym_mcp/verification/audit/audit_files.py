"""Audits on disk, beside the environments that they are about."""

from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from codegym_mcp.errors import SourceError
from codegym_mcp.spec.catalog import Catalog, Entry
from codegym_mcp.storage.atomic_files import write_atomically
from codegym_mcp.verification.audit.audit import Audit
from codegym_mcp.verification.audit.grades import Grade

SUFFIX = ".audit.json"


def audit_path(entry: Entry) -> Path | None:
    """Where the audit of an environment is: beside its file; those of a set are in a folder of their own.

    None where the environment does not come from a file.
    """
    if entry.file is None:
        return None
    folder = entry.file.parent if entry.file.suffix == ".py" else entry.file.with_suffix(".audits")
    return folder / f"{entry.name}{SUFFIX}"


def current_audit(entry: Entry) -> Audit | None:
    """The audit of an environment, where there is one and the environment is still what was audited.

    Raises:
        SourceError: the environment cannot be used.
    """
    found = AuditFiles().read(entry)
    return found if found is not None and found.fits(entry.read()) else None


def current_grades(catalog: Catalog) -> dict[str, Grade]:
    """The grades of the environments that can be used and have a current audit, by name."""
    grades = {}
    for entry in catalog.entries:
        with suppress(SourceError):
            audit = current_audit(entry)
            if audit is not None:
                grades[entry.name] = audit.grade
    return grades


class AuditFiles:
    """Reads and writes audits.

    Args:
        directory: a folder for all of them; without one each is at its `audit_path`.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self._directory = directory

    def read(self, entry: Entry) -> Audit | None:
        """The audit that is kept of an environment, current or stale; None where there is none.

        One that was published with it counts where none was made since.

        Raises:
            SourceError: the environment's row cannot be read.
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
        """Keeps an audit, where there is a place for it.

        Raises:
            UnwritableError: it cannot be written.
        """
        path = self._path(entry)
        if path is not None:
            hint = "Name a folder for the audits with --out."
            write_atomically(path, audit.model_dump_json(indent=2) + "\n", hint=hint)

    def _path(self, entry: Entry) -> Path | None:
        return audit_path(entry) if self._directory is None else self._directory / f"{entry.name}{SUFFIX}"
