"""Decides for each variable of a function where its value lives.

A variable is visible (the caller knows its value), a view (the caller knows where the value is, for example
at which position of a hidden list), or a register (an attribute of the environment that tools change).
"""

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from codegym_mcp.synthesis.program_tracing.lifting.container_changes import (
    mutated_names,
    rearranged_names,
    root_name,
)
from codegym_mcp.synthesis.program_tracing.lifting.hidden_expressions import ExpressionScope
from codegym_mcp.synthesis.program_tracing.lifting.hidden_values import (
    HiddenKind,
    HiddenValue,
    Register,
    View,
)
from codegym_mcp.synthesis.program_tracing.lifting.lifting_variations import Variation
from codegym_mcp.synthesis.program_tracing.lifting.loops_over_positions import plan_loop, unpack
from codegym_mcp.synthesis.program_tracing.pure_functions import MUTATING_FUNCTIONS
from codegym_mcp.synthesis.program_tracing.syntax_nodes import attributes_of_self, free_name
from codegym_mcp.synthesis.program_tracing.value_shapes import Shape

_ROUNDS = 12


@dataclass
class FunctionVariables:
    """The variables of one function.

    Attributes:
        function: the function.
        fixed: the kinds of hidden parameters.
        shapes: the shapes of variables.
        scope: what the names mean; complete after `decide`.
        counted: the parameters that are lengths of hidden ones, which the caller counts and knows.
        positions: the variable that holds the position, by loop.
        mutated: the variables whose containers the function changes.
    """

    function: ast.FunctionDef
    fixed: Mapping[str, HiddenKind]
    shapes: dict[str, Shape]
    scope: ExpressionScope
    variation: Variation
    changing_helpers: Mapping[str, set[int]]
    counted: frozenset[str] = frozenset()
    positions: dict[int, str] = field(default_factory=dict)
    mutated: set[str] = field(default_factory=set)
    _names: set[str] = field(default_factory=set)
    _rearranged: set[str] = field(default_factory=set)

    def decide(self) -> None:
        """Decides the kind of each variable."""
        body = self.function.body
        self._names = {each.id for node in body for each in ast.walk(node) if isinstance(each, ast.Name)}
        self._names |= {each.arg for each in self.function.args.args}
        self.mutated = set(mutated_names(body, self.changing_helpers))
        self._rearranged = set(rearranged_names(body))
        parameters = {each.arg for each in self.function.args.args}
        assigned = set(_assigned(body))
        hidden: dict[str, HiddenKind] = dict(self.fixed)
        self.scope.hidden = hidden
        self.scope.visible = (parameters | assigned) - set(hidden)
        for _ in range(_ROUNDS):
            before = {name: kind.key for name, kind in hidden.items()}
            for name, values in self._bindings().items():
                kind = self.fixed.get(name) or self._kind(name, values)
                if kind is None:
                    hidden.pop(name, None)
                else:
                    hidden[name] = kind
                self.scope.visible = (parameters | assigned | set(self.positions.values())) - set(hidden)
            if before == {name: kind.key for name, kind in hidden.items()}:
                break

    def position_of(self, loop: ast.For) -> str:
        """Returns the variable that holds the position in a loop over hidden values."""
        if id(loop) not in self.positions:
            target = loop.target
            while isinstance(target, ast.Tuple) and target.elts:
                target = target.elts[-1]
            base = f"{target.id}_index" if isinstance(target, ast.Name) and target.id != "_" else "index"
            name = free_name(base, self._names)
            self._names.add(name)
            self.positions[id(loop)] = name
            self.scope.visible = self.scope.visible | {name}
        return self.positions[id(loop)]

    def changes(self, attribute: str) -> bool:
        """Returns whether the function changes an attribute of the environment."""
        for name, kind in self.scope.hidden.items():
            if isinstance(kind, Register) and kind.attribute == attribute:
                count = len(self._bindings().get(name, []))
                if name in self.mutated or count > (0 if name in self.fixed else 1):
                    return True
        return False

    def _bindings(self) -> dict[str, list[ast.expr | None]]:
        """Returns the values that each variable is bound to; None for a value that is always known."""
        found: dict[str, list[ast.expr | None]] = {}
        for node in _statements(self.function.body):
            for target, value in self._pairs(node):
                if isinstance(target, ast.Name):
                    found.setdefault(target.id, []).append(value)
        return found

    def _pairs(self, node: ast.stmt) -> Iterable[tuple[ast.expr, ast.expr | None]]:
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    yield from unpack(target, value)
            case ast.AugAssign(target=ast.Name(id=name) as target, op=operator, value=value):
                yield target, ast.BinOp(ast.Name(name, ast.Load()), operator, value)
            case ast.For(target=target, iter=source):
                position = self.position_of(node) if self.scope.is_hidden(source) else "index"
                plan = plan_loop(target, source, position)
                if plan is None or not self.scope.is_hidden(source):
                    yield from ((each, None) for each in ast.walk(target) if isinstance(each, ast.Name))
                else:
                    yield from plan.elements
                    yield from ((each, None) for each, _ in plan.counters)

    def _kind(self, name: str, values: list[ast.expr | None]) -> HiddenKind | None:
        if name in self.counted:
            return None
        known = [value for value in values if value is not None]
        if self.variation.scratch and len(known) == len(values) and self._is_filled(name, known):
            return Register(name, self.shapes.get(name))
        if not any(self.scope.is_hidden(value) for value in known) or len(known) < len(values):
            return None
        shape = self.shapes.get(name)
        scalar = shape is not None and shape.is_scalar
        express = [self.scope.express(value) for value in known]
        counted = self.variation.counts and all(map(self._only_counts, known))
        if self.variation.state and scalar and shape is not None and not counted:
            return Register(name, shape)
        view = self._view(name, known, express, shape)
        if view is not None:
            return view
        if not scalar:
            every = all(self.scope.is_hidden(value) for value in known)
            empty = all(self.scope.is_hidden(value) or _is_empty(value) for value in known)
            if name in self.mutated and ((every and all(express)) or (self.variation.scratch and empty)):
                return Register(name, shape)
            moved = any(each is not None and self._may_move(each.expression) for each in express)
            if every and all(express) and (len(known) > 1 or moved):
                return Register(name, shape)
        return None

    def _only_counts(self, node: ast.expr) -> bool:
        """Returns whether an expression reads hidden containers only to count their members."""
        match node:
            case ast.Call(func=ast.Name(id="len"), args=[ast.Name()]):
                return True
            case ast.Name(id=name):
                return name not in self.scope.hidden
        return all(
            self._only_counts(each) for each in ast.iter_child_nodes(node) if isinstance(each, ast.expr)
        )

    def _is_filled(self, name: str, values: list[ast.expr]) -> bool:
        """Returns whether a variable is a container that is empty at first and receives hidden values."""
        if name not in self.mutated or not all(map(_is_empty, values)):
            return False
        for node in _statements(self.function.body):
            match node:
                case ast.Expr(
                    value=ast.Call(func=ast.Name(id=called) | ast.Attribute(attr=called), args=[base, *parts])
                ) if called in MUTATING_FUNCTIONS:
                    pass
                case ast.Expr(value=ast.Call(func=ast.Attribute(value=base), args=parts)):
                    pass
                case ast.Assign(targets=[ast.Subscript(value=base, slice=index)], value=value):
                    parts = [index, value]
                case ast.AugAssign(target=ast.Subscript(value=base, slice=index), value=value):
                    parts = [index, value]
                case _:
                    continue
            if root_name(base) == name and any(map(self.scope.is_hidden, parts)):
                return True
        return False

    def _view(
        self,
        name: str,
        values: list[ast.expr],
        express: list[HiddenValue | None],
        shape: Shape | None,
    ) -> View | None:
        found = [each for each in express if each is not None]
        if len(found) < len(values) or name in self.mutated:
            return None
        if any(
            isinstance(each, ast.Name) and each.id == name for value in values for each in ast.walk(value)
        ):
            return None
        first = found[0]
        if any(each.template != first.template for each in found[1:]) or not all(
            map(self.scope.is_hidden, values)
        ):
            return None
        raw = all(each.raw for each in found)
        if shape is not None and shape.is_plain and not raw:
            return None
        if shape is not None and shape.is_plain and self._rests_on_changing(first.expression):
            return None
        if self._may_move(first.expression):
            return None
        return View(first.expression, self._coordinates(name, values, found), first.shape or shape, raw)

    def _may_move(self, expression: ast.expr) -> bool:
        """Returns whether an expression selects a member of a container whose members change places."""
        return any(
            isinstance(each, ast.Subscript)
            and isinstance(each.value, ast.Attribute)
            and each.value.attr in self._rearranged
            for each in ast.walk(expression)
        )

    def _rests_on_changing(self, expression: ast.expr) -> bool:
        return any(self.changes(each) for each in attributes_of_self(expression))

    def _coordinates(self, name: str, values: list[ast.expr], found: list[HiddenValue]) -> tuple[str, ...]:
        """Names the variables that hold where the value is; a loop's own position serves as it is."""
        holes = found[0].holes
        if len(values) == 1:
            steady = set(self.positions.values())
            if all(isinstance(hole, ast.Name) and hole.id in steady for hole in holes):
                return tuple(hole.id for hole in holes if isinstance(hole, ast.Name))
        if len(holes) == 1:
            return (f"{name}_index",)
        return tuple(f"{name}_index_{number}" for number in range(1, len(holes) + 1))


