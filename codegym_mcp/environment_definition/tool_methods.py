"""Reads the methods of an environment as tools, and makes the tool that submits the answer."""

import ast
import re
from collections.abc import Mapping
from typing import Any, get_args, get_origin

from codegym_mcp.answer_scoring.answer_comparison import AnswerType
from codegym_mcp.environment_definition.annotations import read_annotation
from codegym_mcp.environment_definition.docstrings import parse_docstring
from codegym_mcp.environment_definition.read_only_tools import is_read_only
from codegym_mcp.environment_definition.signatures import read_parameters
from codegym_mcp.environment_definition.tools import Parameter, Receipt, Tool
from codegym_mcp.errors import SourceError
from codegym_mcp.json_schema import SchemaTooLargeError

SUBMIT = "submit_answer"
FINAL_STATE = "final_state"
"""The method of an environment that returns its final state. It is no tool."""
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


def read_tool(method: ast.FunctionDef, records: Mapping[str, Any], path: str) -> Tool:
    """Reads a public method as a tool.

    Args:
        method: the method.
        records: the TypedDict classes of the file, by name.
        path: how error messages name the source.

    Raises:
        SourceError: the method cannot be a tool.
        AnnotationError: a type is not supported.
    """

    def error(problem: str, hint: str) -> SourceError:
        return SourceError(path, method.lineno, problem, hint=hint)

    name = method.name
    if name == SUBMIT:
        raise error(f"a tool cannot be named {SUBMIT}, the tool that submits the answer", "Rename the tool.")
    if not _NAME.fullmatch(name):
        hint = "Use ASCII letters, digits and underscores, at most 64 of them."
        raise error(f"{name!r} is not a valid name for a tool", hint)
    if method.decorator_list:
        raise error(f"the tool {name} has a decorator", "Remove it: tools are plain methods.")
    docstring = parse_docstring(ast.get_docstring(method))
    if not docstring.description:
        raise error(f"the tool {name} has no docstring", "Describe for the agent what it does.")
    if method.returns is None:
        raise error(f"the tool {name} has no return annotation", "Annotate the type of the result.")
    tool = Tool(
        name=name,
        title=name.replace("_", " ").capitalize(),
        description=docstring.description
        + (f"\n\nReturns: {docstring.returns}" if docstring.returns else ""),
        parameters=read_parameters(method, docstring, records, path),
        returns=read_annotation(method.returns, records),
        read_only=is_read_only(method),
    )
    if records:
        check_schemas(tool, method, path)
    return tool


def submission_tool(answer: AnswerType | None) -> Tool:
    """Returns the tool that submits.

    Args:
        answer: the type of the answer, or None if the final state alone is scored.
    """
    if answer is None:
        return Tool(
            name=SUBMIT,
            title="Submit",
            description="Report that the work is finished. What your calls have changed is scored. "
            "The call takes no answer and ends the episode.",
            parameters=(),
            returns=Receipt,
        )
    kinds = [answer.annotation, *get_args(answer.annotation)]
    any_order = answer.any_order or any(get_origin(kind) is set for kind in kinds)
    description = "The final answer." + (" The order does not matter." if any_order else "")
    return Tool(
        name=SUBMIT,
        title="Submit answer",
        description="Submit the final answer. The first valid submission ends the episode.",
        parameters=(Parameter("answer", answer.annotation, description),),
        returns=Receipt,
    )


def check_schemas(tool: Tool, node: ast.FunctionDef, path: str) -> None:
    """Checks that the schemas stay small although each TypedDict is written out wherever it is used.

    Raises:
        SourceError: a schema is too large.
    """
    try:
        _ = tool.input_schema, tool.output_schema
    except SchemaTooLargeError as error:
        problem = f"the types of {tool.name} are too large: {error}"
        hint = "Use fewer nested TypedDict classes."
        raise SourceError(path, node.lineno, problem, hint=hint) from None
