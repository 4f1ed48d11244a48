"""Hidden values and variables, as expressions of the environment with holes that the caller fills."""

import ast
import copy
import re
from collections.abc import Sequence
from dataclasses import dataclass

from codegym_mcp.synthesis.program_tracing.value_shapes import Shape

HOLE = "@"
"""The first character of the names of holes in a hidden expression."""


@dataclass(frozen=True, eq=False)
class HiddenValue:
    """A value that only the environment can compute.

    Attributes:
        expression: how the environment computes it; holes are names that begin with `@`.
        holes: the expressions of the caller that fill the holes.
        shape: the shape of the value, or None if it is not known.
        raw: whether it is a hidden variable or a part of one, not something computed of it.
    """

    expression: ast.expr
    holes: tuple[ast.expr, ...]
    shape: Shape | None
    raw: bool

    @property
    def template(self) -> str:
        """The expression as text; equal templates differ only in what fills their holes."""
        return ast.unparse(self.expression)


@dataclass(frozen=True, eq=False)
class View:
    """A variable whose value the environment computes again from coordinates that the caller keeps.

    Attributes:
        template: the expression of the environment.
        coordinates: the caller's variables that fill the holes, in order.
        shape: the shape of the value.
    """

    template: ast.expr
    coordinates: tuple[str, ...]
    shape: Shape | None
    raw: bool = True

    @property
    def key(self) -> str:
        """A text that is equal for equal views."""
        return f"view {ast.unparse(self.template)} {self.coordinates}"


@dataclass(frozen=True, eq=False)
class Register:
    """A variable that is an attribute of the environment.

    Attributes:
        attribute: name of the attribute.
        shape: the shape of the value.
    """

    attribute: str
    shape: Shape | None

    @property
    def key(self) -> str:
        """A text that is equal for equal registers."""
        return f"register {self.attribute}"


HiddenKind = View | Register


def attribute_of_self(name: str) -> ast.Attribute:
    """Returns the expression `self.name`."""
    return ast.Attribute(ast.Name("self", ast.Load()), name, ast.Load())


def fill(expression: ast.expr, values: list[ast.expr]) -> ast.expr:
    """Returns a copy of an expression with its holes filled."""

    class Filler(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.AST:
            if node.id.startswith(HOLE):
                return copy.deepcopy(values[int(node.id.removeprefix(HOLE))])
            return node

    made: ast.expr = Filler().visit(copy.deepcopy(expression))
    return made


def used_holes(expression: ast.expr, holes: Sequence[ast.expr]) -> tuple[ast.expr, tuple[ast.expr, ...]]:
    """Returns an expression and its holes without those that nothing in it fills any more."""
    text = ast.unparse(ast.fix_missing_locations(expression))
    used = list(dict.fromkeys(map(int, re.findall(rf"{HOLE}(\d+)", text))))
    if len(used) == len(holes):
        return expression, tuple(holes)
    numbers = {place: number for number, place in enumerate(used)}
    values: list[ast.expr] = [
        ast.Name(f"{HOLE}{numbers.get(place, 0)}", ast.Load()) for place in range(len(holes))
    ]
    return fill(expression, values), tuple(holes[place] for place in used)
