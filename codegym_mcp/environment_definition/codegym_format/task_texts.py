"""Writes titles and task texts for classes in the CodeGym format."""

import re
from collections.abc import Sequence
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from codegym_mcp.environment_definition.tools import Tool

SUBMISSION = "Done"

_NAMES: dict[Any, tuple[str, str]] = {
    int: ("a whole number", "whole numbers"),
    float: ("a number", "numbers"),
    str: ("a string", "strings"),
    bool: ("true or false", "true or false"),
    NoneType: ("null", "null"),
    list: ("a list", "lists"),
    tuple: ("a list", "lists"),
    dict: ("an object", "objects"),
}


def title_of(name: str) -> str:
    """Splits a CamelCase name into words: `MinRoomsViaDP` becomes "Min rooms via DP"."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W_]+", name)
    return " ".join([*parts[:1], *(part if part.isupper() else part.lower() for part in parts[1:])]) or name


def task_template(about: str, tools: Sequence[Tool], submission: Tool) -> str:
    """Writes a task text for a class without a question: what its tools do and which answer it accepts.

    Args:
        about: the description of the class.
        tools: its tools.
        submission: the tool that submits the answer.

    Returns:
        A template without names in braces; literal braces are doubled.
    """
    listed = "\n".join(f"- {tool.name}: {_first_sentence(tool.description)}".rstrip(": ") for tool in tools)
    answer = submission.parameters[0]
    kind = _kind_of_value(answer.annotation)
    submit = f"Then submit it with {SUBMISSION}." + (f" The answer is {kind}." if kind else "")
    if answer.description:
        submit += f" {answer.description}"
    text = f"{about}\n\nFind the answer with these tools:\n{listed}\n\n{submit}"
    return text.replace("{", "{{").replace("}", "}}")


def _first_sentence(description: str) -> str:
    paragraph = " ".join(description.partition("\n\n")[0].split())
    return re.split(r"(?<=[.!?])\s|(?<=[\u3002\uff01\uff1f])", paragraph, maxsplit=1)[0]


def _kind_of_value(annotation: Any) -> str:
    """Describes the kind of value of a type; empty if the type says nothing."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        kinds = [_kind_of_value(member) for member in arguments if get_origin(member) is not Literal]
        return " or ".join(kind for kind in kinds if kind)
    if origin is list and arguments[0] in _NAMES:
        return f"a list of {_NAMES[arguments[0]][1]}"
    return _NAMES.get(origin or annotation, ("", ""))[0]
