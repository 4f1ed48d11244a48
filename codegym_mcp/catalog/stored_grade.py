"""Finds the audit that is stored with an environment, and reads its grade if the audit is current."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ValidationError

from codegym_mcp.errors import SourceError
from codegym_mcp.storage.regular_files import read_regular_file

if TYPE_CHECKING:
    # The entries of a set read their grades with this module.
    from codegym_mcp.catalog.catalog_entries import Entry

AUDIT_VERSION = 2
"""Version of the measurements; audits of another version are stale."""
AUDIT_SUFFIX = ".audit.json"
_MAX_AUDIT = 16 << 20
"""Maximum size of an audit file in bytes."""


def audit_path(entry: "Entry") -> Path | None:
    """Returns the path of an environment's audit file, or None if the environment has no file.

    The audit is beside the environment's file; the audits of a set are in the folder `<set>.audits`.
    """
    if entry.file is None:
        return None
    return audit_folder(entry.file) / f"{entry.name}{AUDIT_SUFFIX}"


def audit_folder(file: Path) -> Path:
    """Returns the folder of the audits of a file's environments."""
    return file.parent if file.suffix == ".py" else file.with_suffix(".audits")


def stored_grade(entry: "Entry") -> str | None:
    """Returns the grade in the stored audit of an environment ("A" is the best).

    Returns:
        The grade, or None if the environment cannot be read, or has no audit of its present content.
    """
    path = audit_path(entry)
    try:
        stored = path is not None and path.exists()
        if not stored and entry.indexed is not None:
            return entry.indexed.grade
        text = read_regular_file(path, _MAX_AUDIT) if path is not None and stored else entry.published_audit()
        return grade_of_audit(text, lambda: entry.describe().content_digest)
    except SourceError:
        return None


class _GradedAudit(BaseModel):
    """The part of an audit that decides whether its grade is current."""

    version: int
    digest: str
    grade: str


def grade_of_audit(audit: str | bytes, content_digest: Callable[[], str]) -> str | None:
    """Returns the grade of an audit ("A" is the best).

    Args:
        audit: an audit as JSON, or an empty text.
        content_digest: returns that of the environment that may have been audited; called only for an audit.

    Returns:
        The grade, or None if the text is no audit, or one of other content.
    """
    try:
        found = _GradedAudit.model_validate_json(audit)
    except ValidationError:
        return None
    is_current = found.version == AUDIT_VERSION and found.digest == content_digest()
    return found.grade if is_current else None
