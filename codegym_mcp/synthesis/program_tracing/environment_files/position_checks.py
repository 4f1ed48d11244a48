"""Checks at the beginning of a tool that its positions are within what they number.

Python counts negative positions from the end; an agent that walks over an edge would read the other end.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence, Set

from codegym_mcp.synthesis.program_tracing.lifting.lifted_program import LiftedTool
from codegym_mcp.synthesis.program_tracing.source_reading.helper_calls import helper_body, helper_call
from codegym_mcp.synthesis.program_tracing.source_reading.traced_program import Program
from codegym_mcp.synthesis.program_tracing.value_shapes import Shape


def numbered_by(tool: LiftedTool, parameter: str, program: Program) -> ast.expr | None:
    """Returns the expression of what a parameter is a position in, or None if it is no position."""
    for statement in _statements(tool, program):
        for node in ast.walk(statement):
            match node:
                case ast.Subscript(value=value, slice=ast.Name(id=name)) if name == parameter:
                    return value
    return None


def _statements(tool: LiftedTool, program: Program) -> Sequence[ast.stmt]:
    call = helper_call(_value(tool), program)
    return [tool.body] if call is None else [tool.body, *helper_body(call, program)]


def _is_always_read(tool: LiftedTool, parameter: str, program: Program) -> bool:
    """Returns whether each call reads the member at a position.

    `end < len(self.xs) and self.xs[end] > 0` answers also for the position behind the last one.
    """
    for node in _always_evaluated(_statements(tool, program)):
        match node:
            case ast.Subscript(slice=ast.Name(id=name)) if name == parameter:
                return True
    return False


def _always_evaluated(nodes: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """Yields the nodes that are evaluated whatever the values are, as far as the first return."""
    for node in nodes:
        yield node
        match node:
            case ast.If(test=first) | ast.While(test=first) | ast.IfExp(test=first):
                yield from _always_evaluated([first])
                if isinstance(node, ast.stmt) and any(
                    isinstance(each, ast.Return) for each in ast.walk(node)
                ):
                    return
            case ast.BoolOp(values=[first, *_]) | ast.For(iter=first):
                yield from _always_evaluated([first])
            case ast.Compare(left=left, comparators=[first, *_]):
                yield from _always_evaluated([left, first])
            case ast.Lambda() | ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                continue
            case _:
                yield from _always_evaluated(list(ast.iter_child_nodes(node)))


def _value(tool: LiftedTool) -> ast.expr | None:
    """Returns what a tool returns, or what it assigns."""
    return tool.change.value if isinstance(tool.change, ast.Assign) else tool.expression


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
        if not _is_always_read(tool, parameter, program):
            lines += [
                f"        if {parameter} < 0:",
                f'            raise ValueError("{parameter} must be at least 0.")',
            ]
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
