"""Moves functions that are defined in functions to the module; what they read around them becomes parameters.

A solution whose steps are functions in a function can then be lifted like one with helpers beside it.
"""

import ast
from dataclasses import dataclass

from codegym_mcp.synthesis.program_tracing.syntax_nodes import assigned_names, free_name


@dataclass
class _Nested:
    """A function in a function.

    Attributes:
        node: the function.
        bound: the names that it binds itself.
        free: the variables of the outer function that it needs, directly or through what it calls.
    """

    node: ast.FunctionDef
    bound: set[str]
    free: list[str]


def move_nested_functions(tree: ast.Module) -> None:
    """Moves the functions in the functions of a module, where calls can pass all that they read."""
    for function in [node for node in tree.body if isinstance(node, ast.FunctionDef)]:
        _name_lambdas(function)
        nested = _movable(function)
        if not nested:
            continue
        taken = {each.id for each in ast.walk(tree) if isinstance(each, ast.Name)}
        taken |= {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        function.body = [node for node in function.body if not _is_one(node, nested)] or [ast.Pass()]
        names: dict[str, str] = {}
        for name in nested:
            is_free = _is_free(name, tree, function)
            names[name] = name if is_free else free_name(f"{function.name}_{name}", taken)
            taken.add(names[name])
        passing = _Passing(nested, names)
        passing.visit(function)
        for name, each in nested.items():
            passing.visit(each.node)
            each.node.name = names[name]
            each.node.args.args += [ast.arg(variable) for variable in each.free]
        place = tree.body.index(function)
        tree.body[place:place] = [each.node for each in nested.values()]
    ast.fix_missing_locations(tree)


def _is_one(node: ast.stmt, nested: dict[str, _Nested]) -> bool:
    return isinstance(node, ast.FunctionDef) and node.name in nested


def _is_free(name: str, tree: ast.Module, function: ast.FunctionDef) -> bool:
    """Returns whether nothing else of the module has this name."""
    others = [node for node in tree.body if node is not function]
    used = {each.id for node in others for each in ast.walk(node) if isinstance(each, ast.Name)}
    used |= {each.arg for node in others for each in ast.walk(node) if isinstance(each, ast.arg)}
    used |= {each.name for node in others for each in ast.walk(node) if isinstance(each, ast.FunctionDef)}
    return name not in used | {function.name}


def _name_lambdas(function: ast.FunctionDef) -> None:
    """Writes `name = lambda x: value` as a function."""
    for place, statement in enumerate(function.body):
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Lambda(args=arguments, body=body)) if list(
                assigned_names(function.body)
            ).count(name) == 1 and _is_only_called(name, function):
                made = ast.FunctionDef(name, arguments, [ast.Return(body)], [], None)
                function.body[place] = ast.copy_location(made, statement)
    ast.fix_missing_locations(function)


def _movable(function: ast.FunctionDef) -> dict[str, _Nested]:
    """Returns the functions in a function that can be moved; none if one that they call cannot."""
    outer = {each.arg for each in function.args.args} | set(assigned_names(function.body))
    candidates = [node for node in function.body if isinstance(node, ast.FunctionDef)]
    found = {
        node.name: _Nested(node, _bound(node), [])
        for node in candidates
        if _is_simple(node)
        and list(assigned_names(function.body)).count(node.name) == 1
        and _is_only_called(node.name, function)
        and _passes_all(node, function)
    }
    defined = {node.name for node in ast.walk(function) if isinstance(node, ast.FunctionDef)} - {
        function.name
    }
    changed = True
    while changed:
        changed = False
        shadowing = _inner_names(function, found)
        for name, each in list(found.items()):
            loaded = [n.id for n in ast.walk(each.node) if isinstance(n, ast.Name) and n.id not in each.bound]
            called = [other for other in dict.fromkeys(loaded) if other in defined]
            if any(other not in found for other in called):
                del found[name]
                changed = True
                break
            wanted = [one for one in dict.fromkeys(loaded) if one in outer and one not in defined]
            wanted += [one for other in called for one in found[other].free]
            if set(wanted) & (each.bound | shadowing):
                del found[name]
                changed = True
                break
            added = [one for one in dict.fromkeys(wanted) if one not in each.free]
            each.free += added
            changed = changed or bool(added)
    return found


def _inner_names(function: ast.FunctionDef, moved: dict[str, _Nested]) -> set[str]:
    """Returns what comprehensions, lambdas and the functions that stay bind for themselves."""
    found: set[str] = set()
    for node in ast.walk(function):
        match node:
            case ast.comprehension(target=target):
                found |= {each.id for each in ast.walk(target) if isinstance(each, ast.Name)}
            case ast.Lambda(args=arguments):
                found |= {each.arg for each in ast.walk(arguments) if isinstance(each, ast.arg)}
            case ast.FunctionDef(name=name) if node is not function and name not in moved:
                found |= _bound(node)
    return found


def _bound(node: ast.FunctionDef) -> set[str]:
    stored = {
        each.id
        for each in ast.walk(node)
        if isinstance(each, ast.Name) and not isinstance(each.ctx, ast.Load)
    }
    return stored | {each.arg for each in ast.walk(node) if isinstance(each, ast.arg)}


def _is_simple(node: ast.FunctionDef) -> bool:
    arguments = node.args
    special = arguments.vararg or arguments.kwarg or arguments.kwonlyargs or arguments.posonlyargs
    if special or arguments.defaults or node.decorator_list:
        return False
    inner = [each for part in node.body for each in ast.walk(part)]
    return not any(isinstance(each, ast.FunctionDef | ast.ClassDef | ast.Nonlocal) for each in inner)


def _is_only_called(name: str, function: ast.FunctionDef) -> bool:
    uses = [
        each
        for each in ast.walk(function)
        if isinstance(each, ast.Name) and each.id == name and isinstance(each.ctx, ast.Load)
    ]
    calls = {id(each.func) for each in ast.walk(function) if isinstance(each, ast.Call)}
    return bool(uses) and all(id(each) in calls for each in uses)


def _passes_all(node: ast.FunctionDef, function: ast.FunctionDef) -> bool:
    """Returns whether each call gives each parameter by its place."""
    count = len(node.args.args)
    for each in ast.walk(function):
        match each:
            case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords) if name == node.name:
                if keywords or len(args) != count or any(isinstance(one, ast.Starred) for one in args):
                    return False
    return True


class _Passing(ast.NodeTransformer):
    """Adds to each call of a moved function what the function reads."""

    def __init__(self, nested: dict[str, _Nested], names: dict[str, str]) -> None:
        self._nested = nested
        self._names = names

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        match node.func:
            case ast.Name(id=name) if name in self._nested:
                free = self._nested[name].free
                node.func = ast.Name(self._names[name], ast.Load())
                node.args = [*node.args, *(ast.Name(one, ast.Load()) for one in free)]
        return node
