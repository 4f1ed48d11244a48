"""Rewrites the expressions of a solution into those of its oracle, which call tools for hidden values."""

import ast
import copy
from collections.abc import Callable, Mapping, Set

from codegym_mcp.synthesis.program_tracing.lifting.hidden_slices import from_start
from codegym_mcp.synthesis.program_tracing.lifting.hidden_values import (
    HiddenKind,
    HiddenValue,
    Register,
    View,
)
from codegym_mcp.synthesis.program_tracing.lifting.tool_collection import ToolCollection
from codegym_mcp.synthesis.program_tracing.lifting.variable_placement import FunctionVariables
from codegym_mcp.synthesis.program_tracing.pure_functions import MUTATING_FUNCTIONS, MUTATING_METHODS
from codegym_mcp.synthesis.program_tracing.source_reading.traced_program import Program
from codegym_mcp.synthesis.program_tracing.syntax_nodes import (
    as_target,
    assigned_names,
    is_condition,
    is_length,
    range_of,
)
from codegym_mcp.synthesis.program_tracing.tracing_refusal import RefusedProblemError
from codegym_mcp.synthesis.program_tracing.value_shapes import Kind, Shape

EnterFunction = Callable[[ast.FunctionDef, Mapping[str, HiddenKind], Mapping[str, Shape]], str]
"""Returns the name of the oracle's version of a function for hidden arguments of these kinds and shapes."""

_LARGEST_ARGUMENT = 100
"""Nodes of an expression; one that a recursive function doubles would soon exceed every memory."""


