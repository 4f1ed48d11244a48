"""Makes text safe for a terminal: control characters are shown, not executed."""

import json
import re

_INVISIBLE = (
    "\x7f-\x9f"  # DEL, C1
    "\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"  # line separators and bidirectional controls
    "\ufff9-\ufffb\U000e0001\U000e0020-\U000e007f"  # annotations and invisible tags
    "\ud800-\udfff"  # lone surrogates, which no terminal can display
)
_CONTROL = re.compile(f"[\x00-\x08\x0b-\x1f{_INVISIBLE}]")  # also C0 without tab and line feed


def escape_control_characters(text: str) -> str:
    r"""Returns the text with its control characters written as escapes, for example `\x1b`.

    Tabs and line feeds are kept.
    """
    return _CONTROL.sub(lambda match: _escape(ord(match[0])), text)


def _escape(code: int) -> str:
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


_UNSAFE_IN_JSON = re.compile(f"[{_INVISIBLE}]")


def escape_json_text(text: str) -> str:
    """Returns JSON text of equal data in which the control characters that JSON allows are escaped."""
    return _UNSAFE_IN_JSON.sub(lambda match: json.dumps(match[0])[1:-1], text)
