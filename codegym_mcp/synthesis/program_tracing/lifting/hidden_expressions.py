"""Expressions that depend on hidden values, as the environment computes them.

A hidden expression is evaluated in the environment. What the caller knows in it becomes a hole, that is, a
parameter of the tool: in `heights[i + 1] > limit` with hidden heights, the holes are `i + 1` and `limit`, and
the environment computes `self.heights[@0] > @1`.
"""

import ast
import copy
from collections.abc import Mapping, Set
from dataclasses import dataclass, field

from codegym_mcp.synthesis.program_tracing.lifting.expression_shapes import (
    BOOL,
    CONVERSIONS,
    INT,
    TEXT,
    call_shape,
    method_shape,
    visible_shape,
)
from codegym_mcp.synthesis.program_tracing.lifting.hidden_slices import is_numbered, select_within
from codegym_mcp.synthesis.program_tracing.lifting.hidden_values import (
    HOLE,
    HiddenKind,
    HiddenValue,
    Register,
    attribute_of_self,
    fill,
    used_holes,
)
from codegym_mcp.synthesis.program_tracing.pure_functions import (
    MUTATING_FUNCTIONS,
    MUTATING_METHODS,
    PURE_BUILTINS,
)
from codegym_mcp.synthesis.program_tracing.value_shapes import Kind, Shape


class NotExpressibleError(Exception):
    """An expression cannot be computed by the environment in one step."""


@dataclass
class ExpressionScope:
    """What the names of a function mean.

    Attributes:
        hidden: the variables that are hidden.
        visible: the other variables of the function.
        shapes: the shapes of variables.
        helpers: functions of the solution that the environment may call.
        imported: names that imports bind.
    """

    hidden: Mapping[str, HiddenKind]
    visible: Set[str]
    shapes: Mapping[str, Shape]
    helpers: Set[str]
    imported: Set[str]

    def is_hidden(self, node: ast.AST) -> bool:
        """Returns whether an expression reads a hidden variable."""
        return any(isinstance(each, ast.Name) and each.id in self.hidden for each in ast.walk(node))

    def is_known(self, node: ast.AST) -> bool:
        """Returns whether an expression reads no variable of the function at all."""
        names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
        return not names & (self.visible | set(self.hidden))

    def express(self, node: ast.expr, *, numbered_slices: bool = False) -> HiddenValue | None:
        """Returns how the environment computes an expression, or None if it cannot be done in one step.

        Args:
            numbered_slices: whether constant bounds of slices fill holes too, so that all parts are alike.
        """
        builder = _Builder(self, numbered_slices)
        try:
            expression, shape = builder.build(node)
        except NotExpressibleError:
            return None
        expression, holes = used_holes(expression, builder.holes)
        return HiddenValue(expression, holes, shape, _is_raw(expression))