class OracleExpressions:
    """Rewrites the expressions of one function."""

    def __init__(
        self,
        program: Program,
        tools: ToolCollection,
        variables: FunctionVariables,
        enter: EnterFunction,
        sliced: Mapping[str, Set[str]],
    ) -> None:
        """
        Args:
            sliced: the parameters of which functions pass parts to themselves, by function.
        """
        self._program = program
        self._tools = tools
        self._variation = variables.variation
        self._scope = variables.scope
        self._enter = enter
        self._sliced = sliced

    def test(self, node: ast.expr) -> ast.expr:
        """Returns the oracle's expression for a condition."""
        match node:
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return ast.UnaryOp(ast.Not(), self.test(operand))
            case ast.BoolOp(op=operator, values=values) if self._variation.split or not all(
                map(self._scope.is_hidden, values)
            ):
                return ast.BoolOp(operator, [self.test(each) for each in values])
        if self._scope.is_hidden(node) and not is_condition(node):
            node = ast.Call(ast.Name("bool", ast.Load()), [node], [])
        return self.reveal(node)

    def reveal(self, node: ast.expr) -> ast.expr:
        """Returns the oracle's expression for a value that the oracle needs to know.

        Raises:
            RefusedProblemError: a whole hidden container would have to be read.
        """
        if not self._scope.is_hidden(node):
            return copy.deepcopy(node)
        special = self._reveal_in_parts(node)
        if special is not None:
            return special
        changing = self.changing_call(node)
        if changing is not None:
            return self._tools.call(changing, node)
        entered = self._entered(node)
        if entered is not None:
            return entered
        hidden = self._scope.express(node)
        if hidden is not None:
            if _is_whole(hidden):
                return self._read_out(node, hidden)
            call = self._tools.call(hidden, node)
            for kind in (Kind.TUPLE, Kind.SET, Kind.FROZENSET):
                if hidden.shape is not None and hidden.shape.only(kind):
                    # Tuples and sets arrive as lists.
                    return ast.Call(ast.Name(kind.value, ast.Load()), [call], [])
            return call
        return self._rebuild(node)

    def count(self, source: ast.expr) -> ast.expr:
        call = ast.Call(ast.Name("len", ast.Load()), [source], [])
        call.counts_elements = True  # type: ignore[attr-defined]
        return self.reveal(call) if self._scope.is_hidden(source) else call

    def is_register(self, target: ast.expr) -> bool:
        """Returns whether an assignment changes the environment."""
        if isinstance(target, ast.Name):
            return isinstance(self._scope.hidden.get(target.id), Register)
        while isinstance(target, ast.Subscript | ast.Attribute):
            target = target.value
            if isinstance(target, ast.Name):
                return target.id in self._scope.hidden
        return False

    def changing_call(self, value: ast.expr) -> HiddenValue | None:
        """Returns a call that changes a hidden container as the environment makes it, or None."""
        match value:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=module), attr=name), args=args) if (
                module in self._scope.imported and name in MUTATING_FUNCTIONS and args
            ):
                if not self.is_register(args[0]):
                    return None
                made = self._scope.express(ast.Tuple(args, ast.Load()))
                if made is None or not isinstance(made.expression, ast.Tuple) or value.keywords:
                    raise RefusedProblemError(
                        "A hidden container is changed in a way that tools cannot follow."
                    )
                return HiddenValue(
                    ast.Call(copy.deepcopy(value.func), made.expression.elts, []), made.holes, None, False
                )
            case ast.Call(func=ast.Attribute(value=base, attr=name), args=args) if name in MUTATING_METHODS:
                if not self.is_register(as_target(base)):
                    return None
            case ast.Call(func=ast.Name(id=name), args=args) if name in MUTATING_FUNCTIONS and args:
                if not self.is_register(args[0]):
                    return None
            case _:
                return None
        parts: list[ast.expr] = [value.func.value] if isinstance(value.func, ast.Attribute) else []
        made = self._scope.express(ast.Tuple([*parts, *args], ast.Load()))
        if made is None or not isinstance(made.expression, ast.Tuple):
            raise RefusedProblemError("A hidden container is changed in a way that tools cannot follow.")
        built = list(made.expression.elts)
        function: ast.expr = value.func
        if isinstance(value.func, ast.Attribute):
            function = ast.Attribute(built.pop(0), value.func.attr, ast.Load())
        if value.keywords and not all(self._scope.is_known(each.value) for each in value.keywords):
            raise RefusedProblemError("A hidden container is changed in a way that tools cannot follow.")
        return HiddenValue(ast.Call(function, built, value.keywords), made.holes, None, False)

    def _reveal_in_parts(self, node: ast.expr) -> ast.expr | None:
        """Reveals the parts of an expression that the caller composes; None if it is one step."""
        hidden = self._scope.is_hidden
        match node:
            case ast.BoolOp(op=operator, values=values) if self._variation.split or not all(
                map(hidden, values)
            ):
                return ast.BoolOp(operator, [self.reveal(each) for each in values])
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return ast.UnaryOp(ast.Not(), self.test(operand))
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return ast.IfExp(self.test(test), self.reveal(body), self.reveal(orelse))
            case ast.Tuple() | ast.List() | ast.Set() | ast.Dict() | ast.JoinedStr():
                return self._rebuild(node)
            case ast.BinOp(left=left, op=ast.Add() | ast.Sub(), right=right) if (
                self._variation.agent_computes
            ):
                known = [each for each in (left, right) if not hidden(each)]
                counted = any(hidden(each) and is_length(each) for each in (left, right))
                if known and (counted or not isinstance(known[0], ast.Constant)):
                    return ast.BinOp(self.reveal(left), node.op, self.reveal(right))
            case ast.BinOp(left=ast.List(), op=ast.Mult()) | ast.BinOp(op=ast.Mult(), right=ast.List()):
                # A list of so many equal members belongs to the caller, who may change it.
                return self._rebuild(node)
            case ast.Call(func=ast.Name(id="max" | "min"), args=[_, _, *_]):
                return self._rebuild(node)
            case ast.Call(func=ast.Name(id="str" | "tuple" | "list" | "set"), args=[argument]):
                if isinstance(argument, ast.Tuple | ast.List):
                    return self._rebuild(node)
        return None

    def _rebuild(self, node: ast.expr) -> ast.expr:
        """Reveals the parts of an expression one by one."""
        match node:
            case ast.Name():
                raise RefusedProblemError(f"All of {node.id} would have to be read.")
            case ast.Lambda() | ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                raise RefusedProblemError("An expression mixes hidden values with containers of the caller.")
        made = copy.copy(node)
        for name, value in ast.iter_fields(node):
            if isinstance(value, ast.expr):
                if name == "func" and isinstance(value, ast.Attribute) and not self._scope.is_hidden(value):
                    continue
                if name == "func" and isinstance(value, ast.Attribute):
                    setattr(made, name, ast.Attribute(self.reveal(value.value), value.attr, ast.Load()))
                else:
                    setattr(made, name, self.reveal(value))
            elif isinstance(value, list):
                setattr(made, name, [self._rebuild_part(each) for each in value])
        return made

    def _rebuild_part(self, node: object) -> object:
        if isinstance(node, ast.expr):
            return self.reveal(node)
        if isinstance(node, ast.keyword):
            return ast.keyword(node.arg, self.reveal(node.value))
        return node

    def _read_out(self, node: ast.expr, hidden: HiddenValue) -> ast.expr:
        """Reads a hidden list or text member by member."""
        shape = hidden.shape
        if shape is not None and shape.only(Kind.DICT):
            return self._read_out_dict(node)
        if shape is None or not (shape.is_indexed or shape.kinds <= {Kind.LIST, Kind.SET, Kind.TUPLE}):
            raise RefusedProblemError("A whole hidden container would have to be read.")
        members = shape.member()
        if members is None:
            raise RefusedProblemError("A whole hidden container would have to be read.")
        count = self.count(node)
        variable = self._tools.names.variable("each")
        scope = self._scope
        scope.visible = scope.visible | {variable}
        element = ast.Subscript(copy.deepcopy(node), ast.Name(variable, ast.Load()), ast.Load())
        element.is_element = True  # type: ignore[attr-defined]
        value = self.reveal(element)
        clause = ast.comprehension(ast.Name(variable, ast.Store()), range_of(count), [], 0)
        listed = ast.ListComp(value, [clause])
        if shape.only(Kind.STR):
            return ast.Call(ast.Attribute(ast.Constant(""), "join", ast.Load()), [listed], [])
        if shape.only(Kind.TUPLE) or shape.only(Kind.SET):
            return ast.Call(ast.Name(next(iter(shape.kinds)).value, ast.Load()), [listed], [])
        return listed

    def _read_out_dict(self, node: ast.expr) -> ast.expr:
        """Reads a hidden dict entry by entry."""
        variable = self._tools.names.variable("each")
        self._scope.visible = self._scope.visible | {variable}
        place = ast.Name(variable, ast.Load())
        listed = ast.Call(ast.Attribute(copy.deepcopy(node), "values", ast.Load()), [], [])
        parts = [
            ast.Subscript(ast.Call(ast.Name("list", ast.Load()), [each], []), place, ast.Load())
            for each in (copy.deepcopy(node), listed)
        ]
        key, value = (self.reveal(part) for part in parts)
        clause = ast.comprehension(ast.Name(variable, ast.Store()), range_of(self.count(node)), [], 0)
        return ast.DictComp(key, value, [clause])

    def _entered(self, node: ast.expr) -> ast.expr | None:
        """Returns the call of the oracle's version of a function, or None if it is a tool or no function."""
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in self._program.functions:
                if name in self._scope.helpers and self._scope.express(node) is not None:
                    return None
                function = self._program.functions[name]
            case _:
                return None
        arguments = _bind_arguments(function, node)
        parts = self._sliced.get(function.name, set())
        kinds: dict[str, HiddenKind] = {}
        shapes: dict[str, Shape] = {}
        visible: list[ast.expr] = []
        coordinates: list[ast.expr] = []
        for parameter, argument in arguments:
            is_hidden = self._scope.is_hidden(argument)
            hidden = self._scope.express(argument, numbered_slices=True) if is_hidden else None
            shape = hidden.shape if hidden is not None else None
            if hidden is not None and shape is not None and shape.is_indexed and parameter in parts:
                hidden = from_start(hidden)
            plain = shape is None or shape.is_plain
            if hidden is None or (plain and (not hidden.raw or parameter in assigned_names(function.body))):
                visible.append(self.reveal(argument))
                continue
            if sum(1 for _ in ast.walk(hidden.expression)) > _LARGEST_ARGUMENT:
                raise RefusedProblemError("A function calls itself with ever larger expressions.")
            kind = _kind_of_argument(parameter, hidden)
            kinds[parameter] = kind
            if hidden.shape is not None:
                shapes[parameter] = hidden.shape
            if isinstance(kind, View):
                coordinates += hidden.holes
        entered = self._enter(function, kinds, shapes)
        return ast.Call(ast.Name(entered, ast.Load()), [*visible, *coordinates], [])


