"""Classifies the errors of providers: what to retry, and what ends the episode or the run."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

from codegym_mcp.models.context_overflow import is_context_overflow


class ErrorMeaning(StrEnum):
    """What an error means for the request, the episode and the run."""

    TRANSIENT = "transient"
    """The provider failed; the same request may succeed later."""
    PERMANENT = "permanent"
    """The provider failed, and says that repeating the request does not help."""
    OVERFLOW = "overflow"
    """The conversation is too long for the model."""
    REFUSAL = "refusal"
    """The provider's filter refused the conversation."""
    REJECTED = "rejected"
    """The provider rejected the request as invalid."""
    NO_ACCESS = "no_access"
    """The key or the account may not use the model; no request can succeed."""
    UNKNOWN_MODEL = "unknown_model"
    """The model does not exist; no request can succeed."""
    WRONG_ADDRESS = "wrong_address"
    """There is no model server at the address; no request can succeed."""


@dataclass(frozen=True)
class ErrorDiagnosis:
    """What an error means.

    Attributes:
        text: what went wrong, on one line, in the provider's words if there are any.
        status: the HTTP status, or None if no response was received.
        retry_after: seconds that the provider asks to wait, or None.
        hint: what the user can do; empty if unknown.
    """

    meaning: ErrorMeaning
    text: str
    status: int | None = None
    retry_after: float | None = None
    hint: str = ""


