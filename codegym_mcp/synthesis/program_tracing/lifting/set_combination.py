"""Writes intersections and differences of sets of hidden lists as searches, member by member."""

import ast
import copy
from collections.abc import Callable

_OPERATORS: dict[type[ast.operator], str] = {
    ast.BitAnd: "intersection",
    ast.Sub: "difference",
    ast.BitXor: "symmetric_difference",
}


def set_operands(
    node: ast.expr, is_hidden: Callable[[ast.expr], bool]
) -> tuple[str, ast.expr, ast.expr] | None:
    """Returns the operation and the two lists of an expression like `set(a) & set(b)`, or None.

    Args:
        is_hidden: tells whether an expression is a hidden list or text.
    """
    match node:
        case ast.BinOp(
            left=ast.Call(func=ast.Name(id="set"), args=[one]),
            op=operator,
            right=ast.Call(func=ast.Name(id="set"), args=[other]),
        ):
            name = _OPERATORS.get(type(operator), "")
        case ast.Call(
            func=ast.Attribute(value=ast.Call(func=ast.Name(id="set"), args=[one]), attr=name), args=[other]
        ):
            if isinstance(other, ast.Call):
                match other:
                    case ast.Call(func=ast.Name(id="set"), args=[inner]):
                        other = inner
        case _:
            return None
    if name not in _OPERATORS.values() or not (is_hidden(one) and is_hidden(other)):
        return None
    return name, one, other


def combine_sets(name: str, one: ast.expr, other: ast.expr, *, fresh: Callable[[str], str]) -> ast.expr:
    """Returns the members of the one that are, or are not, members of the other, as a set comprehension."""
    if name == "symmetric_difference":
        left = combine_sets("difference", one, other, fresh=fresh)
        right = combine_sets("difference", other, one, fresh=fresh)
        return ast.BinOp(left, ast.BitOr(), right)
    item = fresh("item")
    operator: ast.cmpop = ast.In() if name == "intersection" else ast.NotIn()
    test = ast.Compare(ast.Name(item, ast.Load()), [operator], [copy.deepcopy(other)])
    clause = ast.comprehension(ast.Name(item, ast.Store()), copy.deepcopy(one), [test], 0)
    return ast.SetComp(ast.Name(item, ast.Load()), [clause])
