"""Rewrites a program so that it records what its variables hold."""

import ast
import copy

NOTE = """
NOTED = []
NOTED_COUNTS = {}


def note_value(function, name, value):
    count = NOTED_COUNTS.get((function, name), 0)
    if count < 24:
        NOTED_COUNTS[(function, name)] = count + 1
        tagged = tag_value(value)
        if len(str(tagged)) < 2000:
            NOTED.append([function, name, tagged])
"""
"""The function that a rewritten program calls after each assignment."""


def record_variables(tree: ast.Module) -> ast.Module:
    """Returns a copy of a program that notes parameters, assigned variables and loop variables."""
    changed = copy.deepcopy(tree)
    for node in ast.walk(changed):
        if isinstance(node, ast.FunctionDef):
            _Recorder(node.name).record(node)
    return ast.fix_missing_locations(changed)


class _Recorder(ast.NodeTransformer):
    def __init__(self, function: str) -> None:
        self._function = function

    def record(self, function: ast.FunctionDef) -> None:
        body = [self.visit(statement) for statement in function.body]
        flat = [each for item in body for each in (item if isinstance(item, list) else [item])]
        parameters = [each.arg for each in function.args.args]
        function.body = [*self._notes(parameters), *flat]

    def _notes(self, names: list[str]) -> list[ast.stmt]:
        return [
            ast.parse(f"note_value({self._function!r}, {name!r}, {name})").body[0]
            for name in dict.fromkeys(names)
        ]

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return node

    def visit_Assign(self, node: ast.Assign) -> list[ast.stmt]:
        return [node, *self._notes([name for target in node.targets for name in _names(target)])]

    def visit_AugAssign(self, node: ast.AugAssign) -> list[ast.stmt]:
        return [node, *self._notes(_names(node.target))]

    def visit_Expr(self, node: ast.Expr) -> ast.AST | list[ast.stmt]:
        match node.value:
            case ast.Call(func=ast.Attribute(value=base)):
                return [node, *self._notes(_names(base))]
        return node

    def visit_For(self, node: ast.For) -> ast.AST:
        self.generic_visit(node)
        node.body = [*self._notes(_names(node.target)), *node.body]
        return node


def _names(target: ast.expr) -> list[str]:
    match target:
        case ast.Name(id=name):
            return [name]
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            return [name for part in parts for name in _names(part)]
        case ast.Subscript(value=value) | ast.Starred(value=value):
            return _names(value)
    return []
