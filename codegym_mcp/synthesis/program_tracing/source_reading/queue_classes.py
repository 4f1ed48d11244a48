"""Writes the classes of the module `queue` as the containers that they hold: deques, lists and heaps.

`waiting = Queue()` becomes `waiting = deque()`, and `waiting.get()` becomes `waiting.popleft()`. A solution
runs in one thread, where both do the same.
"""

import ast

_CLASSES = {"Queue": "deque", "SimpleQueue": "deque", "LifoQueue": "list", "PriorityQueue": "list"}
_METHODS = frozenset("put get put_nowait get_nowait empty qsize full queue join task_done".split())
_TAKING = {"Queue": "popleft", "SimpleQueue": "popleft", "LifoQueue": "pop"}


def write_queues_as_containers(tree: ast.Module) -> None:
    """Rewrites a module; one that uses queues in another way keeps its imports."""
    writer = _QueueWriter(tree)
    if not writer.variables:
        return
    changed = writer.visit(tree)
    if not writer.is_complete(changed):
        return
    tree.body = [
        *ast.parse("from collections import deque\nfrom heapq import heappop, heappush").body,
        *(node for node in changed.body if not _is_import_of_queues(node)),
    ]
    ast.fix_missing_locations(tree)


def _is_import_of_queues(node: ast.stmt) -> bool:
    match node:
        case ast.ImportFrom(module="queue") | ast.Import(names=[ast.alias(name="queue")]):
            return True
    return False


def _class_of(node: ast.expr | None, names: dict[str, str]) -> str | None:
    """Returns the class of `queue` that an expression creates an object of, or None."""
    match node:
        case ast.Call(func=ast.Name(id=name)):
            return names.get(name)
        case ast.Call(func=ast.Attribute(value=ast.Name(id="queue"), attr=name)) if name in _CLASSES:
            return name
    return None


class _QueueWriter(ast.NodeTransformer):
    """Rewrites the variables that hold queues.

    Attributes:
        variables: the class of each such variable; a name that also holds something else is none.
    """

    def __init__(self, tree: ast.Module) -> None:
        imports = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "queue"]
        aliases = [alias for node in imports for alias in node.names]
        self._names = {alias.asname or alias.name: alias.name for alias in aliases if alias.name in _CLASSES}
        classes: dict[str, set[str | None]] = {}
        for node in ast.walk(tree):
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    classes.setdefault(name, set()).add(_class_of(value, self._names))
        self.variables: dict[str, str] = {}
        for name, found in classes.items():
            only = next(iter(found))
            if len(found) == 1 and only is not None:
                self.variables[name] = only

    def is_complete(self, tree: ast.AST) -> bool:
        """Returns whether nothing of `queue` is left, and nothing else is done with queues."""
        for node in ast.walk(tree):
            match node:
                case ast.Name(id=name) if name in self._names or name in {"queue"} - self.variables.keys():
                    return False
                case ast.Attribute(value=ast.Name(id=name), attr=method) if method in _METHODS:
                    if name in self.variables:
                        return False
        return True

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        created = _class_of(node, self._names)
        if created is not None:
            return ast.parse(f"{_CLASSES[created]}()", mode="eval").body
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=name) as held, attr=method), args=args, keywords=[]
            ):
                if name in self.variables:
                    return self._method(node, held, method, args)
        return node

    def _method(self, node: ast.Call, held: ast.Name, method: str, args: list[ast.expr]) -> ast.expr:
        kind = self.variables[held.id]
        match method, args:
            case (("put" | "put_nowait"), [value]):
                if kind == "PriorityQueue":
                    return ast.Call(ast.Name("heappush", ast.Load()), [held, value], [])
                return ast.Call(ast.Attribute(held, "append", ast.Load()), [value], [])
            case (("get" | "get_nowait"), []):
                if kind == "PriorityQueue":
                    return ast.Call(ast.Name("heappop", ast.Load()), [held], [])
                return ast.Call(ast.Attribute(held, _TAKING[kind], ast.Load()), [], [])
            case "empty", []:
                return ast.UnaryOp(ast.Not(), held)
            case "qsize", []:
                return ast.Call(ast.Name("len", ast.Load()), [held], [])
        return node
