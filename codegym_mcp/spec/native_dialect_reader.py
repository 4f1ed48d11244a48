"""Reads the syntax tree of an environment of the native dialect; nothing of it is executed.

The contract is described in docs/environments.md.
"""

import ast
import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, get_origin

from codegym_mcp.errors import SourceError
from codegym_mcp.sandbox.process.code_by_role import EnvironmentProgram
from codegym_mcp.source_parsing import check_strings, nesting_error
from codegym_mcp.spec.annotations import SUPPORTED, AnnotationError, read_annotation, read_records
from codegym_mcp.spec.answer_comparison import AnswerType
from codegym_mcp.spec.environment import Environment, Judge, template_names
from codegym_mcp.spec.environment_metadata import JudgeErrors, Meta, read_meta
from codegym_mcp.spec.signatures import read_parameters, refuse_stars
from codegym_mcp.spec.tool_methods import check_schemas, read_tool, submission_tool
from codegym_mcp.spec.tools import Tool

_Definition = TypeVar("_Definition", ast.FunctionDef, ast.ClassDef)
_NAME = re.compile(r"[a-z][a-z0-9_]*")

_PURPOSES = {
    "reference": "It computes the correct answer; its parameters are those of Environment.__init__.",
    "solve": "It is the oracle; its parameters are the tools and the public values.",
    "accepts": "It judges an answer; its parameters are the answer and the configuration.",
    "generate": "It generates tasks; its parameters are a random.Random and the difficulty.",
}
"""The purpose of each function of an environment."""


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
    if not _NAME.fullmatch(name):
        problem = f"{name!r} is not a valid name for an environment"
        raise SourceError(path, None, problem, hint="Use lower-case letters, digits and underscores.")
    check_strings(tree, path)
    try:
        environment = _Reader(tree, name, path).read(EnvironmentProgram(path, source))
    except AnnotationError as error:
        raise SourceError(path, error.line, error.text, hint=f"Supported: {SUPPORTED}.") from None
    except RecursionError:
        raise nesting_error(tree, path) from None
    environment.program.compile(tree)
    return environment


