"""Replaces the imports between the modules of a package by the definitions that they import.

Nothing is imported: the other modules of the package are parsed.
"""

import ast
from collections.abc import Iterable
from pathlib import Path

from codegym_mcp.errors import SourceError
from codegym_mcp.source_parsing import parse_source
from codegym_mcp.storage.regular_files import read_regular_file
from codegym_mcp.synthesis.program_tracing.source_reading.module_definitions import (
    ModuleDefinitions,
    bound_names,
)

MAX_FILE = 4_000_000
"""Greatest size of a file in bytes; a file is only parsed, and its functions are synthesized one by one."""


class PackageModules:
    """The modules of a package, by their dotted names. Each is parsed once, when it is first needed."""

    def __init__(self, files: Iterable[tuple[str, Path]]) -> None:
        self._files = dict(files)
        self._definitions: dict[str, ModuleDefinitions | None] = {}

    def definitions(self, module: str) -> ModuleDefinitions | None:
        """Returns the definitions of a module, or None if it is another package's or cannot be read."""
        if module not in self._definitions:
            try:
                found = ModuleDefinitions(self.parse(module)) if module in self._files else None
            except SourceError:
                found = None
            self._definitions[module] = found
        return self._definitions[module]

    def parse(self, module: str) -> ast.Module:
        """Parses a module.

        Raises:
            SourceError: the file is too large, not UTF-8, or not Python.
        """
        path = self._files[module]
        try:
            source = read_regular_file(path, MAX_FILE).decode()
        except UnicodeDecodeError:
            raise SourceError(str(path), None, "not UTF-8") from None
        return parse_source(source, str(path), longest=MAX_FILE)

    def imported_module(self, module: str, node: ast.ImportFrom) -> str:
        """Returns the absolute name of the module that a `from` statement in another module names."""
        if not node.level:
            return node.module or ""
        is_package = self._files[module].name == "__init__.py"
        parts = module.split(".")
        parts = parts[: len(parts) - node.level + is_package]
        return ".".join([*parts, node.module] if node.module else parts)


def needed_definitions(package: PackageModules, module: str, name: str) -> list[ast.stmt]:
    """Returns what a function of a module reaches, also in other modules of the package.

    Imports of what cannot be found are kept. All are kept if two modules give a name different meanings.
    """
    resolver = _ImportResolver(package)
    found = resolver.resolve(module, name)
    if resolver.is_ambiguous:
        definitions = package.definitions(module)
        return definitions.needed_by(name) if definitions is not None else []
    return [*resolver.imports.values(), *found]


class _ImportResolver:
    """Collects definitions of several modules; each definition is taken once."""

    def __init__(self, package: PackageModules) -> None:
        self.imports: dict[str, ast.stmt] = {}
        self.is_ambiguous = False
        self._package = package
        self._owners: dict[str, str] = {}
        self._taken: set[int] = set()
        self._resolved: set[tuple[str, str]] = set()

    def resolve(self, module: str, name: str) -> list[ast.stmt]:
        """Returns the definitions that a name needs, in an order in which each follows what it needs."""
        definitions = self._package.definitions(module)
        if definitions is None or (module, name) in self._resolved:
            return []
        self._resolved.add((module, name))
        made: list[ast.stmt] = []
        own: list[ast.stmt] = []
        for node in definitions.needed_by(name):
            if isinstance(node, ast.ImportFrom):
                made += self._inline(module, node)
            elif isinstance(node, ast.Import):
                self._keep(node)
            elif id(node) not in self._taken:
                self._taken.add(id(node))
                own.append(node)
                self._bind(bound_names(node), module)
        return made + own

    def _inline(self, module: str, node: ast.ImportFrom) -> list[ast.stmt]:
        """Returns the definitions that an import binds, and keeps the rest of the import."""
        made: list[ast.stmt] = []
        kept: list[ast.alias] = []
        source = self._package.imported_module(module, node)
        definitions = self._package.definitions(source)
        for alias in node.names:
            known = definitions is not None and alias.name in definitions
            if not known or alias.asname not in (None, alias.name):
                kept.append(alias)
            else:
                made += self.resolve(source, alias.name)
        if kept:
            self._keep(ast.ImportFrom(node.module, kept, node.level))
        return made

    def _keep(self, node: ast.Import | ast.ImportFrom) -> None:
        text = ast.unparse(node)
        self.imports.setdefault(text, node)
        self._bind(bound_names(node), text if isinstance(node, ast.Import) else node.module or "")

    def _bind(self, names: set[str], origin: str) -> None:
        """Notes which module gives names their meaning."""
        for name in names:
            self.is_ambiguous |= self._owners.setdefault(name, origin) != origin