@dataclass
class _Builder:
    """Builds one hidden expression and collects its holes."""

    scope: ExpressionScope
    numbered_slices: bool = False
    holes: list[ast.expr] = field(default_factory=list)
    bound: set[str] = field(default_factory=set)

    def build(self, node: ast.expr) -> tuple[ast.expr, Shape | None]:
        """Returns the expression of the environment and its shape."""
        if not self.scope.is_hidden(node):
            return self._visible(node), visible_shape(node, self.scope.shapes)
        match node:
            case ast.Name(id=name):
                return self._variable(self.scope.hidden[name])
            case ast.Subscript():
                return self._subscript(node)
            case ast.Call():
                return self._call(node)
            case ast.Attribute(value=value, attr=name) if not name.startswith("_"):
                return ast.Attribute(self.build(value)[0], name, ast.Load()), None
            case ast.Compare() | ast.BoolOp():
                return self._children(node), BOOL
            case ast.UnaryOp(op=ast.Not()):
                return self._children(node), BOOL
            case ast.JoinedStr():
                return self._children(node), TEXT
            case ast.BinOp():
                made = self._children(node)
                left = self.build(node.left)[1] if self.scope.is_hidden(node.left) else None
                return made, left if left is not None and left.kinds <= {
                    Kind.INT,
                    Kind.STR,
                    Kind.LIST,
                } else None
            case ast.Lambda(args=arguments):
                return self._with_bound({each.arg for each in arguments.args}, node), None
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                targets = [clause.target for clause in node.generators]
                names = {e.id for t in targets for e in ast.walk(t) if isinstance(e, ast.Name)}
                return self._with_bound(names, node), None
            case (
                ast.UnaryOp()
                | ast.IfExp()
                | ast.Tuple()
                | ast.List()
                | ast.Set()
                | ast.Dict()
                | ast.Starred()
            ):
                return self._children(node), None
            case ast.Slice() | ast.FormattedValue():
                return self._children(node), None
        raise NotExpressibleError

    def hole(self, node: ast.expr) -> ast.Name:
        """Returns the name of the hole that an expression of the caller fills."""
        if any(isinstance(each, ast.Name) and each.id in self.bound for each in ast.walk(node)):
            raise NotExpressibleError
        text = ast.dump(node)
        for number, known in enumerate(self.holes):
            if ast.dump(known) == text:
                return ast.Name(f"{HOLE}{number}", ast.Load())
        self.holes.append(node)
        return ast.Name(f"{HOLE}{len(self.holes) - 1}", ast.Load())

    def _visible(self, node: ast.expr) -> ast.expr:
        names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
        if not names & self.scope.visible:
            return copy.deepcopy(node)
        match node:
            case (
                ast.Tuple()
                | ast.List()
                | ast.Slice()
                | ast.Starred()
                | ast.FormattedValue()
                | ast.JoinedStr()
            ):
                return self._children(node)
        if names & self.bound:
            if isinstance(node, ast.Name):
                return node
            return self._children(node)
        shape = visible_shape(node, self.scope.shapes)
        if shape is not None and not shape.is_plain:
            raise NotExpressibleError
        if isinstance(node, ast.Call | ast.Lambda | ast.ListComp | ast.GeneratorExp) and shape is None:
            match node:
                case ast.Call(func=ast.Name(id="min" | "max" | "pow" | "str" | "chr" | "round" | "float")):
                    pass
                case _:
                    raise NotExpressibleError
        return self.hole(copy.deepcopy(node))

    def _variable(self, kind: HiddenKind) -> tuple[ast.expr, Shape | None]:
        if isinstance(kind, Register):
            return attribute_of_self(kind.attribute), kind.shape
        names = [self.hole(ast.Name(each, ast.Load())).id for each in kind.coordinates]
        return fill(kind.template, [ast.Name(each, ast.Load()) for each in names]), kind.shape

    def _subscript(self, node: ast.Subscript) -> tuple[ast.expr, Shape | None]:
        base, shape = self.build(node.value)
        if getattr(node, "is_element", False):
            base, shape = _as_sequence(base, shape)
        index = node.slice
        within = None if self.scope.is_hidden(index) else select_within(base, index, self.holes)
        if within is not None:
            part_of, bounds = within
            made = ast.Subscript(part_of, self._bounds(bounds), ast.Load())
            return made, shape if isinstance(
                index, ast.Slice
            ) else shape.member() if shape is not None else None
        match index:
            case ast.Slice() if (
                self.numbered_slices and is_numbered(index) and not self.scope.is_hidden(index)
            ):
                bounds = ast.Slice(index.lower or ast.Constant(0), index.upper)
                return ast.Subscript(base, self._bounds(bounds), ast.Load()), shape
            case ast.Slice():
                return ast.Subscript(base, self._children(index), ast.Load()), shape
            case ast.Constant(value=int(number)) if not isinstance(number, bool):
                fields = shape is not None and shape.fields is not None
                known = fields or shape is None or not shape.is_indexed or number < 0
                part: ast.expr = copy.deepcopy(index) if known else self.hole(copy.deepcopy(index))
                member = shape.member(number) if shape is not None else None
                return ast.Subscript(base, part, ast.Load()), member
        part, _ = self.build(index)
        return ast.Subscript(base, part, ast.Load()), shape.member() if shape is not None else None

    def _bounds(self, node: ast.expr) -> ast.expr:
        """Returns a position or a slice whose bounds are holes."""
        if isinstance(node, ast.Slice):
            lower, upper = (each if each is None else self.hole(each) for each in (node.lower, node.upper))
            return ast.Slice(lower, upper)
        return self.hole(node)

    def _call(self, node: ast.Call) -> tuple[ast.expr, Shape | None]:
        scope = self.scope
        match node.func:
            case ast.Name(id="len") if getattr(node, "counts_elements", False):
                base, shape = self.build(node.args[0])
                return ast.Call(node.func, [_as_sequence(base, shape)[0]], []), INT
            case ast.Name(id=name):
                allowed = name in PURE_BUILTINS or name in scope.helpers
                allowed = allowed or (name in scope.imported and name not in MUTATING_FUNCTIONS)
                if name in scope.visible or name in scope.hidden or not allowed:
                    raise NotExpressibleError
                function: ast.expr = node.func
            case ast.Attribute(value=ast.Name(id=module), attr=name) if module in scope.imported:
                if name in MUTATING_FUNCTIONS:
                    raise NotExpressibleError
                function = node.func
            case ast.Attribute(value=value, attr=name):
                if name in MUTATING_METHODS or name.startswith("_"):
                    raise NotExpressibleError
                base, shape = self.build(value)
                made = self._arguments(ast.Attribute(base, name, ast.Load()), node)
                return made, method_shape(name, shape)
            case _:
                raise NotExpressibleError
        made = self._arguments(copy.deepcopy(function), node)
        return made, self._call_shape(name, node)

    def _call_shape(self, name: str, node: ast.Call) -> Shape | None:
        """Returns the shape of the result of a builtin function, or None if it is not known."""
        argument = None
        if name in CONVERSIONS and node.args and self.scope.is_hidden(node.args[0]):
            argument = self.build(node.args[0])[1]
        return call_shape(name, argument)

    def _arguments(self, function: ast.expr, node: ast.Call) -> ast.expr:
        is_helper = isinstance(function, ast.Name) and function.id in self.scope.helpers
        build = self._helper_argument if is_helper else self._argument
        arguments = [build(each) for each in node.args]
        keywords = [ast.keyword(each.arg, self._argument(each.value)) for each in node.keywords]
        return ast.Call(function, arguments, keywords)

    def _argument(self, node: ast.expr) -> ast.expr:
        return self.build(node)[0]

    def _helper_argument(self, node: ast.expr) -> ast.expr:
        """Builds an argument of a helper. A constant fills a hole, so that all calls are of one tool."""
        match node:
            case ast.Constant(value=str() | int() | float()):
                return self.hole(copy.deepcopy(node))
        return self._argument(node)

    def _children(self, node: ast.expr) -> ast.expr:
        made = copy.copy(node)
        for name, value in ast.iter_fields(node):
            if isinstance(value, ast.expr):
                setattr(made, name, self.build(value)[0])
            elif isinstance(value, list):
                setattr(made, name, [self._part(each) for each in value])
        return made

    def _part(self, node: object) -> object:
        if isinstance(node, ast.expr):
            return self.build(node)[0]
        if isinstance(node, ast.comprehension):
            made = copy.copy(node)
            made.iter = self.build(node.iter)[0]
            made.ifs = [self.build(each)[0] for each in node.ifs]
            return made
        return node

    def _with_bound(self, names: set[str], node: ast.expr) -> ast.expr:
        if names & (set(self.scope.hidden) | set(self.scope.visible)) - names:
            raise NotExpressibleError
        shadowed = names & (set(self.scope.hidden) | set(self.scope.visible))
        if shadowed:
            raise NotExpressibleError
        added = names - self.bound
        self.bound |= added
        try:
            return self._children(node)
        finally:
            self.bound -= added


def _as_sequence(base: ast.expr, shape: Shape | None) -> tuple[ast.expr, Shape | None]:
    """Returns an expression whose members can be counted and numbered as iteration yields them."""
    if shape is not None and shape.is_indexed:
        return base, shape
    name = "sorted" if shape is not None and shape.kinds <= {Kind.SET, Kind.FROZENSET} else "list"
    members = None
    if shape is not None:
        members = shape.keys if shape.only(Kind.DICT) else shape.items
    made = ast.Call(ast.Name(name, ast.Load()), [base], [])
    if isinstance(base, ast.Call) and isinstance(base.func, ast.Name) and base.func.id in ("list", "sorted"):
        made = base
    return made, Shape(frozenset({Kind.LIST}), items=members, longest=9)


def _is_raw(node: ast.expr) -> bool:
    """Returns whether a value is a hidden variable, or a member of a container computed of hidden ones."""
    selected = False
    while isinstance(node, ast.Subscript):
        node, selected = node.value, True
    match node:
        case ast.Attribute():
            return True
        case ast.Name():
            # A table of the solution, in which something hidden is looked up.
            return False
        case ast.Call(func=ast.Name(id=name)):
            return selected and name in PURE_BUILTINS
    return selected
