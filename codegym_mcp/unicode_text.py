"""Lone surrogates and other data that Python can hold, but UTF-8 and JSON cannot."""

import math
from typing import Any


def lone_surrogate(text: str) -> int | None:
    """Returns the position of the first lone surrogate of a text, or None if UTF-8 can encode the text."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return error.start
    return None


def is_encodable(text: str) -> bool:
    """Checks whether UTF-8 can encode the text."""
    return lone_surrogate(text) is None


def replace_lone_surrogates(text: str) -> str:
    """Joins surrogate pairs to whole characters and replaces each lone surrogate by U+FFFD."""
    if is_encodable(text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def writable_data(value: Any) -> Any:
    """Returns JSON data as every JSON text can hold them.

    Lone surrogates are replaced, and numbers without a value (`NaN`, infinity) are null.
    """
    match value:
        case str():
            return replace_lone_surrogates(value)
        case list():
            return [writable_data(each) for each in value]
        case dict():
            return {replace_lone_surrogates(name): writable_data(each) for name, each in value.items()}
        case float() if not math.isfinite(value):
            return None
    return value