_TRY_AGAIN = re.compile(r"(?:try again|retry) (?:in|after) ", re.IGNORECASE)
_DURATION = re.compile(
    r"(?:(\d+) ?h(?:ours?)?)? ?(?:(\d+) ?m(?:in(?:utes?)?)?(?!s))?"
    r" ?(?:(\d+(?:\.\d+)?) ?s(?:ec(?:onds?)?)?\b)? ?(?:(\d+(?:\.\d+)?) ?ms\b)?"
)
"""A duration such as "1m30.5s", "20ms" or "2 minutes": hours, minutes, seconds, milliseconds."""
_RETRIED_STATUSES = frozenset({408, 409, 425, 429})
_FLAGGED_CODES = frozenset(
    {
        "content_filter",
        "content_policy_violation",
        "content_filter_error",
        "invalid_prompt",
        "moderation_blocked",
        "data_inspection_failed",
        "datainspectionfailed",
        "sensitive_words_detected",
        "responsibleaipolicyviolation",
        "1301",
    }
)
"""Error codes of prompts that a filter refused, in lower case. 1301 is Zhipu's."""
_ACCOUNT_CODES = frozenset(
    {
        "insufficient_quota",
        "billing_hard_limit_reached",
        "billing_not_active",
        "credit_balance_exhausted",
        "insufficient_balance",
        "insufficient_credits",
        "exceeded_current_quota_error",
        "organization_spend_limit_exceeded",
        "project_spend_limit_exceeded",
        "organization_usage_limit_exceeded",
        "arrearage",
        "1113",
    }
)
"""Error codes of an account without credit, in lower case. Several providers send them with status 429."""
_KEY_CODES = frozenset({"invalid_api_key", "authentication_error", "invalid_authentication_error"})
_MODEL_CODES = frozenset({"model_not_found", "model_not_found_error", "modelnotfound"})
_PAGE_START = ("<!doctype", "<html", "<head", "<?xml")
_TITLE = re.compile(r"<title>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_OVERLOADED = re.compile(r"overloaded|over capacity", re.IGNORECASE)
_KEY_WORDINGS = re.compile(r"invalid api[ _-]?key|incorrect api[ _-]?key|api key not valid", re.IGNORECASE)
_NO_TOOLS = re.compile(
    r"not (?:currently )?support(?:ed)? (?:for )?(?:the )?(?:tool|function)|no tool support"
    r"|support (?:tool|function)[ _-]?(?:use|call)"
    r"|\b(?:tools?|functions?)(?: use|[ _-]calling)? (?:is|are) (?:not supported|unsupported)",
    re.IGNORECASE,
)
_PATH = re.compile(r"https?://\S+|(?<![\w.:-])/\S+")
"""An address or the path of one."""
_A_MODEL = re.compile(r"(?<![\w./-])model\b(?![-_./])", re.IGNORECASE)
_MISSING = re.compile(
    r"does(?: not|n't) exist|not found|no endpoints? found|no such|unknown|not supported|unavailable"
    r"|is not a valid",
    re.IGNORECASE,
)


def diagnose_error(
    *,
    status: int | None,
    body: object,
    model: str,
    headers: Mapping[str, str] | None = None,
    has_replied: bool,
) -> ErrorDiagnosis:
    """Classifies an error response, or an error in the body of a successful response.

    Args:
        status: the HTTP status, or None for an error in a successful response.
        body: the parsed body, or its text if it is not JSON.
        model: the model's name without its provider.
        has_replied: whether the model has replied in this run: it exists, and its key is valid.
    """
    message = error_message(body)
    codes = frozenset(code.lower() for code in error_codes(body))
    said = status if status is not None else _status_of(codes)
    meaning = _meaning(said, message, codes, headers or {}, model=model, has_replied=has_replied)
    text = " ".join(message.split())
    if status is not None:
        text = f"status {status}: {text}" if text else f"status {status}"
    return ErrorDiagnosis(
        meaning, text or "an error without a message", status, retry_after(headers or {}, body)
    )


def _meaning(
    status: int | None,
    message: str,
    codes: frozenset[str],
    headers: Mapping[str, str],
    *,
    model: str,
    has_replied: bool,
) -> ErrorMeaning:
    if codes & _ACCOUNT_CODES or status == 402:
        return ErrorMeaning.NO_ACCESS
    if is_context_overflow(message, codes, status):
        return ErrorMeaning.OVERFLOW
    if codes & _FLAGGED_CODES and (status is None or status < 500):
        return ErrorMeaning.REFUSAL
    if codes & _KEY_CODES or status in (401, 407) or (status == 400 and _KEY_WORDINGS.search(message)):
        return ErrorMeaning.NO_ACCESS
    if lacks_tools(message) and status in (None, 400, 404, 422, 500, 501):
        return ErrorMeaning.REJECTED
    missing = status in (400, 404, 422) and names_missing_model(message, model, codes)
    if codes & _MODEL_CODES or missing:
        return ErrorMeaning.TRANSIENT if has_replied else ErrorMeaning.UNKNOWN_MODEL
    match status:
        case 403:
            # A 403 may also be one prompt that a gateway's guardrail refuses.
            return ErrorMeaning.REJECTED if has_replied else ErrorMeaning.NO_ACCESS
        case 404 if not has_replied and _A_MODEL.search(_PATH.sub("", message)):
            return ErrorMeaning.UNKNOWN_MODEL
        case 404 | 405 | 406 | 410 | 421 | 426:
            return ErrorMeaning.TRANSIENT if has_replied else ErrorMeaning.WRONG_ADDRESS
    return _retry_meaning(status, message, codes, headers)


def _retry_meaning(
    status: int | None, message: str, codes: frozenset[str], headers: Mapping[str, str]
) -> ErrorMeaning:
    retried = status is None or status >= 500 or status in _RETRIED_STATUSES
    retried = retried or any(_OVERLOADED.search(text) for text in (message, *codes))
    match headers.get("x-should-retry"):
        case "true":
            return ErrorMeaning.TRANSIENT
        case "false" if retried:
            return ErrorMeaning.PERMANENT
    return ErrorMeaning.TRANSIENT if retried else ErrorMeaning.REJECTED


def lacks_tools(message: str) -> bool:
    """Checks whether an error says that the model or its server does not take tools."""
    return bool(_NO_TOOLS.search(message))


def names_missing_model(message: str, model: str, codes: frozenset[str]) -> bool:
    """Checks whether an error says that this model does not exist.

    The name in a path proves nothing: servers without the path repeat it in their error. Gemini's resource
    name `models/NAME` is no path.
    """
    without_paths = re.sub(rf"(?<![\w/])(?:[\w/]*\bv\d\w*)?/\S*{re.escape(model)}", "", message)
    without_paths = _PATH.sub("", without_paths)
    return model in without_paths and ("not_found_error" in codes or bool(_MISSING.search(without_paths)))


def error_message(body: object) -> str:
    """Returns the message in the body of an error response, and the member of the request that it names."""
    member = ""
    while isinstance(body, Mapping):
        member = _member(body) or member
        body = (
            body.get("error")
            or body.get("message")
            or body.get("detail")
            or body.get("msg")
            or body.get("errors")
            or str(dict(body) or "")
        )
    if isinstance(body, list) and body:
        return error_message(body[0])
    text = body if isinstance(body, str) else str(body or "")
    if is_web_page(text):
        title = _TITLE.search(text)
        return f"a web page ({' '.join(title[1].split())})" if title and title[1].strip() else "a web page"
    return f"{text} ({member})" if text and member and member not in text else text


def _member(body: Mapping[str, object]) -> str:
    """Returns the member of the request at fault, as OpenAI and FastAPI name it."""
    if isinstance(body.get("param"), str):
        return str(body["param"])
    where = body.get("loc")
    return ".".join(map(str, where)) if isinstance(where, list) else ""


def is_web_page(text: str) -> bool:
    """Checks whether a text is a page of HTML or XML."""
    return text.lstrip().lower().startswith(_PAGE_START)


def error_codes(body: object) -> set[str]:
    """Returns all codes and types in the body of an error response."""
    if not isinstance(body, Mapping):
        return set()
    codes = {str(body[name]) for name in ("code", "type", "status") if isinstance(body.get(name), str | int)}
    inner = body.get("error") if isinstance(body.get("error"), Mapping) else body.get("innererror")
    return codes | error_codes(inner)


def retry_after(headers: Mapping[str, str], body: object = None) -> float | None:
    """Returns the seconds that a provider asks to wait before the next request, or None."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    text = headers.get("retry-after")
    seconds = _number(text)
    if seconds is not None:
        return seconds
    if text is None:
        return _wait_in_body(body)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (moment.astimezone(UTC) - datetime.now(UTC)).total_seconds())


def _wait_in_body(body: object) -> float | None:
    """Returns the wait that a body asks for, in `retryDelay`, in `retry_after`, or in words."""
    match body:
        case {"retryDelay": str(delay)} if (found := _DURATION.fullmatch(delay)) is not None:
            return _seconds(found)
        case {"retry_after": float() | int() as seconds} if not isinstance(seconds, bool):
            return _number(str(seconds))
        case Mapping() | list():
            inner = body.values() if isinstance(body, Mapping) else body
            return next((wait for each in inner if (wait := _wait_in_body(each)) is not None), None)
        case str() if (asked := _TRY_AGAIN.search(body)) is not None:
            found = _DURATION.match(body, asked.end())
            return _seconds(found) if found is not None else None
    return None


def _seconds(duration: re.Match[str]) -> float | None:
    hours, minutes, seconds, milliseconds = (float(part or 0) for part in duration.groups())
    return hours * 3600 + minutes * 60 + seconds + milliseconds / 1000 if duration[0] else None


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None


def _status_of(codes: frozenset[str]) -> int | None:
    """Returns the HTTP status that a gateway repeats as a code in the body."""
    statuses = [int(code) for code in codes if code.isdecimal() and 400 <= int(code) < 600]
    return statuses[0] if statuses else None
