"""Writes generator functions as functions that return a list."""

import ast
from collections.abc import Iterable


def is_generator(function: ast.FunctionDef) -> bool:
    """Returns whether a function yields values itself."""
    return any(isinstance(node, ast.Yield | ast.YieldFrom) for node in _own_nodes(function.body))


def collect_yields(body: list[ast.stmt]) -> list[ast.stmt]:
    """Returns the statements of a function that collects what a generator with this body yields."""
    return [*_parse("collected = []"), *_Yields().rewrite(body), *_parse("return collected")]


def _own_nodes(body: list[ast.stmt]) -> Iterable[ast.AST]:
    waiting: list[ast.AST] = list(body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            waiting.extend(ast.iter_child_nodes(node))


def _parse(text: str) -> list[ast.stmt]:
    return ast.parse(text).body


class _Yields(ast.NodeTransformer):
    """Writes `yield x` as `collected.append(x)`."""

    def rewrite(self, body: list[ast.stmt]) -> list[ast.stmt]:
        return [self.visit(statement) for statement in body]

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return node

    def visit_Return(self, node: ast.Return) -> ast.AST:
        return ast.Return(ast.Name("collected", ast.Load()))

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        match node.value:
            case ast.Yield(value=value):
                (statement,) = _parse("collected.append(None)")
                if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
                    statement.value.args = [value or ast.Constant(None)]
                return statement
            case ast.YieldFrom(value=value):
                (statement,) = _parse("for item in None:\n    collected.append(item)")
                if isinstance(statement, ast.For):
                    statement.iter = value
                return statement
        return node
