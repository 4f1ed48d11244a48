"""Small constructions of syntax trees."""

import ast
import copy
from collections.abc import Sequence


def as_value(node: ast.expr) -> ast.expr:
    made = copy.deepcopy(node)
    for each in ast.walk(made):
        if hasattr(each, "ctx"):
            each.ctx = ast.Load()
    return made


def as_target(node: ast.expr) -> ast.expr:
    made = copy.deepcopy(node)
    if hasattr(made, "ctx"):
        made.ctx = ast.Store()
    if isinstance(made, ast.Tuple | ast.List):
        made.elts = [as_target(each) for each in made.elts]
    return made


def growing_loop(
    position: str, count: ast.expr, body: list[ast.stmt], orelse: list[ast.stmt]
) -> list[ast.stmt]:
    """Returns a loop over the positions of a list whose length may change meanwhile."""
    begin = ast.Assign([ast.Name(position, ast.Store())], ast.Constant(-1))
    following = ast.BinOp(ast.Name(position, ast.Load()), ast.Add(), ast.Constant(1))
    advance = ast.AugAssign(ast.Name(position, ast.Store()), ast.Add(), ast.Constant(1))
    return [begin, ast.While(ast.Compare(following, [ast.Lt()], [count]), [advance, *body], orelse)]


def range_of(count: ast.expr, backwards: bool = False) -> ast.expr:
    if not backwards:
        return ast.Call(ast.Name("range", ast.Load()), [count], [])
    last = ast.BinOp(count, ast.Sub(), ast.Constant(1))
    minus = ast.UnaryOp(ast.USub(), ast.Constant(1))
    return ast.Call(ast.Name("range", ast.Load()), [last, minus, copy.deepcopy(minus)], [])


def distinct_nodes(nodes: Sequence[ast.expr]) -> list[ast.expr]:
    return list({ast.dump(node): node for node in nodes}.values())


def folded(node: ast.BinOp) -> ast.expr:
    """Computes a difference of two constants."""
    match node:
        case ast.BinOp(left=ast.Constant(value=int(one)), op=ast.Sub(), right=ast.Constant(value=int(other))):
            return ast.Constant(one - other)
    return node
