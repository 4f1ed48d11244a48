"""Constructions and changes of syntax trees that several steps of tracing use."""

import ast
import copy
from collections.abc import Callable, Container, Iterator, Sequence


def as_value(node: ast.expr) -> ast.expr:
    """Returns a copy of an assignment's target that reads it."""
    made = copy.deepcopy(node)
    for each in ast.walk(made):
        if hasattr(each, "ctx"):
            each.ctx = ast.Load()
    return made


def as_target(node: ast.expr) -> ast.expr:
    """Returns a copy of an expression that assigns it."""
    made = copy.deepcopy(node)
    if hasattr(made, "ctx"):
        made.ctx = ast.Store()
    if isinstance(made, ast.Tuple | ast.List):
        made.elts = [as_target(each) for each in made.elts]
    return made


def attributes_of_self(expression: ast.expr) -> set[str]:
    """Returns the names of the environment's attributes in an expression of one of its methods."""
    return {
        each.attr
        for each in ast.walk(expression)
        if isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name) and each.value.id == "self"
    }


def growing_loop(
    position: str, count: ast.expr, body: list[ast.stmt], orelse: list[ast.stmt]
) -> list[ast.stmt]:
    """Returns a loop over the positions of a list whose length may change meanwhile."""
    begin = ast.Assign([ast.Name(position, ast.Store())], ast.Constant(-1))
    following = ast.BinOp(ast.Name(position, ast.Load()), ast.Add(), ast.Constant(1))
    advance = ast.AugAssign(ast.Name(position, ast.Store()), ast.Add(), ast.Constant(1))
    return [begin, ast.While(ast.Compare(following, [ast.Lt()], [count]), [advance, *body], orelse)]


def range_of(count: ast.expr, backwards: bool = False) -> ast.expr:
    """Returns the `range` of so many positions."""
    if not backwards:
        return ast.Call(ast.Name("range", ast.Load()), [count], [])
    last = ast.BinOp(count, ast.Sub(), ast.Constant(1))
    minus = ast.UnaryOp(ast.USub(), ast.Constant(1))
    return ast.Call(ast.Name("range", ast.Load()), [last, minus, copy.deepcopy(minus)], [])


def distinct_nodes(nodes: Sequence[ast.expr]) -> list[ast.expr]:
    """Returns expressions without those that are written like an earlier one."""
    return list({ast.dump(node): node for node in nodes}.values())


def folded(node: ast.BinOp) -> ast.expr:
    """Computes a difference of two constants."""
    match node:
        case ast.BinOp(left=ast.Constant(value=int(one)), op=ast.Sub(), right=ast.Constant(value=int(other))):
            return ast.Constant(one - other)
    return node


def is_condition(node: ast.expr) -> bool:
    """Returns whether an expression is true or false, and nothing else."""
    match node:
        case ast.Compare() | ast.UnaryOp(op=ast.Not()):
            return True
        case ast.BoolOp(values=values):
            return all(map(is_condition, values))
        case ast.Call(func=ast.Name(id="isinstance" | "bool" | "any" | "all")):
            return True
        case ast.Call(func=ast.Attribute(attr=name)):
            return name.startswith("is") or name in ("startswith", "endswith")
    return False


class Rename(ast.NodeTransformer):
    """Gives names other names."""

    def __init__(self, names: dict[str, str]) -> None:
        self._names = names

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(self._names[node.id], node.ctx) if node.id in self._names else node


def apply_key(key: ast.expr | None, value: ast.expr) -> ast.expr:
    """Returns the value by which another one is compared (the `key` of `max` and `min`)."""
    match key:
        case None:
            return value
        case ast.Lambda(args=ast.arguments(args=[ast.arg(arg=name)]), body=body):
            made: ast.expr = Substitute(name, value).visit(copy.deepcopy(body))
            return made
    return ast.Call(copy.deepcopy(key), [value], [])


class Substitute(ast.NodeTransformer):
    """Puts an expression in the place of a name."""

    def __init__(self, name: str, value: ast.expr) -> None:
        self._name = name
        self._value = value

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return copy.deepcopy(self._value) if node.id == self._name else node


def mapped_generator(name: str, args: list[ast.expr], fresh: Callable[[str], str]) -> ast.GeneratorExp | None:
    """Returns a call of `map` or `filter` as a generator, or None if its arguments do not fit."""
    function, sources = args[0], args[1:]
    if isinstance(function, ast.Lambda):
        names = [fresh(each.arg) for each in function.args.args]
        rename = {each.arg: new for each, new in zip(function.args.args, names, strict=True)}
        value = Rename(rename).visit(copy.deepcopy(function.body))
    else:
        names = [fresh("item") for _ in sources]
        value = ast.Call(function, [ast.Name(each, ast.Load()) for each in names], [])
        if isinstance(function, ast.Constant):
            value = ast.Name(names[0], ast.Load())
    if len(names) != len(sources):
        return None
    targets: list[ast.expr] = [ast.Name(each, ast.Store()) for each in names]
    target = targets[0] if len(targets) == 1 else ast.Tuple(targets, ast.Store())
    source = sources[0] if len(sources) == 1 else call_of("zip", *sources)
    if name == "filter":
        clause = ast.comprehension(target, source, [value], 0)
        return ast.GeneratorExp(ast.Name(names[0], ast.Load()), [clause])
    return ast.GeneratorExp(value, [ast.comprehension(target, source, [], 0)])


def without_slice(node: ast.expr) -> ast.expr:
    """Returns the sequence of a slice that keeps all members."""
    return copy.deepcopy(node.value if isinstance(node, ast.Subscript) else node)


def call_of(name: str, *arguments: ast.expr) -> ast.Call:
    """Returns a call of a function by name."""
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])


def assigned_names(nodes: list[ast.stmt]) -> Iterator[str]:
    """Yields the names that statements assign, in order, with repetitions; nested functions are left out."""
    waiting: list[ast.AST] = list(reversed(nodes))
    while waiting:
        node = waiting.pop()
        match node:
            case ast.Name(id=name, ctx=ast.Store()):
                yield name
            case ast.FunctionDef(name=name):
                yield name
                continue
            case ast.Lambda() | ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                continue
        waiting.extend(reversed(list(ast.iter_child_nodes(node))))


def free_name(wanted: str, taken: Container[str]) -> str:
    """Returns the wanted name if it is not taken, otherwise the first one with a number that is not."""
    name, number = wanted, 2
    while name in taken:
        name, number = f"{wanted}_{number}", number + 1
    return name


def is_length(node: ast.expr) -> bool:
    """Returns whether an expression is a call of `len`."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "len"
