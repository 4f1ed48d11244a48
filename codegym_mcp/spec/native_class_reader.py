"""Reads the syntax tree of an environment of the native dialect; nothing of it is executed.

The contract is described in docs/environments.md.
"""

import ast
import re
from collections.abc import Iterable
from dataclasses import replace

from codegym_mcp.errors import SourceError
from codegym_mcp.sandbox.process.source_by_role import EnvironmentProgram
from codegym_mcp.source_parsing import check_strings, nesting_error
from codegym_mcp.spec.annotations import SUPPORTED, AnnotationError, read_records
from codegym_mcp.spec.configuration_parameters import CONFIG, read_configuration
from codegym_mcp.spec.environment import Environment, template_names
from codegym_mcp.spec.environment_metadata import Meta, read_meta
from codegym_mcp.spec.scoring_contract import ScoringContract
from codegym_mcp.spec.source_definitions import SourceDefinitions, definitions_by_name
from codegym_mcp.spec.tool_methods import FINAL_STATE, read_tool
from codegym_mcp.spec.tools import Tool

_NAME = re.compile(r"[a-z][a-z0-9_]*")


def read_native(tree: ast.Module, source: str, *, name: str, path: str, check: bool = True) -> Environment:
    """Reads an environment of the native dialect.

    Args:
        tree: the syntax tree of `source`; it is changed.
        source: the text of the file.
        name: the environment's name.
        path: how error messages name the source.
        check: whether to check the whole contract; otherwise only what describes the environment. The
            language policy is then checked when code is needed.

    Raises:
        SourceError: the source breaks the contract or the language policy; the error names the line and says
            how to correct it.
    """
    if not _NAME.fullmatch(name):
        problem = f"{name!r} is not a valid name for an environment"
        raise SourceError(path, None, problem, hint="Use lower-case letters, digits and underscores.")
    check_strings(tree, source, path)
    try:
        environment = _Reader(tree, name, path, check).read(EnvironmentProgram(path, source))
    except AnnotationError as error:
        raise SourceError(path, error.line, error.text, hint=f"Supported: {SUPPORTED}.") from None
    except RecursionError:
        raise nesting_error(tree, path) from None
    if check:
        environment.program.compile(tree)
    return environment


class _Reader:
    def __init__(self, tree: ast.Module, name: str, path: str, check: bool) -> None:
        self._check = check
        self._name = name
        self._path = path
        self._tree = tree
        self._meta = read_meta(tree, path)
        self._definitions = SourceDefinitions.of(tree, read_records(tree), path, check_schemas=check)
        self._error = self._definitions.error

    def read(self, program: EnvironmentProgram) -> Environment:
        meta = self._meta
        cls = self._environment_class()
        methods = definitions_by_name(cls.body, ast.FunctionDef, self._path)
        configuration, one_config = read_configuration(self._definitions, cls, methods.get("__init__"))
        names = [parameter.name for parameter in configuration.parameters]
        template = self._template(meta, names)
        scoring = ScoringContract.read(
            self._definitions, meta, [CONFIG] if one_config else names, methods.get(FINAL_STATE)
        )
        self._definitions.function("solve", ["tools", *meta.public], by_position=1)
        if "generate" in self._definitions.functions:
            self._definitions.function("generate", ["random", "difficulty"], by_position=2)
        return Environment(
            name=self._name,
            title=meta.title,
            tags=tuple(meta.tags),
            license=meta.license,
            origin=meta.source,
            template=template,
            public=tuple(meta.public),
            tools=self._tools(cls, methods.values()),
            submission=scoring.submission,
            answer=scoring.answer,
            configuration=configuration,
            program=replace(program, one_config=one_config),
            judge=scoring.judge,
            generates="generate" in self._definitions.functions,
            judge_errors=meta.judge_errors,
            final_state=scoring.final_state,
            names_mistakes=scoring.names_mistakes,
        )

    def _environment_class(self) -> ast.ClassDef:
        cls = self._definitions.classes.get("Environment")
        if cls is None:
            raise self._error(
                None, "the class Environment is missing", "Define it; its public methods are the tools."
            )
        if cls.bases:
            raise self._error(cls, "Environment has a base class", "Define all tools in Environment itself.")
        return cls

    def _tools(self, cls: ast.ClassDef, methods: Iterable[ast.FunctionDef]) -> tuple[Tool, ...]:
        tools = tuple(
            read_tool(node, self._definitions.records, self._path, check=self._check)
            for node in methods
            if node.name[0] != "_" and node.name != FINAL_STATE
        )
        if not tools:
            raise self._error(
                cls, "Environment has no public method", "Define one; each public method is a tool."
            )
        if self._check:
            self._refuse_hidden_methods(cls, {tool.name for tool in tools} | {FINAL_STATE})
        return tools

    def _refuse_hidden_methods(self, cls: ast.ClassDef, names: set[str]) -> None:
        for node in ast.walk(cls):
            match node:
                case ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Store()) if name in names:
                    kind = "the method" if name == FINAL_STATE else "the tool"
                    raise self._error(node, f"self.{name} hides {kind} {name}", "Rename one of them.")

    def _template(self, meta: Meta, names: list[str]) -> str:
        text = ast.get_docstring(self._tree)
        node = self._tree.body[0] if self._tree.body else None
        if not text:
            raise self._error(node, "the task text is missing", "Write it as the docstring of the module.")
        for name in meta.public:
            if name not in names:
                raise self._error(
                    self._definitions.classes["Environment"],
                    f"META lists {name!r} as public, but __init__ has no such parameter",
                    "Public values are parameters of __init__, or fields of Config.",
                )
        try:
            used = template_names(text)
        except ValueError as error:
            raise self._error(
                node,
                f"the task text is not valid: {error}",
                "Double every brace that does not enclose a public name.",
            ) from None
        for name in used:
            if name not in meta.public:
                raise self._error(
                    node,
                    f"the task text uses {{{name}}}, which is not public",
                    "Add the name to public in META.",
                )
        return text
