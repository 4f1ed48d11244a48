"""The outline of an environment of the native dialect: what its module defines, by name.

Types, schemas and the bodies of functions are not read. The outline alone tells how an environment is listed.
"""

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from codegym_mcp.environment_definition.environment_metadata import Meta, read_meta
from codegym_mcp.environment_definition.source_definitions import SourceDefinitions, definitions_by_name
from codegym_mcp.environment_definition.tool_methods import FINAL_STATE
from codegym_mcp.errors import SourceError
from codegym_mcp.source_parsing import check_strings

_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class NativeOutline:
    """What a module of the native dialect defines.

    Attributes:
        name: the environment's name.
        meta: the content of `META`.
        definitions: the functions and classes of the module, without the types of its TypedDict classes.
        cls: the class `Environment`.
        methods: the methods of `Environment`, by name.
        tools: those of them that are tools.
        template: the task text.
    """

    name: str
    meta: Meta
    definitions: SourceDefinitions
    cls: ast.ClassDef
    methods: Mapping[str, ast.FunctionDef]
    tools: tuple[ast.FunctionDef, ...]
    template: str

    @classmethod
    def read(cls, tree: ast.Module, source: str, *, name: str, path: str) -> Self:
        """Reads the outline of a module.

        Args:
            tree: the syntax tree of `source`.
            source: the text of the file.
            name: the environment's name.
            path: how error messages name the source.

        Raises:
            SourceError: a part of the module is missing or breaks the contract; the error names the line.
        """
        if not _NAME.fullmatch(name):
            problem = f"{name!r} is not a valid name for an environment"
            raise SourceError(path, None, problem, hint="Use lower-case letters, digits and underscores.")
        check_strings(tree, source, path)
        meta = read_meta(tree, path)
        definitions = SourceDefinitions.of(tree, {}, path)
        environment = _environment_class(definitions)
        methods = definitions_by_name(environment.body, ast.FunctionDef, path)
        return cls(
            name=name,
            meta=meta,
            definitions=definitions,
            cls=environment,
            methods=methods,
            tools=_tool_methods(definitions, environment, methods),
            template=_task_text(definitions, tree),
        )

    def check_functions(self) -> None:
        """Checks the parameters of the functions that play and that generate tasks.

        Raises:
            SourceError: `solve` is missing, or one of the functions has other parameters.
        """
        self.definitions.function("solve", ["tools", *self.meta.public], by_position=1)
        if self.generates:
            self.definitions.function("generate", ["random", "difficulty"], by_position=2)

    @property
    def generates(self) -> bool:
        """Whether tasks can be generated from a difficulty and a seed."""
        return "generate" in self.definitions.functions


def _environment_class(definitions: SourceDefinitions) -> ast.ClassDef:
    cls = definitions.classes.get("Environment")
    if cls is None:
        raise definitions.error(
            None, "the class Environment is missing", "Define it; its public methods are the tools."
        )
    if cls.bases:
        raise definitions.error(
            cls, "Environment has a base class", "Define all tools in Environment itself."
        )
    return cls


def _tool_methods(
    definitions: SourceDefinitions, cls: ast.ClassDef, methods: Mapping[str, ast.FunctionDef]
) -> tuple[ast.FunctionDef, ...]:
    tools = tuple(node for name, node in methods.items() if name[0] != "_" and name != FINAL_STATE)
    if not tools:
        raise definitions.error(
            cls, "Environment has no public method", "Define one; each public method is a tool."
        )
    return tools


def _task_text(definitions: SourceDefinitions, tree: ast.Module) -> str:
    text = ast.get_docstring(tree)
    if not text:
        node = tree.body[0] if tree.body else None
        raise definitions.error(node, "the task text is missing", "Write it as the docstring of the module.")
    return text
