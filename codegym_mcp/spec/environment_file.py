"""Reads one environment file of the project's own contract; nothing of it is executed.

The contract is described in docs/environments.md.
"""

import ast
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

from codegym_mcp.errors import SourceError
from codegym_mcp.sandbox.language.restricted_python import parse
from codegym_mcp.sandbox.process.environment_program import EnvironmentProgram
from codegym_mcp.spec.annotations import SUPPORTED, AnnotationError, read_annotation, read_records
from codegym_mcp.spec.answer_comparison import AnswerType
from codegym_mcp.spec.docstrings import parse_docstring
from codegym_mcp.spec.environment import Environment, Judge, template_names
from codegym_mcp.spec.environment_metadata import Meta, read_meta
from codegym_mcp.spec.read_only_tools import is_read_only
from codegym_mcp.spec.signatures import read_parameters, refuse_stars
from codegym_mcp.spec.tools import Parameter, Receipt, Tool

SUBMIT = "submit_answer"
Definition = TypeVar("Definition", ast.FunctionDef, ast.ClassDef)
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_TOOL_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")

_PURPOSE = {
    "reference": "It computes the right answer; its parameters are those of Environment.__init__.",
    "solve": "It is the oracle; its parameters are the tools and the public values.",
    "accepts": "It judges an answer; its parameters are the answer and the configuration.",
    "generate": "It makes tasks; its parameters are a random.Random and the difficulty.",
}
"""What the functions of an environment are for."""


def read_environment(path: Path) -> Environment:
    """Reads an environment file.

    Raises:
        SourceError: the file cannot be read, or breaks the contract; the error names the line and the way
            to mend it.
    """
    return read_environment_source(read_source(path), name=path.stem, path=str(path))


