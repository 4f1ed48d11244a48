"""Reads the syntax tree of a class in the CodeGym format; nothing of it is executed.

The format is that of arXiv 2509.17325: a class with `func_mapping`, one method for each tool, `step`, `Done`,
`get_ref_answer` and `solve`, and the options of its tasks in texts of the form `Name@{…}`.
"""

import ast
import math
import re
from collections.abc import Iterator
from typing import Optional

from codegym_mcp.answer_scoring.answer_comparison import AnswerType
from codegym_mcp.environment_definition.codegym_format.codegym_environment import CodegymEnvironment
from codegym_mcp.environment_definition.codegym_format.declared_types import (
    declared_type,
    mentions_infinity,
    takes_infinity,
    with_infinity,
)
from codegym_mcp.environment_definition.codegym_format.format_recognition import mapping_of
from codegym_mcp.environment_definition.codegym_format.main_block_tasks import find_cases
from codegym_mcp.environment_definition.codegym_format.task_options import options_task, parse_options
from codegym_mcp.environment_definition.codegym_format.task_texts import SUBMISSION, task_template, title_of
from codegym_mcp.environment_definition.docstrings import Docstring, parse_docstring
from codegym_mcp.environment_definition.environment import Environment, Judge, Task
from codegym_mcp.environment_definition.tools import NO_DEFAULT, Parameter, Receipt, Tool
from codegym_mcp.errors import SourceError
from codegym_mcp.sandbox.language.environment_dialects import Dialect
from codegym_mcp.sandbox.process.process_role_code import EnvironmentProgram
from codegym_mcp.source_parsing import check_strings, nesting_error, parse_source

_REQUIRED = ("reset", "get_ref_answer", "solve")
_LICENSE = re.compile(r"^#.*?(?:SPDX-License-Identifier:|Licensed under)\s*(?:the )?(.+?)\.?$", re.MULTILINE)
_CONFIGURATION = Tool(
    name="configuration",
    title="Configuration",
    description="",
    parameters=(Parameter("options", str, "The options, as a Python literal."),),
    returns=None,
)


def read_codegym_source(
    source: str, *, name: str, path: str, origin: str = "", check: bool = True
) -> Environment:
    """Reads an environment from source text in the CodeGym format.

    Args, Returns, Raises: as `read_codegym`.
    """
    tree = parse_source(source, path)
    return read_codegym(tree, source, name=name, path=path, origin=origin, check=check)


def read_codegym(
    tree: ast.Module, source: str, *, name: str, path: str, origin: str = "", check: bool = True
) -> Environment:
    """Reads an environment in the CodeGym format.

    Args:
        tree: the syntax tree of `source`; it is changed.
        source: the text of the file.
        name: the environment's name. If the source contains several such classes, the name ends with the name
            of the class to read.
        path: how error messages name the source.
        origin: where the environment or its problem comes from.
        check: whether to check the language policy; otherwise it is checked when code is needed.

    Returns:
        The environment with the tasks of its `__main__` block.

    Raises:
        SourceError: the source is not in the format, or the language policy refuses it.
    """
    check_strings(tree, source, path)
    try:
        environment = _Reader(tree, source, name, path).read(origin)
    except RecursionError:
        raise nesting_error(tree, path) from None
    if check:
        environment.program.compile(tree)
    return environment


