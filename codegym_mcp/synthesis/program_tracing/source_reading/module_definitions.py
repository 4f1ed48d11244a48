"""The definitions of a module, and those that one of its functions needs."""

import ast


class ModuleDefinitions:
    """The definitions of a module, by the names that they bind. The module is walked once."""

    def __init__(self, tree: ast.Module) -> None:
        self._nodes = tree.body
        self._bound = [bound_names(node) for node in tree.body]
        self._used: dict[int, set[str]] = {}
        self._places: dict[str, list[int]] = {}
        for place, names in enumerate(self._bound):
            for name in names:
                self._places.setdefault(name, []).append(place)

    def __contains__(self, name: object) -> bool:
        """Returns whether the module binds a name."""
        return name in self._places

    def needed_by(self, entry: str) -> list[ast.stmt]:
        """Returns the definitions that a function reaches, imports first; they are the module's own nodes."""
        needed: set[str] = set()
        kept: set[int] = set()
        waiting = [entry]
        while waiting:
            name = waiting.pop()
            if name in needed:
                continue
            needed.add(name)
            for place in self._places.get(name, ()):
                kept.add(place)
                waiting += self._names_in(place)
        found = [self._reduced(self._nodes[place], needed) for place in sorted(kept)]
        return sorted(found, key=lambda node: not isinstance(node, ast.Import | ast.ImportFrom))

    def _names_in(self, place: int) -> set[str]:
        if place not in self._used:
            nodes = ast.walk(self._nodes[place])
            self._used[place] = {each.id for each in nodes if isinstance(each, ast.Name)}
        return self._used[place]

    def _reduced(self, node: ast.stmt, needed: set[str]) -> ast.stmt:
        """Returns an import without the names that are not needed; other statements as they are."""
        names = [alias for alias in import_aliases(node) if (alias.asname or alias.name) in needed]
        match node:
            case ast.Import():
                return ast.copy_location(ast.Import(names), node)
            case ast.ImportFrom(module=module, level=level):
                return ast.copy_location(ast.ImportFrom(module, names, level), node)
        return node


def bound_names(node: ast.stmt) -> set[str]:
    """Returns the names that a definition binds."""
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return {alias.asname or alias.name.partition(".")[0] for alias in names}
    return {
        each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
    }


def import_aliases(node: ast.stmt) -> list[ast.alias]:
    """Returns what an import binds; nothing for other statements."""
    return node.names if isinstance(node, ast.Import | ast.ImportFrom) else []
