"""Parts of parts of hidden containers as parts of the container.

A function that calls itself with `values[1:]` works on ever deeper parts. Where a part is kept by its bounds,
a part of it has bounds that the caller can compute: `values[start:][1:]` is `values[start + 1:]`.
"""

import ast
import copy
from collections.abc import Sequence

from codegym_mcp.synthesis.program_tracing.lifting.hidden_values import HOLE, HiddenValue


def is_numbered(part: ast.Slice) -> bool:
    """Returns whether the bounds of a slice are counted from the beginning, as far as their form tells."""
    return part.step is None and all(
        not isinstance(each, ast.UnaryOp) for each in (part.lower, part.upper) if each is not None
    )


def select_within(
    base: ast.expr, index: ast.expr, holes: Sequence[ast.expr]
) -> tuple[ast.expr, ast.expr] | None:
    """Returns what selects a member or part of a part: the whole container, and the position or slice in it.

    Args:
        base: an expression of the environment.
        index: what is selected, as the caller knows it.
        holes: what fills the holes of the base.

    Returns:
        None if the base is no part whose bounds fill holes, or the index may count from the end.
    """
    match base:
        case ast.Subscript(value=whole, slice=ast.Slice(lower=ast.Name(id=first), upper=last, step=None)):
            if not first.startswith(HOLE) or not isinstance(last, ast.Name | None):
                return None
        case _:
            return None
    start = holes[int(first.removeprefix(HOLE))]
    end = holes[int(last.id.removeprefix(HOLE))] if last is not None else None
    match index:
        case ast.Slice() if is_numbered(index):
            upper = _sum(start, index.upper) if index.upper is not None else end
            if index.upper is not None and upper is not None and end is not None:
                upper = ast.Call(ast.Name("min", ast.Load()), [upper, copy.deepcopy(end)], [])
            lower = _sum(start, index.lower) if index.lower is not None else start
            return whole, ast.Slice(copy.deepcopy(lower), copy.deepcopy(upper))
        case ast.Slice() | ast.UnaryOp():
            return None
    return whole, _sum(start, index)


def sliced_parameters(function: ast.FunctionDef) -> set[str]:
    """Returns the parameters of which a function passes parts to itself, in the same place."""
    found: set[str] = set()
    names = [each.arg for each in function.args.args]
    for node in ast.walk(function):
        match node:
            case ast.Call(func=ast.Name(id=name), args=args) if name == function.name:
                for parameter, argument in zip(names, args, strict=False):
                    match argument:
                        case ast.Subscript(value=ast.Name(id=base), slice=ast.Slice() as part):
                            if base == parameter and is_numbered(part):
                                found.add(parameter)
    return found


def from_start(hidden: HiddenValue) -> HiddenValue:
    """Returns a whole container as its part from position 0, so that it is like the parts of it."""
    match hidden.expression:
        case ast.Subscript(slice=ast.Slice()):
            return hidden
    start = ast.Name(f"{HOLE}{len(hidden.holes)}", ast.Load())
    part = ast.Subscript(hidden.expression, ast.Slice(start, None), ast.Load())
    return HiddenValue(part, (*hidden.holes, ast.Constant(0)), hidden.shape, hidden.raw)


def _sum(one: ast.expr, other: ast.expr) -> ast.expr:
    match one, other:
        case ast.Constant(value=int(first)), ast.Constant(value=int(second)):
            return ast.Constant(first + second)
        case ast.Constant(value=0), _:
            return copy.deepcopy(other)
        case _, ast.Constant(value=0):
            return copy.deepcopy(one)
        case ast.BinOp(left=left, op=ast.Add(), right=ast.Constant(value=int(first))), ast.Constant(
            value=int(second)
        ):
            return ast.BinOp(copy.deepcopy(left), ast.Add(), ast.Constant(first + second))
    return ast.BinOp(copy.deepcopy(one), ast.Add(), copy.deepcopy(other))
