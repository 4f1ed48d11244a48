"""Classifies the exceptions of pydantic-ai."""

import re
from dataclasses import replace

from pydantic_ai import exceptions as ai

from codegym_mcp.models.connection_hints import diagnose_foreign_protocol, root_cause
from codegym_mcp.models.context_overflow import is_context_overflow
from codegym_mcp.models.corrected_responses import CORRECTED_HEADER
from codegym_mcp.models.error_diagnosis import ErrorDiagnosis, ErrorMeaning, diagnose_error

_NO_CONNECTION = "Connection error."
_WEB_PAGE = re.compile(r"^Expected a JSON response, got: .\s*<(?:!doctype|html|head)", re.IGNORECASE)


def is_web_page(error: Exception) -> bool:
    """Checks whether an exception says that the response was a web page."""
    return bool(_WEB_PAGE.match(" ".join(str(error).split())))


def diagnose_exception(error: Exception, *, model: str, has_replied: bool) -> ErrorDiagnosis:
    """Classifies an exception of a request.

    Args:
        model: the model's name without its provider.
        has_replied: whether the model has replied in this run: it exists, and its key is valid.
    """
    if isinstance(error, ai.ModelHTTPError):
        return _diagnose_status(error, model=model, has_replied=has_replied)
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, ai.ModelAPIError) and text == _NO_CONNECTION:
        text = root_cause(error)
    status = getattr(error.__cause__, "status_code", None) or getattr(error.__cause__, "code", None)
    if isinstance(status, int) and 300 <= status < 400 and not has_replied:
        hint = "Give the server's own address as --base-url."
        return ErrorDiagnosis(
            ErrorMeaning.WRONG_ADDRESS, f"the server answers with status {status}", status, hint=hint
        )
    foreign = None if has_replied else diagnose_foreign_protocol(text, "the address")
    if foreign is not None:
        return foreign
    wait = error.retry_after if isinstance(error, ai.ModelAPIError) else None
    if isinstance(error, ai.ModelContextWindowExceededError) or is_context_overflow(text, frozenset(), None):
        return ErrorDiagnosis(ErrorMeaning.OVERFLOW, text)
    match error:
        case ai.ModelQuotaExceededError() | ai.ModelAuthenticationError():
            return ErrorDiagnosis(ErrorMeaning.NO_ACCESS, text)
        case ai.UserError():
            return ErrorDiagnosis(ErrorMeaning.REJECTED, text)
    # No connection, no answer in time, or an answer that cannot be read.
    return ErrorDiagnosis(ErrorMeaning.TRANSIENT, text, retry_after=wait)


def _diagnose_status(error: ai.ModelHTTPError, *, model: str, has_replied: bool) -> ErrorDiagnosis:
    hint = error.provider_retry_hint
    diagnosis = diagnose_error(
        status=error.status_code,
        body=error.body,
        model=model,
        headers={} if hint is None else {"x-should-retry": str(hint).lower()},
        has_replied=has_replied,
    )
    if CORRECTED_HEADER in (error.headers or {}):
        text = diagnosis.text.removeprefix(f"status {error.status_code}: ")
        diagnosis = replace(diagnosis, text=text, status=None)
    if error.retry_after is not None:
        diagnosis = replace(diagnosis, retry_after=error.retry_after)
    meaning = diagnosis.meaning
    match error:
        case ai.ModelContextWindowExceededError():
            meaning = ErrorMeaning.OVERFLOW
        case ai.ModelQuotaExceededError():
            meaning = ErrorMeaning.NO_ACCESS
        case ai.ModelAuthenticationError() if not (has_replied and error.status_code == 403):
            meaning = ErrorMeaning.NO_ACCESS
        case ai.ModelNotFoundError():
            meaning = ErrorMeaning.TRANSIENT if has_replied else ErrorMeaning.UNKNOWN_MODEL
    return replace(diagnosis, meaning=meaning)
