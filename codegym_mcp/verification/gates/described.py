"""Whether an agent is told what it needs of every tool: words, and schemas that leave nothing open."""

from collections.abc import Iterator
from typing import Any

from codegym_mcp.spec.environment import Environment
from codegym_mcp.spec.tools import Tool
from codegym_mcp.verification.gate_results import Gate, GateProblem


def check_described(environment: Environment) -> list[GateProblem]:
    """What the descriptions and schemas of an environment's tools lack; the submission is one of them."""
    problems = []
    for tool in (*environment.tools, environment.submission):
        lacking = list(_lacking(tool))
        # What a submission returns is the server's own.
        if tool is not environment.submission:
            lacking += [f"its result is open at {where}" for where in open_places(tool.output_schema)]
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
        yield f"its schema is open at {where}"


def open_places(schema: dict[str, Any]) -> list[str]:
    """The places of a JSON Schema at which anything fits, such as the items of a bare list."""
    return list(_open(schema, schema, "", frozenset()))


def _open(schema: Any, root: dict[str, Any], where: str, within: frozenset[str]) -> Iterator[str]:
    if not isinstance(schema, dict) or not _SAYING & schema.keys():
        yield where or "its top"
        return
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        # A type that holds itself is looked at once.
        if name not in within:
            yield from _open(root["$defs"][name], root, where, within | {name})
        return
    for choices in ("anyOf", "oneOf", "allOf"):
        for choice in schema.get(choices, ()):
            yield from _open(choice, root, where, within)
    if schema.get("type") == "array" and schema.get("maxItems") != 0:
        for number, item in enumerate(schema.get("prefixItems", ())):
            yield from _open(item, root, f"{where}[{number}]", within)
        if "prefixItems" not in schema:
            yield from _open(schema.get("items"), root, f"{where}[]", within)
    if schema.get("type") == "object":
        for name, member in schema.get("properties", {}).items():
            yield from _open(member, root, f"{where}.{name}".lstrip("."), within)
        if schema.get("additionalProperties", "properties" not in schema) is not False:
            yield from _open(schema.get("additionalProperties"), root, f"{where}{{}}", within)


_SAYING = frozenset({"type", "$ref", "anyOf", "oneOf", "allOf", "enum", "const"})
