"""Reads the grade of an audit, if the audit is one of an environment's present content."""

from pydantic import BaseModel, ValidationError

AUDIT_VERSION = 2
"""Version of the measurements; audits of another version are stale."""


class _GradedAudit(BaseModel):
    """The part of an audit that decides whether its grade is current."""

    version: int
    digest: str
    grade: str


def grade_of_audit(audit: str | bytes, content_digest: str) -> str | None:
    """Returns the grade of an audit ("A" is the best).

    Args:
        audit: an audit as JSON, or an empty text.
        content_digest: that of the environment that may have been audited.

    Returns:
        The grade, or None if the text is no audit, or one of other content.
    """
    try:
        found = _GradedAudit.model_validate_json(audit)
    except ValidationError:
        return None
    is_current = (found.version, found.digest) == (AUDIT_VERSION, content_digest)
    return found.grade if is_current else None
