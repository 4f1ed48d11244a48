"""The functions and classes of an environment's source, and the checks of their parameters."""

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from codegym_mcp.environment_definition.signatures import refuse_stars
from codegym_mcp.errors import SourceError

_Definition = TypeVar("_Definition", ast.FunctionDef, ast.ClassDef)

_PURPOSES = {
    "reference": "It computes the correct answer; its parameters are those of Environment.__init__.",
    "solve": "It is the oracle; its parameters are the tools and the public values.",
    "accepts": "It judges a submission; its parameters are the answer, the state and the configuration.",
    "generate": "It generates tasks; its parameters are a random.Random and the difficulty.",
    "mistakes": "It names misunderstandings; its parameters are those of Environment.__init__.",
}
"""The purpose of each function of an environment."""


@dataclass(frozen=True)
class SourceDefinitions:
    """The functions and classes of a module.

    Attributes:
        path: how error messages name the source.
        functions: the functions by name.
        classes: the classes by name.
        records: the types of the TypedDict classes by name.
    """

    path: str
    functions: Mapping[str, ast.FunctionDef]
    classes: Mapping[str, ast.ClassDef]
    records: Mapping[str, Any]

    @classmethod
    def of(cls, tree: ast.Module, records: Mapping[str, Any], path: str) -> "SourceDefinitions":
        """Finds the definitions of a module.

        Raises:
            SourceError: a definition is asynchronous, or two have the same name.
        """
        functions = definitions_by_name(tree.body, ast.FunctionDef, path)
        classes = definitions_by_name(tree.body, ast.ClassDef, path)
        return cls(path, functions, classes, records)

    def error(self, node: ast.AST | None, problem: str, hint: str = "") -> SourceError:
        """Returns an error that names the line of a node."""
        return SourceError(self.path, getattr(node, "lineno", None), problem, hint=hint)

    def function(self, name: str, expected: Sequence[str], *, by_position: int = 0) -> ast.FunctionDef:
        """Returns a function after checking its parameters, the first `by_position` also by their order.

        Raises:
            SourceError: the function is missing, or it has other parameters.
        """
        node = self.functions.get(name)
        wanted = ", ".join(expected)
        if node is None:
            raise self.error(None, f"the function {name}({wanted}) is missing", _PURPOSES[name])
        refuse_stars(node, self.path)
        positional = [argument.arg for argument in node.args.args]
        named = [argument.arg for argument in node.args.kwonlyargs]
        if sorted(positional + named) != sorted(expected) or positional[:by_position] != list(
            expected[:by_position]
        ):
            taken = ", ".join([*positional, *(["*"] if named else []), *named])
            raise self.error(node, f"{name} takes ({taken}), not ({wanted})", _PURPOSES[name])
        return node


def definitions_by_name(
    body: Iterable[ast.stmt], kind: type[_Definition], path: str
) -> dict[str, _Definition]:
    """Returns the functions or classes of a module or a class by name.

    Raises:
        SourceError: a definition is asynchronous, or two have the same name.
    """
    found: dict[str, _Definition] = {}
    for node in body:
        if isinstance(node, ast.AsyncFunctionDef):
            raise SourceError(path, node.lineno, f"{node.name} is asynchronous", hint="Remove async.")
        if isinstance(node, kind):
            if node.name in found:
                problem = f"{node.name} is defined twice"
                raise SourceError(path, node.lineno, problem, hint="Remove one of the definitions.")
            found[node.name] = node
    return found
