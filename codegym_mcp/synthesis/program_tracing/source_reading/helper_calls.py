"""Tools that consist of the call of one of the solution's own functions, a helper."""

import ast
import copy

from codegym_mcp.synthesis.program_tracing.source_reading.traced_program import Program


def helper_call(expression: ast.expr | None, program: Program) -> ast.Call | None:
    """Returns the call of a helper that an expression consists of, with or without `bool` around it.

    Returns:
        The call, or None if the expression is another one, or its arguments do not match the parameters.
    """
    match expression:
        case ast.Call(func=ast.Name(id="bool"), args=[ast.Call() as inner]):
            return helper_call(inner, program)
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in program.functions:
            if len(_parameters(program.functions[name])) == len(arguments):
                return expression
    return None


def helper_arguments(call: ast.Call, program: Program) -> dict[str, ast.expr]:
    """Returns the arguments of a helper's call by the helper's parameters."""
    return dict(zip(_parameters(program.functions[_name(call)]), call.args, strict=True))


def helper_summary(call: ast.Call, program: Program) -> str:
    """Returns what the docstring of a helper says first, or the empty string if it has none."""
    return program.summaries.get(_name(call), "")


def helper_body(call: ast.Call, program: Program) -> list[ast.stmt]:
    """Returns the statements of a helper with the arguments of the call in place of the parameters."""
    body = copy.deepcopy(program.functions[_name(call)].body)
    placing = _ArgumentPlacing(helper_arguments(call, program))
    return [placing.visit(statement) for statement in body]


def _name(call: ast.Call) -> str:
    assert isinstance(call.func, ast.Name)
    return call.func.id


def _parameters(function: ast.FunctionDef) -> list[str]:
    arguments = function.args
    if arguments.vararg or arguments.kwarg or arguments.kwonlyargs:
        return []
    return [each.arg for each in [*arguments.posonlyargs, *arguments.args]]


class _ArgumentPlacing(ast.NodeTransformer):
    def __init__(self, arguments: dict[str, ast.expr]) -> None:
        self._arguments = arguments

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if isinstance(node.ctx, ast.Load) and node.id in self._arguments:
            return copy.deepcopy(self._arguments[node.id])
        return node
