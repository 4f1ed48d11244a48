"""Rewrites a program so that it counts how often its loops and functions begin."""

import ast
import copy


def count_steps(tree: ast.Module) -> ast.Module:
    """Returns a copy of a program that adds 1 to `STEPS[0]` at each step."""
    changed: ast.Module = _Counter().visit(copy.deepcopy(tree))
    return ast.fix_missing_locations(changed)


class _Counter(ast.NodeTransformer):
    def visit_For(self, node: ast.For) -> ast.AST:
        return self._counted(node)

    def visit_While(self, node: ast.While) -> ast.AST:
        return self._counted(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._counted(node)

    def _counted(self, node: ast.For | ast.While | ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        node.body = [*ast.parse("STEPS[0] += 1").body, *node.body]
        return node
