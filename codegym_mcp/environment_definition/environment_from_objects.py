"""Writes the source of an environment from a class and functions in memory; they are read, never called."""

import ast
import builtins
import inspect
import re
import symtable
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from codegym_mcp.errors import SourceError
from codegym_mcp.sandbox.language.allowed_modules import ALLOWED_MODULES
from codegym_mcp.source_parsing import parse_source

Definition = type | Callable[..., Any]
_UNKNOWN: Any = object()
_NEEDS_ESCAPES = re.compile(r"""[\x00-\x09\x0b-\x1f\x7f\\\ud800-\udfff]|\"{3}|"$""")


@dataclass(frozen=True)
class EnvironmentObjects:
    """The parts of an environment, as for `Environment.from_objects`."""

    name: str
    tools: type
    functions: Mapping[str, Callable[..., Any]]
    """`reference`, `solve` and the other functions of the contract, by the name that they get."""
    text: str
    helpers: Sequence[Definition] = ()
    meta: Mapping[str, Any] | None = None

    def source(self) -> str:
        """Returns the source of the environment.

        Imports of allowed modules and constants that the objects use are added.

        Raises:
            SourceError: the source text of an object is not available, two objects have the same name, or an
                object uses a name that is not available in the environment.
        """
        definitions = self._definitions()
        new_names = {old.__name__: new for new, old in definitions.items()}
        if len(new_names) < len(definitions):
            raise self._error("two of the objects have the same name", "Rename one of them.")
        parts = [_definition_source(old, new, new_names, self._path) for new, old in definitions.items()]
        body = "\n\n\n".join(parts)
        context = "\n".join(self._context(body, list(definitions.values())))
        head = f"{_string_source(self.text)}\n\nMETA = {self._meta()}"
        return "\n\n".join(filter(None, [head, context, body])) + "\n"

    @property
    def _path(self) -> str:
        return f"<{self.name}>"

    def _error(self, problem: str, hint: str) -> SourceError:
        return SourceError(self._path, None, problem, hint=hint)

    def _definitions(self) -> dict[str, Definition]:
        """Returns the objects by the names that they get in the source."""
        found: dict[str, Definition] = {}
        for helper in self.helpers:
            name = getattr(helper, "__name__", "")
            if name in found or name == "Environment" or name in self.functions:
                problem = f"a helper cannot have the name {name!r}, which another object has"
                raise self._error(problem, "Rename the helper.")
            found[name] = helper
        return {
            **found,
            "Environment": self.tools,
            **self.functions,
        }

    def _meta(self) -> str:
        meta = {"title": self.name.replace("_", " ").capitalize(), **(self.meta or {})}
        if _literal(meta) is None:
            raise self._error("a value in meta is not a literal", "Use plain dicts, lists and strings.")
        return _literal(meta) or ""

    def _context(self, body: str, definitions: Sequence[Definition]) -> Iterator[str]:
        """Yields the imports and constants that the definitions need."""
        scopes = [_namespace(definition) for definition in definitions]
        for name in _unknown_names(body, self._path):
            value = next((scope[name] for scope in scopes if name in scope), _UNKNOWN)
            statement = None if value is _UNKNOWN else _statement(name, value)
            if statement is None:
                line = next(
                    node.lineno
                    for node in ast.walk(ast.parse(body))
                    if isinstance(node, ast.Name) and node.id == name
                )
                # Not at other line separators, which may occur in texts.
                text = body.split("\n")[line - 1].strip()
                raise self._error(
                    f"the name {name} is not available in the environment: {text}",
                    "Add the function or class to helpers.",
                )
            yield statement


def _definition_source(definition: Definition, name: str, new_names: Mapping[str, str], path: str) -> str:
    """Returns the source text of a class or function, in which the objects have their new names."""
    old = getattr(definition, "__name__", repr(definition))
    try:
        text = textwrap.dedent(inspect.getsource(definition)).rstrip()
    except (OSError, TypeError):
        raise SourceError(
            path,
            None,
            f"the source text of {old} is not available",
            hint="Define it in a file or a notebook cell, or use Environment.from_source.",
        ) from None
    tree = parse_source(text, f"{path} {old}")
    match tree.body:
        case [ast.FunctionDef() | ast.ClassDef() as node] if node.name == old:
            return _rename(text, tree, node, name, new_names)
    raise SourceError(
        path, None, f"{old} is not defined by def or class", hint="Write it as a function or a class."
    )


def _rename(
    text: str, tree: ast.Module, node: ast.FunctionDef | ast.ClassDef, name: str, new_names: Mapping[str, str]
) -> str:
    lines = text.encode().splitlines(keepends=True)
    used = [part for part in ast.walk(tree) if isinstance(part, ast.Name) and part.id in new_names]
    for part in sorted(used, key=lambda part: (part.lineno, part.col_offset), reverse=True):
        line = lines[part.lineno - 1]
        before, after = line[: part.col_offset], line[part.col_offset + len(part.id.encode()) :]
        lines[part.lineno - 1] = before + new_names[part.id].encode() + after
    head = re.compile(rb"\b(def|class)(\s+)" + node.name.encode() + rb"\b")
    lines[node.lineno - 1] = head.sub(rb"\1\2" + name.encode(), lines[node.lineno - 1], count=1)
    return b"".join(lines).decode()


def _namespace(definition: Definition) -> Mapping[str, Any]:
    """Returns the global names that a class or function sees."""
    module = sys.modules.get(definition.__module__)
    own: Mapping[str, Any] = getattr(definition, "__globals__", {})
    return own or (vars(module) if module is not None else {})


def _unknown_names(source: str, path: str) -> list[str]:
    """Returns the names that a module uses and neither defines nor finds among Python's built-in names."""
    module = symtable.symtable(source, path, "exec")
    defined = {symbol.get_name() for symbol in module.get_symbols() if symbol.is_assigned()}
    used: set[str] = set()
    pending = [module]
    while pending:
        table = pending.pop()
        pending += table.get_children()
        used |= {
            symbol.get_name()
            for symbol in table.get_symbols()
            if symbol.is_referenced() and (symbol.is_global() or table is module)
        }
    return sorted(used - defined - set(dir(builtins)))


def _statement(name: str, value: Any) -> str | None:
    """Returns the import or assignment that gives a name its value, or None if there is no such statement."""
    if isinstance(value, ModuleType):
        known = value.__name__ in ALLOWED_MODULES and name == value.__name__
        return f"import {name}" if known else None
    for module, members in sorted(ALLOWED_MODULES.items()):
        homes = (module, "typing_extensions") if module == "typing" else (module,)
        if name in members and any(getattr(sys.modules.get(home), name, _UNKNOWN) is value for home in homes):
            return f"from {module} import {name}"
    literal = _literal(value)
    return None if literal is None else f"{name} = {literal}"


def _literal(value: Any) -> str | None:
    """Returns a value as a Python literal, or None if it has none."""
    text = repr(value)
    try:
        return text if ast.literal_eval(text) == value else None
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None


def _string_source(text: str) -> str:
    return repr(text) if _NEEDS_ESCAPES.search(text) else f'"""{text}"""'
