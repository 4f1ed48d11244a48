"""Descriptions of tools and parameters, in words, from the expressions that the tools compute."""

import ast
import re

from codegym_mcp.synthesis.program_tracing.environment_files.phrases import OPERATORS, code, phrase
from codegym_mcp.synthesis.program_tracing.environment_files.position_checks import numbered_by
from codegym_mcp.synthesis.program_tracing.environment_files.tool_types import ParameterUse
from codegym_mcp.synthesis.program_tracing.lifting.lifted_program import LiftedTool
from codegym_mcp.synthesis.program_tracing.source_reading.helper_calls import (
    helper_body,
    helper_call,
    helper_summary,
)
from codegym_mcp.synthesis.program_tracing.source_reading.traced_program import Program
from codegym_mcp.synthesis.program_tracing.syntax_nodes import is_condition

_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "bool": "true or false",
}


def describe_tool(tool: LiftedTool, program: Program) -> str:
    """Returns what a tool does, in a sentence. The docstring of a helper describes its tool."""
    if tool.change is not None:
        return _sentence(_describe_change(tool.change, program))
    expression = tool.expression
    if expression is None:
        return "Does nothing."
    call = helper_call(expression, program)
    if call is not None:
        return _describe_helper(call, program, as_truth=call is not expression)
    if is_condition(expression):
        return _sentence(f"tells whether {phrase(expression)}")
    verb = "removes and returns" if tool.changes else "returns"
    return _sentence(f"{verb} {phrase(expression)}")


def describe_parameter(tool: LiftedTool, parameter: str, program: Program, use: ParameterUse) -> str:
    """Returns what a parameter means, in a phrase."""
    container = numbered_by(tool, parameter, program)
    if container is not None:
        return f"position in {phrase(container)}, counted from 0."
    for node in ast.walk(tool.body):
        match node:
            case ast.Subscript(value=value, slice=ast.Slice(lower=ast.Name(id=lower))) if lower == parameter:
                return f"position in {phrase(value)} at which the part begins, counted from 0."
            case ast.Subscript(value=value, slice=ast.Slice(upper=ast.Name(id=upper))) if upper == parameter:
                return f"position in {phrase(value)} before which the part ends, counted from 0."
    kind = _KINDS.get(use.annotation, "a value")
    if use.is_public:
        return f"{kind}, for example the `{parameter}` of the task."
    if use.examples:
        return f"{kind}, for example {' or '.join(map(repr, use.examples))}."
    return f"{kind}."


def _describe_helper(call: ast.Call, program: Program, *, as_truth: bool) -> str:
    """Describes a helper by its docstring, else by its expression, else by its name.

    Args:
        as_truth: whether the tool returns only whether the helper's result is true.
    """
    summary = helper_summary(call, program)
    if summary:
        is_complete = not as_truth or "whether" in summary
        return summary if is_complete else f"{summary} The result is true unless this is zero or empty."
    result = code(call)
    match helper_body(call, program):
        case [ast.Return(value=ast.expr() as value)]:
            if is_condition(value):
                return _sentence(f"tells whether {phrase(value)}")
            result = phrase(value)
    return _sentence(f"tells whether {result} is not zero or empty" if as_truth else f"returns {result}")


def _sentence(text: str) -> str:
    clean = " ".join(text.split())
    return f"{clean[:1].upper()}{clean[1:]}."


_CHANGES = {
    "append": "appends {0} to {container}",
    "appendleft": "puts {0} at the front of {container}",
    "add": "adds {0} to {container}",
    "insert": "inserts {1} into {container} at the position {0}",
    "extend": "appends the items of {0} to {container}",
    "update": "adds the items of {0} to {container}",
    "remove": "removes {0} from {container}",
    "discard": "removes {0} from {container} if it is there",
    "pop": "removes the last item of {container}",
    "popleft": "removes the first item of {container}",
    "clear": "removes all items of {container}",
    "sort": "sorts {container}",
    "reverse": "reverses {container}",
    "heappush": "pushes {0} onto the heap {container}",
    "heappop": "removes the least item of the heap {container}",
    "heapify": "arranges {container} as a heap",
}


def _describe_change(node: ast.stmt, program: Program) -> str:
    match node:
        case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)):
            pairs = zip(targets, values, strict=True)
            return f"sets {' and '.join(f'{phrase(target)} to {phrase(value)}' for target, value in pairs)}"
        case ast.Assign(targets=[target], value=value):
            return f"sets {phrase(target)} to {_new_value(value, program)}"
        case ast.AugAssign(target=target, op=ast.Add(), value=value):
            return f"adds {phrase(value)} to {phrase(target)}"
        case ast.AugAssign(target=target, op=ast.Sub(), value=value):
            return f"subtracts {phrase(value)} from {phrase(target)}"
        case ast.AugAssign(target=target, op=operator, value=value):
            word = OPERATORS.get(type(operator), "and")
            return f"replaces {phrase(target)} by itself {word} {phrase(value)}"
        case ast.Delete(targets=[target]):
            return f"removes {phrase(target)}"
        case ast.Expr(value=ast.Call() as call):
            return _describe_call(call)
    return "changes the state"


def _describe_call(call: ast.Call) -> str:
    """Describes the call of a method or function that changes a container."""
    match call:
        case ast.Call(func=ast.Attribute(value=ast.Attribute() | ast.Subscript() as container, attr=name)):
            args = call.args
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[container, *args]):
            pass
        case _:
            return f"executes {code(call)}"
    text = _CHANGES.get(name, "")
    needed = sum(f"{{{place}}}" in text for place in range(2))
    if not text or call.keywords or len(args) != needed:
        return f"executes {code(call)}"
    return text.format(*map(phrase, args), container=phrase(container))


def _new_value(value: ast.expr, program: Program) -> str:
    """Describes a value that is assigned; that of a helper by what its docstring says it returns."""
    call = helper_call(value, program)
    summary = helper_summary(call, program) if call is not None else ""
    returned = re.fullmatch(r"Returns? (.*?)\.?", summary)
    return returned.group(1) if returned is not None else phrase(value)
