"""What an error of a provider means: to try again, to give the episode up, or to give the run up."""

import re
from dataclasses import dataclass
from typing import Any, Literal

from pydantic_ai import exceptions as ai

Meaning = Literal["passing", "failed", "overflow", "refusal", "rejected", "no_access", "unknown_model"]
"""`passing` is the provider's and may be gone the next time, `failed` is its too and will not be; `overflow`
and `refusal` concern the conversation; `rejected` is wrong with the request; the last two are wrong with the
whole run."""

_TRY_AGAIN_STATUS = frozenset({408, 409, 425, 429})
_OVERFLOW = re.compile(
    r"exceed_context_size|context[ _](size|length|window)|(prompt|input) is too long|too many tokens"
    r"|number of tokens allowed",
    re.IGNORECASE,
)
"""How servers that have no code for it word that a prompt is too long."""
_FLAGGED = frozenset(
    {
        "content_filter",
        "content_policy_violation",
        "invalid_prompt",
        "moderation_blocked",
        "data_inspection_failed",
    }
)
"""Codes by which a provider declines a prompt for what it says."""


@dataclass(frozen=True)
class ProviderErrorDiagnosis:
    """What an error means.

    Attributes:
        text: what went wrong, on one line.
        status: the HTTP status, where there was one.
        retry_after: how long the provider asks to wait, in seconds.
    """

    meaning: Meaning
    text: str
    status: int | None = None
    retry_after: float | None = None


def diagnose(error: Exception, *, answered: bool) -> ProviderErrorDiagnosis:
    """What an error of a request means.

    Args:
        answered: whether the model has ever answered: one that has does exist, and its key is good.
    """
    status = error.status_code if isinstance(error, ai.ModelHTTPError) else None
    meaning = _meaning(error, status, answered=answered)
    retry_after = error.retry_after if isinstance(error, ai.ModelAPIError) else None
    return ProviderErrorDiagnosis(meaning, _text(error), status, retry_after)


def _meaning(error: Exception, status: int | None, *, answered: bool) -> Meaning:
    match error:
        case ai.ModelContextWindowExceededError():
            return "overflow"
        case ai.ModelQuotaExceededError():
            return "no_access"
        case ai.ModelAuthenticationError():
            # A 403 may also be one prompt that a gateway's guardrail stops.
            return "rejected" if answered and status == 403 else "no_access"
        case ai.ModelNotFoundError():
            return "passing" if answered else "unknown_model"
        case ai.ModelHTTPError():
            return _rejection(error)
        case ai.UserError():
            return "rejected"
    # No connection, no answer in time, or an answer that cannot be read.
    return "passing"


def _rejection(error: ai.ModelHTTPError) -> Meaning:
    passing = error.status_code >= 500 or error.status_code in _TRY_AGAIN_STATUS
    if passing if error.provider_retry_hint is None else error.provider_retry_hint:
        return "passing"
    if passing:
        return "failed"
    if error.provider_error_code in _FLAGGED or error.provider_error_type in _FLAGGED:
        return "refusal"
    return "overflow" if _OVERFLOW.search(_words(error.body)) else "rejected"


def _text(error: Exception) -> str:
    said = _words(error.body) if isinstance(error, ai.ModelHTTPError) else ""
    text = " ".join((said or str(error) or type(error).__name__).split())
    if isinstance(error, ai.ModelHTTPError):
        text = f"status {error.status_code}: {text}" if said else f"status {error.status_code}"
    return text


def _words(body: Any) -> str:
    """The message in the body of an error answer, as far as providers agree where it stands."""
    while isinstance(body, dict):
        body = body.get("error") or body.get("message") or body.get("detail") or str(body)
    return body if isinstance(body, str) else str(body or "")
