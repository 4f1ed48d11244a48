"""Reads the sections of a docstring: what a function does, its parameters, and what it returns."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_HEADING = re.compile(
    r"^(Args|Arguments|Parameters|Params|Returns?|Yields?|Raises|Examples?|Notes?|References?|Complexity"
    r"|See Also|Warnings?|Todo|Usage)\s*:?[ \t]*(?:\n[ \t]*-{3,}[ \t]*)?$",
    re.MULTILINE,
)
_FIELD = re.compile(r"^:(param|parameter|arg|returns?|rtype|type|raises)\b([^:]*):[ \t]*", re.MULTILINE)
_PARAMETER = re.compile(r"^[ \t]*\*{0,2}(\w+)[ \t]*(?:\([^()\n]*\))?[ \t]*:[ \t]*", re.MULTILINE)
_TYPE = re.compile(r"^(list|dict|set|tuple|int|float|str|bool|List|Dict|Tuple)(\[[\w\[\], |.]*\])?:\s+")
_ENTRIES = ("args", "arguments", "parameters", "params")
_LEFT_OUT = ("raises", "reference", "references", "complexity", "see also", "todo", "usage")
_RESULTS = ("return", "returns", "yield", "yields")


@dataclass(frozen=True)
class DocstringSections:
    """The parts of a docstring.

    Attributes:
        summary: what comes before the first section, and sections such as notes.
        parameters: what is said about each parameter.
        result: what is said about the result, or the empty string.
    """

    summary: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    result: str = ""


def read_sections(text: str, names: list[str]) -> DocstringSections:
    """Reads a docstring whose sections have headings (Google, NumPy) or are fields (reStructuredText).

    Args:
        names: the parameters of the function; other entries are left out.
    """
    headings = list(_HEADING.finditer(text))
    if not headings:
        return _read_fields(text, names)
    parameters: dict[str, str] = {}
    result = ""
    ends = [*(each.start() for each in headings[1:]), len(text)]
    summary = [text[: headings[0].start()].strip()]
    for heading, end in zip(headings, ends, strict=True):
        name, body = heading.group(1).lower(), text[heading.end() : end]
        if name in _ENTRIES:
            parameters.update(_entries(body, names))
        elif name in _RESULTS:
            result = _TYPE.sub("", _one_line(body))
        elif name not in _LEFT_OUT and body.strip():
            summary.append(text[heading.start() : end].strip())
    return DocstringSections("\n\n".join(summary), parameters, result)


def _entries(body: str, names: list[str]) -> dict[str, str]:
    found = [each for each in _PARAMETER.finditer(body) if each.group(1) in names]
    ends = [*(each.start() for each in found[1:]), len(body)]
    return {each.group(1): _one_line(body[each.end() : end]) for each, end in zip(found, ends, strict=True)}


def _read_fields(text: str, names: list[str]) -> DocstringSections:
    fields = list(_FIELD.finditer(text))
    if not fields:
        return DocstringSections(text.strip())
    parameters: dict[str, str] = {}
    result = ""
    ends = [*(each.start() for each in fields[1:]), len(text)]
    for each, end in zip(fields, ends, strict=True):
        kind, name = each.group(1), each.group(2).split()[-1:] or [""]
        body = _one_line(text[each.end() : end].split("\n\n", maxsplit=1)[0])
        if kind in ("param", "parameter", "arg") and name[0] in names:
            parameters[name[0]] = body
        elif kind in ("return", "returns"):
            result = body
    return DocstringSections(text[: fields[0].start()].strip(), parameters, result)


def _one_line(text: str) -> str:
    return " ".join(text.split())
