"""Describes tools to verl's parsers of tool calls, which read the types of parameters.

verl's schema holds a type, a description and an enumeration for each parameter; what models are shown is the
complete schema.
"""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from codegym_mcp.episode_protocol import ToolView


def parser_tools(tools: Sequence[ToolView]) -> dict[str, Any]:
    """Returns an object with verl's `tool_schema` for each tool, by name."""
    from verl.tools.schemas import OpenAIFunctionToolSchema

    return {
        tool.name: SimpleNamespace(
            tool_schema=OpenAIFunctionToolSchema.model_validate(
                {
                    "type": "function",
                    "function": {
                        "name": tool.name,
                        "description": tool.description,
                        "parameters": {
                            "type": "object",
                            "properties": {
                                name: {"type": _type(schema), "description": schema.get("description")}
                                for name, schema in tool.input_schema.get("properties", {}).items()
                            },
                            "required": tool.input_schema.get("required", []),
                        },
                    },
                }
            )
        )
        for tool in tools
    }


def _type(schema: dict[str, Any]) -> str | list[str]:
    """Returns the type of a parameter, or the types of its alternatives."""
    if "type" in schema:
        found: str | list[str] = schema["type"]
        return found
    types = [each["type"] for each in schema.get("anyOf", []) if "type" in each]
    return types or "object"
