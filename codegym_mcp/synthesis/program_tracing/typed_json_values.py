"""Values of Python as JSON that keeps their types, between the confined process and this one."""

import math
from typing import Any

from codegym_mcp.synthesis.program_tracing.tracing_refusal import RefusedProblemError

_CONTAINERS = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}

ENCODER = '''
def tag_value(value, depth=0):
    """Encodes a value with its types; a value of another type becomes its text."""
    if depth > 12:
        return ["other", "deep"]
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return ["float", repr(value)]
    for name, kind in (("list", list), ("tuple", tuple), ("set", set), ("frozenset", frozenset)):
        if isinstance(value, kind):
            items = [tag_value(item, depth + 1) for item in value]
            return [name, sorted(items, key=repr) if "set" in name else items]
    if isinstance(value, dict):
        return ["dict", [[tag_value(key, depth + 1), tag_value(value[key], depth + 1)] for key in value]]
    if isinstance(value, range):
        return ["list", list(value)]
    return ["other", ""]


def untag_value(tagged):
    """Decodes what tag_value has encoded."""
    if not isinstance(tagged, list):
        return tagged
    name, content = tagged
    if name == "float":
        return float(content)
    if name == "dict":
        return {untag_value(key): untag_value(item) for key, item in content}
    items = [untag_value(item) for item in content]
    return {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}[name](items)
'''
"""The functions with which a program in the confined process encodes and decodes values."""


def encode(value: Any) -> Any:
    """Encodes a value with its types."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return ["float", repr(value)]
    if isinstance(value, dict):
        return ["dict", [[encode(key), encode(item)] for key, item in value.items()]]
    items = [encode(item) for item in value]
    return [type(value).__name__, sorted(items, key=repr) if isinstance(value, set | frozenset) else items]


def decode(tagged: Any) -> Any:
    """Decodes a value that a confined process has encoded; its bytes are not trusted.

    Raises:
        RefusedProblemError: the value has a type that no environment can hold.
    """
    if tagged is None or isinstance(tagged, bool | int | str):
        return tagged
    if not isinstance(tagged, list) or len(tagged) != 2:
        raise RefusedProblemError("A value cannot be read.")
    name, content = tagged
    if name == "float" and isinstance(content, str):
        try:
            number = float(content)
        except ValueError:
            raise RefusedProblemError("A value cannot be read.") from None
        if not math.isfinite(number):
            raise RefusedProblemError("A value is not a finite number.")
        return number
    if not isinstance(content, list):
        raise RefusedProblemError("A value has a type that is not JSON data.")
    try:
        if name == "dict":
            return {decode(key): decode(item) for key, item in content}
        if name in _CONTAINERS:
            return _CONTAINERS[name](decode(item) for item in content)
    except (TypeError, ValueError):
        raise RefusedProblemError("A value cannot be read.") from None
    raise RefusedProblemError("A value has a type that is not JSON data.")
