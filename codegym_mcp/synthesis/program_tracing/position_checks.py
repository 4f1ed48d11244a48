"""Checks at the beginning of a tool that its positions are within what they number.

Python counts negative positions from the end; an agent that walks over an edge would read the other end.
"""

import ast
from collections.abc import Mapping, Set

from codegym_mcp.synthesis.program_tracing.helper_calls import helper_body, helper_call
from codegym_mcp.synthesis.program_tracing.lifted_program import LiftedTool
from codegym_mcp.synthesis.program_tracing.traced_program import Program
from codegym_mcp.synthesis.program_tracing.value_shapes import Shape


def numbered_by(tool: LiftedTool, parameter: str, program: Program) -> ast.expr | None:
    """Returns the expression of what a parameter is a position in, or None if it is no position."""
    call = helper_call(tool.expression, program)
    statements = [tool.body] if call is None else helper_body(call, program)
    for statement in statements:
        for node in ast.walk(statement):
            match node:
                case ast.Subscript(value=value, slice=ast.Name(id=name)) if name == parameter:
                    return value
    return None


def check_positions(
    tool: LiftedTool, program: Program, positive: Set[str], shapes: Mapping[str, Shape]
) -> list[str]:
    """Returns the lines that refuse positions outside of what they number.

    Args:
        positive: the parameters that were never negative when oracles called the tool; a solution that itself
            counts from the end keeps its positions.
        shapes: the shapes of the hidden values.
    """
    lines: list[str] = []
    checked: set[str] = set()
    for parameter in tool.parameters:
        container = numbered_by(tool, parameter, program) if parameter in positive else None
        shape = _shape_of(container, shapes) if container is not None else None
        if container is None or shape is None or not shape.is_indexed:
            continue
        names = {each.id for each in ast.walk(container) if isinstance(each, ast.Name)} - {"self"}
        if not names <= checked:
            # The container itself depends on what is not checked.
            continue
        checked.add(parameter)
        text = ast.unparse(container)
        lines += [
            f"        if not 0 <= {parameter} < len({text}):",
            f'            raise ValueError(f"{parameter} must be at least 0 and less than {{len({text})}}.")',
        ]
    return lines


def _shape_of(node: ast.expr, shapes: Mapping[str, Shape]) -> Shape | None:
    match node:
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            return shapes.get(name)
        case ast.Subscript(value=value, slice=ast.Constant(value=int(index))):
            shape = _shape_of(value, shapes)
            return shape.member(index) if shape is not None else None
        case ast.Subscript(value=value, slice=ast.Name()):
            shape = _shape_of(value, shapes)
            return shape.member() if shape is not None else None
    return None
