"""Finds the audit that is stored with an environment, and its grade."""

from pathlib import Path

from pydantic import BaseModel, ValidationError

from codegym_mcp.errors import SourceError
from codegym_mcp.spec.catalog_entries import Entry
from codegym_mcp.storage.regular_files import read_regular_file

AUDIT_SUFFIX = ".audit.json"
AUDIT_VERSION = 2
"""Version of the measurements; audits of another version are stale."""
_MAX_AUDIT = 16 << 20
"""Maximum size of an audit file in bytes."""


class _StoredAudit(BaseModel):
    """The part of an audit that decides whether its grade is current."""

    version: int
    digest: str
    grade: str


def audit_path(entry: Entry) -> Path | None:
    """Returns the path of an environment's audit file, or None if the environment has no file.

    The audit is beside the environment's file; the audits of a set are in the folder `<set>.audits`.
    """
    if entry.file is None:
        return None
    folder = entry.file.parent if entry.file.suffix == ".py" else entry.file.with_suffix(".audits")
    return folder / f"{entry.name}{AUDIT_SUFFIX}"


def stored_grade(entry: Entry) -> str | None:
    """Returns the grade in the stored audit of an environment ("A" is the best).

    Returns:
        The grade, or None if the environment cannot be read, or has no audit of its present content.
    """
    path = audit_path(entry)
    try:
        stored = path is not None and path.exists()
        text = read_regular_file(path, _MAX_AUDIT) if path is not None and stored else entry.published_audit()
        audit = _StoredAudit.model_validate_json(text)
        digest = entry.read().content_digest
    except (SourceError, ValidationError):
        return None
    return audit.grade if (audit.version, audit.digest) == (AUDIT_VERSION, digest) else None