def read_source(path: Path) -> str:
    """The text of a source file.

    Raises:
        SourceError: it cannot be read, or is not UTF-8.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            return file.read()
    except OSError as error:
        raise SourceError(str(path), None, f"cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise SourceError(str(path), line, "is not UTF-8 text", hint="Save it as UTF-8.") from None


def read_environment_source(source: str, *, name: str, path: str) -> Environment:
    """Reads an environment from its source.

    Args:
        source: the text of the file.
        name: the environment's name.
        path: how error messages name the source.

    Raises:
        SourceError: it breaks the contract.
    """
    if not _NAME.fullmatch(name):
        raise SourceError(path, None, f"{name!r} is no name for an environment", hint="Use lower_case_words.")
    return _Reader(source, name, path).read()


class _Reader:
    def __init__(self, source: str, name: str, path: str) -> None:
        self._name = name
        self._path = path
        self._program = EnvironmentProgram(path=path, source=source)
        self._tree = parse(source, path)
        self._functions = self._by_name(self._tree.body, ast.FunctionDef)
        self._classes = self._by_name(self._tree.body, ast.ClassDef)
        self._records: Mapping[str, Any] = {}

    def read(self) -> Environment:
        try:
            return self._read()
        except AnnotationError as error:
            raise SourceError(self._path, error.line, error.text, hint=f"Supported: {SUPPORTED}.") from None
        except RecursionError:
            raise self._error(None, "nested too deeply to be read", "Write it in a simpler way.") from None

    def _read(self) -> Environment:
        self._check_text()
        meta = read_meta(self._tree, self._path)
        self._program.check()
        self._records = read_records(self._tree)
        cls = self._environment_class()
        configuration = self._configuration(cls)
        names = [parameter.name for parameter in configuration.parameters]
        template = self._template(meta, names)
        answer = self._answer(meta, names)
        judge: Judge = "reference"
        self._check_parameters("solve", ["tools", *meta.public], by_position=1)
        if "accepts" in self._functions:
            judge = "accepts"
            self._check_parameters("accepts", ["answer", *names], by_position=1)
        if "generate" in self._functions:
            self._check_parameters("generate", ["random", "difficulty"], by_position=2)
        tools = tuple(self._tool(node) for name, node in self._methods(cls).items() if name[0] != "_")
        if not tools:
            raise self._error(cls, "Environment has no public method", "Each public method is a tool.")
        self._refuse_hidden(cls, tools)
        return Environment(
            name=self._name,
            title=meta.title,
            tags=tuple(meta.tags),
            license=meta.license,
            origin=meta.source,
            template=template,
            public=tuple(meta.public),
            tools=tools,
            submission=_submission(answer),
            answer=answer,
            configuration=configuration,
            program=self._program,
            judge=judge,
            generates="generate" in self._functions,
        )

    def _error(self, node: ast.AST | None, problem: str, hint: str = "") -> SourceError:
        return SourceError(self._path, getattr(node, "lineno", None), problem, hint=hint)

    def _by_name(self, body: Iterable[ast.stmt], kind: type[Definition]) -> dict[str, Definition]:
        found: dict[str, Definition] = {}
        for node in body:
            if isinstance(node, kind):
                if node.name in found:
                    raise self._error(node, f"{node.name} stands here again", "Keep one.")
                found[node.name] = node
        return found

    def _methods(self, cls: ast.ClassDef) -> dict[str, ast.FunctionDef]:
        return self._by_name(cls.body, ast.FunctionDef)

    def _check_text(self) -> None:
        """Schemas and task texts are made of the file's strings, and they travel as JSON."""
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                try:
                    node.value.encode()
                except UnicodeEncodeError:
                    raise self._error(
                        node,
                        "the text holds half of a surrogate pair",
                        "JSON cannot carry it; write the whole character.",
                    ) from None

    def _environment_class(self) -> ast.ClassDef:
        cls = self._classes.get("Environment")
        if cls is None:
            raise self._error(None, "there is no class Environment", "Its public methods are the tools.")
        if cls.bases:
            raise self._error(cls, "Environment has a base class", "Write all tools into Environment itself.")
        return cls

    def _refuse_hidden(self, cls: ast.ClassDef, tools: Iterable[Tool]) -> None:
        names = {tool.name for tool in tools}
        for node in ast.walk(cls):
            match node:
                case ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Store()) if name in names:
                    raise self._error(
                        node, f"self.{name} hides the tool {name}", "Give one of them another name."
                    )

    def _template(self, meta: Meta, names: list[str]) -> str:
        text = ast.get_docstring(self._tree)
        node = self._tree.body[0] if self._tree.body else None
        if not text:
            raise self._error(
                node, "there is no task text", "The module's docstring is what the agent is told."
            )
        for name in meta.public:
            if name not in names:
                raise self._error(
                    self._classes["Environment"],
                    f"META calls {name!r} public, but __init__ does not take it",
                    "Public values are parameters of __init__.",
                )
        try:
            used = template_names(text)
        except ValueError as error:
            raise self._error(
                node, f"the task text is wrong: {error}", "Double the braces that are not a public value's."
            ) from None
        for name in used:
            if name not in meta.public:
                raise self._error(
                    node, f"the task text tells {{{name}}}, which is not public", "Add it to META's public."
                )
        return text

    def _configuration(self, cls: ast.ClassDef) -> Tool:
        init = self._methods(cls).get("__init__")
        if init is None:
            raise self._error(cls, "Environment has no __init__", "Its parameters are the configuration.")
        if init.decorator_list:
            raise self._error(init, "__init__ has a decorator", "Make it a plain method.")
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
            raise self._error(node, "reference says no type of answer", "Annotate what it returns.")
        annotation = read_annotation(node.returns, self._records)
        if meta.answer.order == "any" and get_origin(annotation) is not list:
            raise self._error(
                node, "META's answer order is 'any', but the answer is no list", "Let it return list[…]."
            )
        return AnswerType(annotation, any_order=meta.answer.order == "any", tolerance=meta.answer.tolerance)

    def _check_parameters(self, name: str, expected: list[str], *, by_position: int = 0) -> ast.FunctionDef:
        """Finds a function and checks that it can be called, the first `by_position` by position."""
        node = self._functions.get(name)
        wanted = ", ".join(expected)
        if node is None:
            raise self._error(None, f"there is no function {name}({wanted})", _PURPOSE[name])
        refuse_stars(node, self._path)
        positional = [argument.arg for argument in node.args.args]
        named = [argument.arg for argument in node.args.kwonlyargs]
        if (
            sorted(positional + named) != sorted(expected)
            or positional[:by_position] != expected[:by_position]
        ):
            taken = ", ".join([*positional, *(["*"] if named else []), *named])
            raise self._error(node, f"{name} takes ({taken}), not ({wanted})", _PURPOSE[name])
        return node

    def _tool(self, node: ast.FunctionDef) -> Tool:
        if node.name == SUBMIT:
            raise self._error(
                node, f"{SUBMIT} is the name of the submission", "Call the tool something else."
            )
        if not _TOOL_NAME.fullmatch(node.name):
            raise self._error(
                node,
                f"{node.name!r} is no name for a tool",
                "Use ASCII letters, digits and underscores, at most 64 of them.",
            )
        if node.decorator_list:
            raise self._error(node, f"the tool {node.name} has a decorator", "Tools are plain methods.")
        words = parse_docstring(ast.get_docstring(node))
        if not words.description:
            raise self._error(node, f"the tool {node.name} has no docstring", "Tell the agent what it does.")
        if node.returns is None:
            raise self._error(
                node, f"the tool {node.name} says no type of result", "Annotate what it returns."
            )
        return Tool(
            name=node.name,
            title=_title(node.name),
            description=words.description + (f"\n\nReturns: {words.returns}" if words.returns else ""),
            parameters=read_parameters(node, words, self._records, self._path),
            returns=read_annotation(node.returns, self._records),
            read_only=is_read_only(node),
        )


def _submission(answer: AnswerType) -> Tool:
    kinds = [answer.annotation, *get_args(answer.annotation)]
    order = (
        " The order does not matter."
        if answer.any_order or any(get_origin(kind) is set for kind in kinds)
        else ""
    )
    return Tool(
        name=SUBMIT,
        title="Submit answer",
        description="Submit the final answer. The first valid submission ends the episode.",
        parameters=(Parameter("answer", answer.annotation, f"The final answer.{order}"),),
        returns=Receipt,
    )


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()