def _kind_of_argument(parameter: str, hidden: HiddenValue) -> HiddenKind:
    match hidden.expression:
        case ast.Attribute(value=ast.Name(id="self"), attr=attribute):
            return Register(attribute, hidden.shape)
    names = tuple(f"{parameter}_index_{number}" for number in range(1, len(hidden.holes) + 1))
    match hidden.expression:
        case ast.Subscript(value=ast.Attribute(), slice=ast.Slice(upper=upper)):
            bounds = ("start",) if upper is None else ("start", "end")
            names = tuple(f"{parameter}_{each}" for each in bounds[: len(names)])
    if len(names) == 1 and names[0].endswith("_1"):
        names = (f"{parameter}_index",)
    return View(hidden.expression, names, hidden.shape, hidden.raw)


def _bind_arguments(function: ast.FunctionDef, call: ast.Call) -> list[tuple[str, ast.expr]]:
    parameters = [each.arg for each in function.args.args]
    if function.args.vararg or function.args.kwarg or function.args.kwonlyargs:
        raise RefusedProblemError("A helper takes any number of arguments.")
    if any(isinstance(each, ast.Starred) for each in call.args) or any(k.arg is None for k in call.keywords):
        raise RefusedProblemError("A helper is called with unpacked arguments.")
    given = dict(zip(parameters, call.args, strict=False))
    given.update({each.arg: each.value for each in call.keywords if each.arg is not None})
    defaults = function.args.defaults
    for parameter, default in zip(parameters[len(parameters) - len(defaults) :], defaults, strict=True):
        given.setdefault(parameter, default)
    if set(given) != set(parameters):
        raise RefusedProblemError("A helper is called with other arguments than it has.")
    return [(each, given[each]) for each in parameters]


def _is_whole(hidden: HiddenValue) -> bool:
    """Returns whether a value is a container that would be read as a whole."""
    shape = hidden.shape
    if shape is None or shape.is_scalar:
        return False
    if shape.only(Kind.STR):
        return not hidden.holes and hidden.raw
    if shape.is_plain:
        return False
    return not hidden.holes or (hidden.raw and shape.items is not None and not shape.items.is_plain)
