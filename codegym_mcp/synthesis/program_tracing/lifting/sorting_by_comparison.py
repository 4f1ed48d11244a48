"""Writes the sorting of a hidden list as comparisons of its members.

`ranked = sorted(values)` becomes a list of positions that a binary insertion fills; where the sorted list is
used, its members are the values at these positions. No member has to be known to be ranked.
"""

import ast
import copy
from collections.abc import Callable


def write_sorts_as_comparisons(
    body: list[ast.stmt], is_sortable: Callable[[ast.expr], bool], fresh: Callable[[str], str]
) -> list[ast.stmt]:
    """Rewrites the sorts of hidden lists at the top level of a function.

    Args:
        is_sortable: tells whether an expression is a hidden list.
        fresh: returns a name that the function does not use.
    """
    made = list(body)
    for place, statement in enumerate(body):
        sort = _find_sort(statement, is_sortable)
        if sort is None:
            continue
        name, source, key, backwards = sort
        rest = body[place + 1 :]
        if not isinstance(source, ast.Name) or not _is_only_read(name, rest):
            continue
        if name == source.id and not isinstance(statement, ast.Expr):
            continue
        order = fresh("order")
        rewritten = [_Ranked(name, source, order).visit(copy.deepcopy(each)) for each in rest]
        insertion = _insertion(source, order, key, backwards, fresh)
        return [
            *made[:place],
            *insertion,
            *write_sorts_as_comparisons(rewritten, is_sortable, fresh),
        ]
    return made


Sort = tuple[str, ast.expr, ast.expr | None, bool]


def _find_sort(statement: ast.stmt, is_sortable: Callable[[ast.expr], bool]) -> Sort | None:
    """Returns the name of the sorted list, what is sorted, the key, and whether it descends."""
    match statement:
        case ast.Assign(
            targets=[ast.Name(id=name)],
            value=ast.Call(func=ast.Name(id="sorted"), args=[source], keywords=keywords),
        ) if is_sortable(source):
            pass
        case ast.Expr(
            value=ast.Call(
                func=ast.Attribute(value=ast.Name(id=name) as source, attr="sort"), args=[], keywords=keywords
            )
        ) if is_sortable(source):
            pass
        case _:
            return None
    key: ast.expr | None = None
    backwards = False
    for keyword in keywords:
        if keyword.arg == "key":
            key = keyword.value
        elif keyword.arg == "reverse" and isinstance(keyword.value, ast.Constant):
            backwards = bool(keyword.value.value)
        else:
            return None
    return name, source, key, backwards


def _is_only_read(name: str, body: list[ast.stmt]) -> bool:
    for statement in body:
        for node in ast.walk(statement):
            match node:
                case ast.Name(id=found, ctx=ast.Store() | ast.Del()) if found == name:
                    return False
                case ast.Subscript(value=ast.Name(id=found), ctx=ast.Store() | ast.Del()) if found == name:
                    return False
                case ast.Call(func=ast.Attribute(value=ast.Name(id=found))) if found == name:
                    return False
                case ast.FunctionDef() | ast.Lambda():
                    return False
    return True


def _insertion(
    source: ast.Name,
    order: str,
    key: ast.expr | None,
    backwards: bool,
    fresh: Callable[[str], str],
) -> list[ast.stmt]:
    place, low, high, middle = fresh("place"), fresh("low"), fresh("high"), fresh("middle")
    new = _keyed(key, _element(source, ast.Name(place, ast.Load())))
    position = ast.Subscript(ast.Name(order, ast.Load()), ast.Name(middle, ast.Load()), ast.Load())
    known = _keyed(key, _element(source, position))
    test = ast.Compare(new, [ast.Gt() if backwards else ast.Lt()], [known])
    (loop,) = ast.parse(
        f"for {place} in range(len({source.id})):\n"
        f"    {low}, {high} = 0, len({order})\n"
        f"    while {low} < {high}:\n"
        f"        {middle} = ({low} + {high}) // 2\n"
        f"        if None:\n"
        f"            {high} = {middle}\n"
        f"        else:\n"
        f"            {low} = {middle} + 1\n"
        f"    {order}.insert({low}, {place})\n"
    ).body
    for node in ast.walk(loop):
        if isinstance(node, ast.If):
            node.test = test
        match node:
            case ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=name)]) if name == source.id:
                node.counts_elements = True  # type: ignore[attr-defined]
    return [*ast.parse(f"{order} = []").body, loop]


def _element(source: ast.Name, position: ast.expr) -> ast.expr:
    made = ast.Subscript(copy.deepcopy(source), position, ast.Load())
    made.is_element = True  # type: ignore[attr-defined]
    return made


def _keyed(key: ast.expr | None, value: ast.expr) -> ast.expr:
    match key:
        case None:
            return value
        case ast.Lambda(args=ast.arguments(args=[ast.arg(arg=name)]), body=body):

            class Filler(ast.NodeTransformer):
                def visit_Name(self, node: ast.Name) -> ast.AST:
                    return copy.deepcopy(value) if node.id == name else node

            made: ast.expr = Filler().visit(copy.deepcopy(body))
            return made
    return ast.Call(copy.deepcopy(key), [value], [])


class _Ranked(ast.NodeTransformer):
    """Replaces the uses of a sorted list by values at the ranked positions."""

    def __init__(self, name: str, source: ast.Name, order: str) -> None:
        self._name = name
        self._source = source
        self._order = order

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        match node:
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Slice() as part) if name == self._name:
                self.visit(part)
                positions = ast.Subscript(ast.Name(self._order, ast.Load()), part, ast.Load())
                return self._listed(positions)
            case ast.Subscript(value=ast.Name(id=name), slice=index) if name == self._name:
                position = ast.Subscript(ast.Name(self._order, ast.Load()), self.visit(index), ast.Load())
                return _element(self._source, position)
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        match node:
            case ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=name)]) if name == self._name:
                return ast.Call(node.func, [ast.Name(self._order, ast.Load())], [])
        return self.generic_visit(node)

    def visit_For(self, node: ast.For) -> ast.AST:
        if isinstance(node.iter, ast.Name) and node.iter.id == self._name:
            self._count = getattr(self, "_count", 0) + 1
            position = f"{self._order}_position_{self._count}"
            node.iter = ast.Name(self._order, ast.Load())
            value = _element(self._source, ast.Name(position, ast.Load()))
            first = ast.Assign([node.target], value)
            node.target = ast.Name(position, ast.Store())
            node.body = [first, *(self.visit(each) for each in node.body)]
            node.orelse = [self.visit(each) for each in node.orelse]
            return node
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id == self._name and isinstance(node.ctx, ast.Load):
            return self._listed(ast.Name(self._order, ast.Load()))
        return node

    def _listed(self, positions: ast.expr) -> ast.expr:
        rank = f"{self._order}_rank"
        clause = ast.comprehension(ast.Name(rank, ast.Store()), positions, [], 0)
        return ast.ListComp(_element(self._source, ast.Name(rank, ast.Load())), [clause])
