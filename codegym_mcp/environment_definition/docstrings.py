"""Parses docstrings in the Google style: a description, the arguments, and the result."""

import inspect
import re
from dataclasses import dataclass, field

_SECTION = re.compile(
    r"^(Args|Arguments|Parameters|Returns|Raises|Example|Examples|Example Output|Yields|Note|Notes):\s*$"
)
_ARGUMENT = re.compile(
    r"^\*{0,2}(?P<name>\w+)\s*(?:\((?P<type>[^()]*(?:\([^()]*\)[^()]*)*)\))?\s*:\s*(?P<text>.*)$"
)


@dataclass(frozen=True)
class Argument:
    """The description of one argument."""

    text: str
    type: str = ""


@dataclass(frozen=True)
class Docstring:
    """The parts of a docstring, without indentation."""

    description: str = ""
    arguments: dict[str, Argument] = field(default_factory=dict)
    returns: str = ""


def parse_docstring(text: str | None) -> Docstring:
    """Splits a docstring into its description, its arguments and its result.

    Args:
        text: the docstring as in the source, or None.

    Returns:
        The parts; missing parts are empty.
    """
    sections: dict[str, list[str]] = {"": []}
    current = ""
    for line in inspect.cleandoc(text or "").splitlines():
        heading = _SECTION.match(line)
        if heading:
            current = heading.group(1)
            sections[current] = []
        else:
            sections[current].append(line)
    arguments: list[str] = []
    for name in ("Args", "Arguments", "Parameters"):
        arguments += sections.get(name, [])
    return Docstring(
        description="\n".join(sections[""]).strip(),
        arguments=_read_arguments(arguments),
        returns=inspect.cleandoc("\n".join(sections.get("Returns", []))),
    )


def _read_arguments(lines: list[str]) -> dict[str, Argument]:
    found: dict[str, Argument] = {}
    last: str | None = None
    indents = [len(line) - len(line.lstrip()) for line in lines if line.strip()]
    outer = min(indents, default=0)
    for line in lines:
        if not line.strip():
            continue
        start = _ARGUMENT.match(line.strip()) if len(line) - len(line.lstrip()) == outer else None
        if start:
            last = start["name"]
            found[last] = Argument(text=start["text"].strip(), type=(start["type"] or "").strip())
        elif last is not None:
            begun = found[last]
            found[last] = Argument(text=f"{begun.text} {line.strip()}".strip(), type=begun.type)
    return found
