"""Reads the syntax tree of an environment of the native dialect; nothing of it is executed.

The contract is described in docs/environments.md.
"""

import ast
from dataclasses import replace

from codegym_mcp.environment_definition.annotations import SUPPORTED, AnnotationError, read_records
from codegym_mcp.environment_definition.configuration_parameters import CONFIG, read_configuration
from codegym_mcp.environment_definition.environment import Environment, template_names
from codegym_mcp.environment_definition.native_outline import NativeOutline
from codegym_mcp.environment_definition.scoring_contract import ScoringContract
from codegym_mcp.environment_definition.tool_methods import FINAL_STATE, read_tool
from codegym_mcp.environment_definition.tools import Tool
from codegym_mcp.errors import SourceError
from codegym_mcp.sandbox.process.process_role_code import EnvironmentProgram
from codegym_mcp.source_parsing import nesting_error


def read_native(tree: ast.Module, source: str, *, name: str, path: str) -> Environment:
    """Reads an environment of the native dialect.

    Args:
        tree: the syntax tree of `source`; it is changed.
        source: the text of the file.
        name: the environment's name.
        path: how error messages name the source.

    Raises:
        SourceError: the source breaks the contract or the language policy; the error names the line and says
            how to correct it.
    """
    outline = NativeOutline.read(tree, source, name=name, path=path)
    try:
        environment = _Reader(tree, outline, path).read(EnvironmentProgram(path, source))
    except AnnotationError as error:
        raise SourceError(path, error.line, error.text, hint=f"Supported: {SUPPORTED}.") from None
    except RecursionError:
        raise nesting_error(tree, path) from None
    environment.program.compile(tree)
    return environment


class _Reader:
    def __init__(self, tree: ast.Module, outline: NativeOutline, path: str) -> None:
        self._outline = outline
        self._path = path
        self._tree = tree
        self._definitions = replace(outline.definitions, records=read_records(tree))
        self._error = self._definitions.error

    def read(self, program: EnvironmentProgram) -> Environment:
        outline, meta = self._outline, self._outline.meta
        configuration, one_config = read_configuration(
            self._definitions, outline.cls, outline.methods.get("__init__")
        )
        names = [parameter.name for parameter in configuration.parameters]
        self._check_template(names)
        scoring = ScoringContract.read(
            self._definitions, meta, [CONFIG] if one_config else names, outline.methods.get(FINAL_STATE)
        )
        outline.check_functions()
        return Environment(
            name=outline.name,
            title=meta.title,
            tags=tuple(meta.tags),
            license=meta.license,
            origin=meta.source,
            template=outline.template,
            public=tuple(meta.public),
            tools=self._tools(),
            submission=scoring.submission,
            answer=scoring.answer,
            configuration=configuration,
            program=replace(program, one_config=one_config),
            judge=scoring.judge,
            generates=outline.generates,
            judge_errors=meta.judge_errors,
            final_state=scoring.final_state,
            names_mistakes=scoring.names_mistakes,
        )

    def _tools(self) -> tuple[Tool, ...]:
        tools = tuple(read_tool(node, self._definitions.records, self._path) for node in self._outline.tools)
        self._refuse_hidden_methods({tool.name for tool in tools} | {FINAL_STATE})
        return tools

    def _refuse_hidden_methods(self, names: set[str]) -> None:
        for node in ast.walk(self._outline.cls):
            match node:
                case ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Store()) if name in names:
                    kind = "the method" if name == FINAL_STATE else "the tool"
                    raise self._error(node, f"self.{name} hides {kind} {name}", "Rename one of them.")

    def _check_template(self, names: list[str]) -> None:
        node = self._tree.body[0]
        public = self._outline.meta.public
        for name in public:
            if name not in names:
                raise self._error(
                    self._outline.cls,
                    f"META lists {name!r} as public, but __init__ has no such parameter",
                    "Public values are parameters of __init__, or fields of Config.",
                )
        try:
            used = template_names(self._outline.template)
        except ValueError as error:
            raise self._error(
                node,
                f"the task text is not valid: {error}",
                "Double every brace that does not enclose a public name.",
            ) from None
        for name in used:
            if name not in public:
                raise self._error(
                    node,
                    f"the task text uses {{{name}}}, which is not public",
                    "Add the name to public in META.",
                )
