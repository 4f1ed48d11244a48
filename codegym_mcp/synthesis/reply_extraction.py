"""Extracts code and data from the reply of a model."""

import ast
import json
import re
from typing import Any

from codegym_mcp.errors import CodegymError

MAX_CHARACTERS = 100_000
"""Maximum length of a block of code or data in characters."""

_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})[ \t]*([\w+#.-]*)[^\n]*$", re.MULTILINE)
_PYTHON = {"python", "py", "python3", ""}
_JSON = {"json", "jsonl", ""}


class UnusableReplyError(CodegymError):
    """The reply of a model does not have the requested form; the model receives the message."""


def python_block(text: str) -> str:
    """Returns the Python code of a reply: its longest Python block, or the whole reply if it is Python code.

    Raises:
        UnusableReplyError: the reply has no code, is incomplete, or is too long.
    """
    blocks = _blocks(text)
    if not blocks:
        if not _parses(text):
            raise UnusableReplyError("The reply has no ```python block.")
        return _bounded(text)
    code = [block for language, block in blocks if language in _PYTHON]
    if not code:
        languages = ", ".join(sorted({language for language, _ in blocks}))
        raise UnusableReplyError(f"The code is marked as {languages}, not as Python.")
    return _bounded(max(code, key=len))


def json_block(text: str) -> Any:
    """Returns the JSON data of a reply: its longest JSON block, or the whole reply if it is JSON.

    Raises:
        UnusableReplyError: the reply has no JSON data, is incomplete, or is too long.
    """
    blocks = [block for language, block in _blocks(text) if language in _JSON]
    text_of_data = _bounded(max(blocks, key=len) if blocks else text)
    try:
        data = json.loads(text_of_data, parse_constant=_refuse_constant)
        # Lone surrogates cannot be encoded.
        json.dumps(data, ensure_ascii=False).encode()
        return data
    except (ValueError, RecursionError) as error:
        if not blocks:
            raise UnusableReplyError("The reply has no ```json block.") from None
        raise UnusableReplyError(f"The block is not JSON: {error}.") from None


def _blocks(text: str) -> list[tuple[str, str]]:
    """Returns the fenced blocks of a Markdown text with their language tags."""
    found = []
    opened: re.Match[str] | None = None
    for fence in _FENCE.finditer(text):
        if opened is None:
            opened = fence
        elif fence[1][0] == opened[1][0] and len(fence[1]) >= len(opened[1]) and not fence[2]:
            found.append((opened[2].lower(), text[opened.end() + 1 : fence.start()]))
            opened = None
    if opened is not None:
        raise UnusableReplyError("The reply ends in the middle of a block.")
    return found


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _bounded(text: str) -> str:
    if len(text) > MAX_CHARACTERS:
        raise UnusableReplyError(f"It has {len(text):,} characters; {MAX_CHARACTERS:,} are allowed.")
    return text


def _parses(text: str) -> bool:
    try:
        return bool(ast.parse(text).body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