class _Reader:
    def __init__(self, tree: ast.Module, name: str, path: str) -> None:
        self._name = name
        self._path = path
        self._tree = tree
        self._functions = self._by_name(self._tree.body, ast.FunctionDef)
        self._classes = self._by_name(self._tree.body, ast.ClassDef)
        self._records: Mapping[str, Any] = {}

    def read(self, program: EnvironmentProgram) -> Environment:
        meta = read_meta(self._tree, self._path)
        self._records = read_records(self._tree)
        cls = self._environment_class()
        configuration = self._configuration(cls)
        names = [parameter.name for parameter in configuration.parameters]
        template = self._template(meta, names)
        answer = self._answer(meta, names)
        submission = submission_tool(answer)
        check_schemas(submission, self._functions["reference"], self._path)
        judge = Judge.REFERENCE
        self._check_parameters("solve", ["tools", *meta.public], by_position=1)
        if "accepts" in self._functions:
            judge = Judge.ACCEPTS
            self._check_parameters("accepts", ["answer", *names], by_position=1)
        elif meta.judge_errors is not JudgeErrors.FAULT:
            raise self._error(
                None,
                "META has judge_errors, but accepts is missing",
                "Define accepts, or remove judge_errors.",
            )
        if "generate" in self._functions:
            self._check_parameters("generate", ["random", "difficulty"], by_position=2)
        tools = tuple(
            read_tool(node, self._records, self._path)
            for name, node in self._methods(cls).items()
            if name[0] != "_"
        )
        if not tools:
            raise self._error(
                cls, "Environment has no public method", "Define one; each public method is a tool."
            )
        self._refuse_hidden_tools(cls, tools)
        return Environment(
            name=self._name,
            title=meta.title,
            tags=tuple(meta.tags),
            license=meta.license,
            origin=meta.source,
            template=template,
            public=tuple(meta.public),
            tools=tools,
            submission=submission,
            answer=answer,
            configuration=configuration,
            program=program,
            judge=judge,
            generates="generate" in self._functions,
            judge_errors=meta.judge_errors,
        )

    def _error(self, node: ast.AST | None, problem: str, hint: str = "") -> SourceError:
        return SourceError(self._path, getattr(node, "lineno", None), problem, hint=hint)

    def _by_name(self, body: Iterable[ast.stmt], kind: type[_Definition]) -> dict[str, _Definition]:
        found: dict[str, _Definition] = {}
        for node in body:
            if isinstance(node, ast.AsyncFunctionDef):
                raise self._error(node, f"{node.name} is asynchronous", "Remove async.")
            if isinstance(node, kind):
                if node.name in found:
                    raise self._error(node, f"{node.name} is defined twice", "Remove one of the definitions.")
                found[node.name] = node
        return found

    def _methods(self, cls: ast.ClassDef) -> dict[str, ast.FunctionDef]:
        return self._by_name(cls.body, ast.FunctionDef)

    def _environment_class(self) -> ast.ClassDef:
        cls = self._classes.get("Environment")
        if cls is None:
            raise self._error(
                None, "the class Environment is missing", "Define it; its public methods are the tools."
            )
        if cls.bases:
            raise self._error(cls, "Environment has a base class", "Define all tools in Environment itself.")
        return cls

    def _refuse_hidden_tools(self, cls: ast.ClassDef, tools: Iterable[Tool]) -> None:
        names = {tool.name for tool in tools}
        for node in ast.walk(cls):
            match node:
                case ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Store()) if name in names:
                    raise self._error(node, f"self.{name} hides the tool {name}", "Rename one of them.")

    def _template(self, meta: Meta, names: list[str]) -> str:
        text = ast.get_docstring(self._tree)
        node = self._tree.body[0] if self._tree.body else None
        if not text:
            raise self._error(node, "the task text is missing", "Write it as the docstring of the module.")
        for name in meta.public:
            if name not in names:
                raise self._error(
                    self._classes["Environment"],
                    f"META lists {name!r} as public, but __init__ has no such parameter",
                    "Public values are parameters of __init__.",
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

    def _configuration(self, cls: ast.ClassDef) -> Tool:
        init = self._methods(cls).get("__init__")
        if init is None:
            raise self._error(
                cls, "Environment has no __init__", "Define it; its parameters are the configuration."
            )
        if init.decorator_list:
            raise self._error(init, "__init__ has a decorator", "Remove it.")
        return Tool(
            name="configuration",
            title="Configuration",
            description="",
            parameters=read_parameters(init, None, self._records, self._path),
            returns=None,
        )

    def _answer(self, meta: Meta, names: list[str]) -> AnswerType:
        node = self._check_parameters("reference", names)
        if node.returns is None:
            raise self._error(node, "reference has no return annotation", "Annotate the type of the answer.")
        annotation = read_annotation(node.returns, self._records)
        if meta.answer.order == "any" and get_origin(annotation) is not list:
            raise self._error(
                node,
                "META sets the answer's order to 'any', but the answer is not a list",
                "Return a list[…].",
            )
        return AnswerType(annotation, any_order=meta.answer.order == "any", tolerance=meta.answer.tolerance)

    def _check_parameters(self, name: str, expected: list[str], *, by_position: int = 0) -> ast.FunctionDef:
        """Returns a function after checking its parameters, the first `by_position` also by their order."""
        node = self._functions.get(name)
        wanted = ", ".join(expected)
        if node is None:
            raise self._error(None, f"the function {name}({wanted}) is missing", _PURPOSES[name])
        refuse_stars(node, self._path)
        positional = [argument.arg for argument in node.args.args]
        named = [argument.arg for argument in node.args.kwonlyargs]
        if (
            sorted(positional + named) != sorted(expected)
            or positional[:by_position] != expected[:by_position]
        ):
            taken = ", ".join([*positional, *(["*"] if named else []), *named])
            raise self._error(node, f"{name} takes ({taken}), not ({wanted})", _PURPOSES[name])
        return node
