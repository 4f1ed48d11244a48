"""Code and data out of what a model says."""

import ast
import json
import re
from typing import Any

from codegym_mcp.errors import CodegymError

MAX_CHARACTERS = 100_000
"""Of one piece of code or data; whoever writes more has gone astray."""

_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})[ \t]*([\w+#.-]*)[^\n]*$", re.MULTILINE)
_PYTHON = {"python", "py", "python3", ""}
_JSON = {"json", "jsonl", ""}


class UnusableReplyError(CodegymError):
    """What a model says is not what it was asked for; the message is meant for the model too."""


def python_block(text: str) -> str:
    """The Python code of a reply: its longest block of it, or the whole reply where that is nothing else.

    Raises:
        UnusableReplyError: there is none, it breaks off, or it is too long.
    """
    blocks = _blocks(text)
    if not blocks:
        if not _parses(text):
            raise UnusableReplyError("There is no ```python block in the answer.")
        return _bounded(text)
    code = [block for language, block in blocks if language in _PYTHON]
    if not code:
        languages = ", ".join(sorted({language for language, _ in blocks}))
        raise UnusableReplyError(f"The code is not Python but {languages}.")
    return _bounded(max(code, key=len))


def json_block(text: str) -> Any:
    """The JSON data of a reply: its longest block of it, or the whole reply where that is nothing else.

    Raises:
        UnusableReplyError: there is none, it breaks off, it is no JSON, or it is too long.
    """
    blocks = [block for language, block in _blocks(text) if language in _JSON]
    written = _bounded(max(blocks, key=len) if blocks else text)
    try:
        data = json.loads(written, parse_constant=_refuse_constant)
        # What holds half of a character can be sent and kept nowhere.
        json.dumps(data, ensure_ascii=False).encode()
        return data
    except (ValueError, RecursionError) as error:
        if not blocks:
            raise UnusableReplyError("There is no ```json block in the answer.") from None
        raise UnusableReplyError(f"The block is no JSON: {error}.") from None


def _blocks(text: str) -> list[tuple[str, str]]:
    """The fenced blocks of a Markdown text, with the languages that they are said to be in."""
    found = []
    opened: re.Match[str] | None = None
    for fence in _FENCE.finditer(text):
        if opened is None:
            opened = fence
        elif fence[1][0] == opened[1][0] and len(fence[1]) >= len(opened[1]) and not fence[2]:
            found.append((opened[2].lower(), text[opened.end() + 1 : fence.start()]))
            opened = None
    if opened is not None:
        raise UnusableReplyError("The answer breaks off in the middle of a block.")
    return found


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _bounded(text: str) -> str:
    if len(text) > MAX_CHARACTERS:
        raise UnusableReplyError(f"It has {len(text):,} characters; {MAX_CHARACTERS:,} are allowed.")
    return text


def _parses(text: str) -> bool:
    try:
        return bool(ast.parse(text).body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
