"""Writes loops over `itertools.groupby` as loops over the ends of runs of equal members."""

import ast
import copy
from collections.abc import Callable

from codegym_mcp.synthesis.program_tracing.syntax_nodes import apply_key, call_of


def write_runs(
    loop: ast.For, is_hidden: Callable[[ast.expr], bool], fresh: Callable[[str], str]
) -> list[ast.stmt] | None:
    """Returns a loop over runs in place of one over `groupby`, or None for another loop.

    Args:
        is_hidden: tells whether an expression is a hidden list or text.
        fresh: returns a name that the function does not use.
    """
    match loop:
        case ast.For(
            target=ast.Tuple(elts=[ast.Name() as label, ast.Name(id=group)]),
            iter=ast.Call(
                func=ast.Name(id="groupby") | ast.Attribute(attr="groupby"),
                args=[source, *rest],
                keywords=keywords,
            ),
            orelse=[],
        ) if is_hidden(source) and len(rest) + len(keywords) <= 1:
            key = rest[0] if rest else keywords[0].value if keywords else None
        case _:
            return None
    start, stop = ast.Name(fresh("start"), ast.Load()), ast.Name(fresh("stop"), ast.Load())
    length = call_of("len", copy.deepcopy(source))
    more = ast.Compare(stop, [ast.Lt()], [length])
    alike = ast.Compare(_keyed(key, source, stop), [ast.Eq()], [_keyed(key, source, start)])
    advance = ast.AugAssign(ast.Name(stop.id, ast.Store()), ast.Add(), ast.Constant(1))
    members = ast.Subscript(copy.deepcopy(source), ast.Slice(start, stop), ast.Load())
    body = [_Members(group, members, ast.BinOp(stop, ast.Sub(), start)).visit(each) for each in loop.body]
    begin: list[ast.stmt] = [
        _assign(start.id, stop),
        copy.deepcopy(advance),
        ast.While(ast.BoolOp(ast.And(), [more, alike]), [advance], []),
        ast.Assign([ast.Name(label.id, ast.Store())], _keyed(key, source, start)),
    ]
    walk = ast.While(copy.deepcopy(more), [*begin, *body], [])
    return [_assign(stop.id, ast.Constant(0)), walk]


def _assign(name: str, value: ast.expr) -> ast.stmt:
    return ast.Assign([ast.Name(name, ast.Store())], value)


def _keyed(key: ast.expr | None, source: ast.expr, place: ast.expr) -> ast.expr:
    return apply_key(key, ast.Subscript(copy.deepcopy(source), copy.deepcopy(place), ast.Load()))


class _Members(ast.NodeTransformer):
    """Puts the part of the source that is a run in the place of its iterator."""

    def __init__(self, group: str, members: ast.expr, count: ast.expr) -> None:
        self._group = group
        self._members = members
        self._count = count

    def visit_Call(self, node: ast.Call) -> ast.AST:
        match node:
            case ast.Call(
                func=ast.Name(id="len"),
                args=[ast.Call(func=ast.Name(id="list" | "tuple"), args=[ast.Name(id=name)])],
            ) if name == self._group:
                return copy.deepcopy(self._count)
            case ast.Call(
                func=ast.Name(id="sum"),
                args=[
                    ast.GeneratorExp(
                        elt=ast.Constant(value=1),
                        generators=[ast.comprehension(iter=ast.Name(id=name), ifs=[])],
                    )
                ],
            ) if name == self._group:
                return copy.deepcopy(self._count)
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return copy.deepcopy(self._members) if node.id == self._group else node
