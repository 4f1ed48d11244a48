"""Checks that every tool has a description and a schema that restricts every value."""

from collections.abc import Iterator
from typing import Any

from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.environment_definition.tools import Tool
from codegym_mcp.verification.gate_results import Gate, GateProblem


def check_described(environment: Environment) -> list[GateProblem]:
    """Returns what the descriptions and schemas of the tools lack, the submission included."""
    problems = []
    for tool in (*environment.tools, environment.submission):
        lacking = list(_lacking(tool))
        # The result of a submission is defined by the server.
        if tool is not environment.submission:
            lacking += [f"its result may be anything at {where}" for where in open_places(tool.output_schema)]
        problems += [
            GateProblem(gate=Gate.DESCRIBED, message=f"The tool {tool.name}: {lack}.") for lack in lacking
        ]
    return problems


def _lacking(tool: Tool) -> Iterator[str]:
    if not tool.description.strip():
        yield "it has no description"
    for parameter in tool.parameters:
        if not parameter.description.strip():
            yield f"its parameter {parameter.name} is not described"
    for where in open_places(tool.input_schema):
        yield f"its arguments may be anything at {where}"


def open_places(schema: dict[str, Any]) -> list[str]:
    """Returns the places of a JSON Schema at which any value fits, for example the items of a bare list."""
    return list(_open(schema, ""))


def _open(schema: Any, where: str) -> Iterator[str]:
    if not isinstance(schema, dict) or not _RESTRICTING_KEYWORDS & schema.keys():
        yield where or "the top level"
        return
    for choices in ("anyOf", "oneOf", "allOf"):
        for choice in schema.get(choices, ()):
            yield from _open(choice, where)
    if schema.get("type") == "array" and schema.get("maxItems") != 0:
        for number, item in enumerate(schema.get("prefixItems", ())):
            yield from _open(item, f"{where}[{number}]")
        if "prefixItems" not in schema:
            yield from _open(schema.get("items"), f"{where}[]")
    if schema.get("type") == "object":
        for name, member in schema.get("properties", {}).items():
            yield from _open(member, f"{where}.{name}".lstrip("."))
        if schema.get("additionalProperties", "properties" not in schema) is not False:
            yield from _open(schema.get("additionalProperties"), f"{where}{{}}")


_RESTRICTING_KEYWORDS = frozenset({"type", "anyOf", "oneOf", "allOf", "enum", "const"})