class _Reader:
    def __init__(self, tree: ast.Module, source: str, name: str, path: str) -> None:
        self._tree = tree
        self._source = source
        self._name = name
        self._path = path
        self._class, self._mapping = self._choose_class()
        self._methods = {node.name: node for node in self._class.body if isinstance(node, ast.FunctionDef)}
        # A reference may count from infinity and never return it; any other mention may pass it on.
        self._infinite = any(
            mentions_infinity(node) for name, node in self._methods.items() if name != "get_ref_answer"
        )

    def read(self, origin: str) -> Environment:
        for name in _REQUIRED:
            if name not in self._methods:
                raise self._error(self._class, f"{self._class.name} has no method {name}")
        submission = self._submission()
        tools = tuple(self._tool(name) for name in self._tool_names())
        title = title_of(self._class.name.removesuffix("Env") or self._class.name)
        program = EnvironmentProgram(
            path=self._path,
            source=self._source,
            dialect=Dialect.CODEGYM,
            entry=self._class.name,
            infinite=self._infinite_parameters((*tools, submission)),
        )
        about = parse_docstring(ast.get_docstring(self._class)).description
        licensed = _LICENSE.search(self._source[: self._source.find("\nclass ")])
        return CodegymEnvironment(
            name=self._name,
            title=title,
            tags=("codegym",),
            license=licensed.group(1) if licensed else "",
            origin=origin,
            template=task_template(about or f"{title}.", tools, submission),
            public=(),
            tools=tools,
            submission=submission,
            answer=AnswerType(submission.parameters[0].annotation),
            configuration=_CONFIGURATION,
            program=program,
            judge=Judge.DONE,
            generates=False,
            tasks=tuple(self._tasks()),
        )

    def _error(self, node: ast.AST | None, problem: str, hint: str = "") -> SourceError:
        return SourceError(self._path, getattr(node, "lineno", None), problem, hint=hint)

    def _choose_class(self) -> tuple[ast.ClassDef, ast.Dict]:
        found = {
            node.name: (node, mapping)
            for node in self._tree.body
            if isinstance(node, ast.ClassDef) and (mapping := mapping_of(node)) is not None
        }
        if not found:
            raise self._error(
                None,
                "there is no class in the CodeGym format",
                "Such a class has func_mapping, step and Done.",
            )
        meant = [name for name in found if self._name.endswith(name)]
        if len(found) > 1 and not meant:
            raise self._error(
                None, f"there are several environments: {', '.join(found)}", "Write each in its own file."
            )
        return found[max(meant or found, key=len)]

    # --- tools

    def _tool_names(self) -> list[str]:
        mapping = self._mapping
        names = [
            key.value for key in mapping.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)
        ]
        if len(names) != len(mapping.keys):
            raise self._error(mapping, "func_mapping has a key that is not a string")
        for name in names:
            if name not in self._methods:
                raise self._error(mapping, f"func_mapping names {name}, but the class has no such method")
        if SUBMISSION not in names:
            raise self._error(mapping, f"func_mapping does not name {SUBMISSION}, so no answer can be given")
        tools = [name for name in dict.fromkeys(names) if name != SUBMISSION]
        if not tools:
            raise self._error(mapping, f"func_mapping names no tool except {SUBMISSION}")
        return tools

    def _tool(self, name: str) -> Tool:
        node = self._methods[name]
        docstring = parse_docstring(ast.get_docstring(node))
        returned = re.sub(r"^str\s*:\s*", "", docstring.returns)
        return Tool(
            name=name,
            title=title_of(name),
            description=docstring.description + (f"\n\nReturns: {returned}" if returned else ""),
            parameters=self._parameters(node, docstring),
            returns=str,
        )

    def _submission(self) -> Tool:
        node = self._methods[SUBMISSION]
        parameters = self._parameters(node, parse_docstring(ast.get_docstring(node)))
        if len(parameters) != 1:
            raise self._error(node, f"{SUBMISSION} has {len(parameters)} parameters, not one")
        return Tool(
            name=SUBMISSION,
            title=title_of(SUBMISSION),
            # The class's own description promises a verdict, which agents do not receive.
            description="Submit the final answer. The first valid submission ends the episode.",
            parameters=parameters,
            returns=Receipt,
        )

    def _parameters(self, node: ast.FunctionDef, docstring: Docstring) -> tuple[Parameter, ...]:
        if node.args.vararg or node.args.kwarg:
            raise self._error(node, f"{node.name} has * parameters, which have no schema")
        arguments = [*node.args.posonlyargs, *node.args.args]
        defaults: list[ast.expr | None] = [None] * (len(arguments) - len(node.args.defaults))
        pairs = list(zip(arguments, [*defaults, *node.args.defaults], strict=True))
        if not any(getattr(decorator, "id", "") == "staticmethod" for decorator in node.decorator_list):
            pairs = pairs[1:]
        pairs += zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
        return tuple(self._parameter(argument, default, docstring) for argument, default in pairs)

    def _parameter(self, argument: ast.arg, default: ast.expr | None, docstring: Docstring) -> Parameter:
        documented = docstring.arguments.get(argument.arg)
        annotation = declared_type(argument.annotation, documented.type if documented else "")
        text = documented.text if documented else ""
        value = NO_DEFAULT
        if isinstance(default, ast.Constant) and _is_json_scalar(default.value):
            value = default.value
            if value is None:
                annotation = Optional[annotation]  # noqa: UP045 - it may be Any
        if self._infinite and takes_infinity(annotation):
            shown = with_infinity(annotation)
            if shown == annotation:
                # The schema does not mention infinity, so the description does.
                text = f'{text} Infinity is written as "Infinity" or "-Infinity".'.strip()
            annotation = shown
        return Parameter(argument.arg, annotation, text, value)

    def _infinite_parameters(self, tools: tuple[Tool, ...]) -> dict[str, tuple[str, ...]]:
        if not self._infinite:
            return {}
        found = {
            tool.name: tuple(item.name for item in tool.parameters if takes_infinity(item.annotation))
            for tool in tools
        }
        return {name: parameters for name, parameters in found.items() if parameters}

    # --- tasks

    def _tasks(self) -> Iterator[Task]:
        seen = set()
        for text in find_cases(self._tree, self._class.name):
            try:
                task = options_task(parse_options(text))
            except ValueError:
                continue
            if task.id not in seen:
                seen.add(task.id)
                yield task


def _is_json_scalar(value: object) -> bool:
    return isinstance(value, str | int | None) or (isinstance(value, float) and math.isfinite(value))