def _is_empty(node: ast.expr) -> bool:
    match node:
        case ast.List(elts=[]) | ast.Dict(keys=[]) | ast.Set(elts=[]) | ast.Tuple(elts=[]):
            return True
        case ast.Call(func=ast.Name(id="list" | "dict" | "set" | "deque" | "Counter"), args=[], keywords=[]):
            return True
        case ast.Call(func=ast.Name(id="OrderedDict"), args=[], keywords=[]):
            return True
        case ast.Call(func=ast.Name(id="defaultdict"), args=[ast.Name(id="int" | "list" | "set" | "dict")]):
            return True
        case ast.Call(func=ast.Attribute(value=ast.Name(id="collections"), attr=name)):
            return _is_empty(ast.Call(ast.Name(name, ast.Load()), node.args, node.keywords))
        case ast.Constant(value=""):
            return True
    return False


def _statements(body: Iterable[ast.stmt]) -> Iterable[ast.stmt]:
    """Yields the statements of a function without those of functions in it."""
    for node in body:
        yield node
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            continue
        for name in ("body", "orelse", "finalbody"):
            yield from _statements(getattr(node, name, []))
        for handler in getattr(node, "handlers", []):
            yield from _statements(handler.body)


def _assigned(body: Iterable[ast.stmt]) -> Iterable[str]:
    for node in _statements(body):
        match node:
            case ast.FunctionDef(name=name):
                yield name
            case ast.Assign() | ast.AugAssign() | ast.For() | ast.With():
                for each in ast.walk(node):
                    if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
                        yield each.id
