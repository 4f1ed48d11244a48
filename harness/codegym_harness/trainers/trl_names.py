"""The names of tools and parameters that TRL can offer to a model."""

from keyword import iskeyword

from codegym_mcp.episode_protocol import ToolView
from codegym_mcp.errors import CodegymError

RESERVED = frozenset({"reset", "get_reward"})
"""Names of functions that are no tools for TRL."""


def check_names(environment: str, tool: ToolView) -> None:
    """Checks that TRL finds a function for the tool, and that it can have the tool's parameters.

    Raises:
        CodegymError: TRL cannot offer the tool.
    """
    name, problem = tool.name, ""
    if name in RESERVED:
        problem = "TRL reserves this name"
    elif name.startswith("_"):
        problem = "TRL ignores names that begin with an underscore"
    else:
        for each in (name, *tool.input_schema.get("properties", {})):
            if not each.isidentifier() or iskeyword(each) or each == "self":
                problem = f"a Python function cannot have the name or the parameter {each!r}"
    if problem:
        raise CodegymError(
            f"TRL cannot offer the tool {name!r} of {environment}: {problem}.",
            hint="Leave the environment out, or rename the tool.",
        )
