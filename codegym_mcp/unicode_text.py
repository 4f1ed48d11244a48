"""Lone surrogates: code points that Python strings can hold, but UTF-8 and JSON cannot."""

import re

_SURROGATE = re.compile("[\ud800-\udfff]")


def lone_surrogate(text: str) -> int | None:
    """Returns the position of the first lone surrogate of a text, or None if UTF-8 can encode the text."""
    found = _SURROGATE.search(text)
    return found.start() if found else None


def is_encodable(text: str) -> bool:
    """Checks whether UTF-8 can encode the text."""
    return lone_surrogate(text) is None


def replace_lone_surrogates(text: str) -> str:
    """Joins surrogate pairs to whole characters and replaces each lone surrogate by U+FFFD."""
    if is_encodable(text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
