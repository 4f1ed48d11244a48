"""Functions with the signature and the docstring of a tool, for trainers that take Python functions as tools.

Such trainers read the schema of a tool from type hints and a Google-style docstring, as `get_json_schema` of
transformers does. Nested types stay nested: an array of arrays of integers is `list[list[int]]`. The one type
that no type hint of theirs expresses, an object with declared fields, is described in words as well.
"""

import json
import re
from collections.abc import Callable, Mapping
from inspect import Parameter, Signature
from typing import Any, Literal, Union

from codegym_mcp.episode_protocol import ToolView

_SCALARS: Mapping[str, Any] = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": bool,
    "null": None,
}
_KEYWORDS = re.compile(r"\b(Args|Returns|Raises|choices):", re.IGNORECASE)
"""What would begin a section of a docstring, or a list of choices, within a description."""


def tool_function(tool: ToolView, call: Callable[[Any, str, dict[str, Any]], str]) -> Callable[..., str]:
    """Returns a function for a class, which calls a tool.

    Args:
        tool: the tool. Its name and the names of its parameters are identifiers.
        call: is called with the instance, the name of the tool and the arguments, which are not validated.
    """

    def function(self: Any, /, **arguments: Any) -> str:
        return call(self, tool.name, arguments)

    parameters = _parameters(tool)
    function.__name__ = function.__qualname__ = tool.name
    function.__doc__ = _docstring(tool)
    function.__annotations__ = {each.name: each.annotation for each in parameters}
    receiver = Parameter("self", Parameter.POSITIONAL_ONLY)
    function.__signature__ = Signature([receiver, *parameters])  # type: ignore[attr-defined]
    return function


def type_hint(schema: Mapping[str, Any]) -> Any:
    """Returns the type hint for a JSON Schema; `Any` for what has none."""
    if "const" in schema or "enum" in schema:
        choices = schema.get("enum", [schema.get("const")])
        scalar = all(each is None or isinstance(each, str | int | float) for each in choices)
        return Literal[tuple(choices)] if scalar else Any
    if alternatives := schema.get("anyOf") or schema.get("oneOf"):
        return _union([type_hint(each) for each in alternatives])
    match schema.get("type"):
        case list() as types:
            return _union([type_hint({**schema, "type": each}) for each in types])
        case "array" if "prefixItems" in schema:
            return tuple[tuple(map(type_hint, schema["prefixItems"]))]  # type: ignore[misc]
        case "array":
            return list[type_hint(schema["items"])] if "items" in schema else list  # type: ignore[misc]
        case "object":
            values = schema.get("additionalProperties")
            return dict[str, type_hint(values)] if isinstance(values, dict) else dict  # type: ignore[misc]
        case str() as name:
            return _SCALARS.get(name, Any)
    return Any


def _union(hints: list[Any]) -> Any:
    return Any if Any in hints else Union[tuple(hints)]  # noqa: UP007 - of any number of hints


def _parameters(tool: ToolView) -> list[Parameter]:
    required = tool.input_schema.get("required", [])
    return [
        Parameter(
            name,
            Parameter.KEYWORD_ONLY,
            annotation=type_hint(schema),
            default=Parameter.empty if name in required else schema.get("default"),
        )
        for name, schema in tool.input_schema.get("properties", {}).items()
    ]


def _docstring(tool: ToolView) -> str:
    """Returns a Google-style docstring, in which each parameter has a description on one line."""
    lines = [_plain(tool.description) or f"Calls {tool.name}."]
    properties = tool.input_schema.get("properties", {})
    if properties:
        lines += ["", "Args:"]
    for name, schema in properties.items():
        described = " ".join(_plain(schema.get("description", "")).split())
        described = described or f"The {name.replace('_', ' ')}."
        if _has_fields(schema):
            described = f"{described} Its JSON Schema is {json.dumps(_without_descriptions(schema))}"
        lines.append(f"    {name}: {described}")
    return "\n".join(lines)


def _plain(text: str) -> str:
    return _KEYWORDS.sub(r"\1 :", text).strip()


def _has_fields(schema: Any) -> bool:
    """Checks whether a schema declares the fields of an object, at any depth."""
    if isinstance(schema, list):
        return any(map(_has_fields, schema))
    if not isinstance(schema, dict):
        return False
    return "properties" in schema or any(map(_has_fields, schema.values()))


def _without_descriptions(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_descriptions(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: {name: _without_descriptions(each) for name, each in value.items()}
        if key == "properties"
        else _without_descriptions(value)
        for key, value in schema.items()
        if key != "description" or not isinstance(value, str)
    }
