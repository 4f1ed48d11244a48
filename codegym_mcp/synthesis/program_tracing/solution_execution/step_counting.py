"""Rewrites a program so that it counts how often its loops and functions begin, and ends after many steps.

A number of steps, other than a time, does not depend on what else the machine does.
"""

import ast
import copy

MOST_STEPS = 50_000
"""Steps after which a call of a program fails."""
_STEP = f"""
STEPS[0] += 1
if STEPS[0] > {MOST_STEPS}:
    raise RuntimeError("It takes too many steps.")
"""


def count_steps(tree: ast.Module) -> ast.Module:
    """Returns a copy of a program that adds 1 to `STEPS[0]` at each step, and fails after `MOST_STEPS`."""
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
        node.body = [*ast.parse(_STEP).body, *node.body]
        return node
