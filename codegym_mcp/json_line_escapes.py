"""Escapes characters at which some readers split lines.

Messages, events of streams and rows of files are one line of JSON each. JSON escapes the ASCII control
characters itself; these three Unicode line separators it may leave as they are, and readers that split with
Unicode rules (Python's `splitlines`, for example) then see half a line.
"""

_ESCAPES = ((b"\xe2\x80\xa8", b"\\u2028"), (b"\xe2\x80\xa9", b"\\u2029"), (b"\xc2\x85", b"\\u0085"))


def escape_line_separators(json_text: bytes) -> bytes:
    """Returns the same JSON with U+2028, U+2029 and U+0085 escaped.

    Args:
        json_text: JSON in UTF-8, in which these characters occur in strings only.
    """
    for separator, escape in _ESCAPES:
        if separator in json_text:
            json_text = json_text.replace(separator, escape)
    return json_text


def json_line(json_text: bytes) -> bytes:
    """Returns a line of a file of JSON Lines, with its line break."""
    return escape_line_separators(json_text) + b"\n"
