"""Lifts a solution: what it does with hidden values becomes tools, the rest becomes the oracle."""

import ast
import copy
from collections.abc import Mapping, Sequence

from codegym_mcp.synthesis.tracing.desugaring import desugar
from codegym_mcp.synthesis.tracing.hidden_expressions import (
    ExpressionScope,
    HiddenKind,
    HiddenValue,
    Register,
    View,
    fill,
)
from codegym_mcp.synthesis.tracing.lifted_program import LiftedProgram, LiftedTool
from codegym_mcp.synthesis.tracing.loop_plans import LoopPlan, plan_loop, unpack
from codegym_mcp.synthesis.tracing.pure_functions import MUTATING_FUNCTIONS, MUTATING_METHODS
from codegym_mcp.synthesis.tracing.tool_naming import ToolNames
from codegym_mcp.synthesis.tracing.traced_program import Program, assigned_names
from codegym_mcp.synthesis.tracing.tracing_refusal import RefusedProblemError
from codegym_mcp.synthesis.tracing.value_shapes import Kind, Shape
from codegym_mcp.synthesis.tracing.variable_kinds import FunctionVariables, Variation, changing_helpers

_MAX_TOOLS = 16
_MAX_FUNCTIONS = 12
_INT = Shape(frozenset({Kind.INT}))


def lift(
    program: Program,
    hidden: Sequence[str],
    shapes: Mapping[tuple[str, str], Shape],
    parameters: Mapping[str, Shape],
    variation: Variation,
) -> LiftedProgram:
    """Lifts a solution in one way.

    Args:
        hidden: the parameters of the entry function whose values are hidden.
        shapes: the shapes of variables, by function and name.
        parameters: the shapes of the entry function's parameters.

    Raises:
        RefusedProblemError: this way does not fit the solution.
    """
    return _SolutionLifter(program, shapes, variation).lift(hidden, parameters)


class _SolutionLifter:
    """Collects the tools and the functions of the oracle while functions are lifted."""

    def __init__(
        self, program: Program, shapes: Mapping[tuple[str, str], Shape], variation: Variation
    ) -> None:
        self.program = program
        self.variation = variation
        self.names = ToolNames(program)
        self.changing = changing_helpers(program.functions)
        self.registers: list[str] = []
        self.steady: set[str] = set()
        self._shapes = shapes
        self._tools: dict[str, LiftedTool] = {}
        self._first: dict[str, ast.stmt] = {}
        self._first_names: dict[str, str] = {}
        self._functions: dict[tuple[str, ...], ast.FunctionDef | None] = {}
        self._function_names: dict[tuple[str, ...], str] = {}
        entry = program.entry.name
        self.helpers = {
            name
            for name, function in program.functions.items()
            if name != entry
            and not self.changing[name]
            and not _reaches(program, name, entry)
            and not any(isinstance(each, ast.Yield | ast.YieldFrom) for each in ast.walk(function))
        }

    def lift(self, hidden: Sequence[str], parameters: Mapping[str, Shape]) -> LiftedProgram:
        entry = self.program.entry
        kinds: dict[str, HiddenKind] = {name: Register(name, parameters[name]) for name in hidden}
        variables = self._variables(entry, kinds, parameters)
        self.steady = {name for name in hidden if not variables.changes(name)}
        body = _FunctionLifter(self, variables).block(variables.function.body)
        functions = [each for each in self._functions.values() if each is not None]
        if not self._tools:
            raise RefusedProblemError("No step of the solution depends on hidden values.")
        if len(self._tools) > _MAX_TOOLS:
            raise RefusedProblemError(f"It would have {len(self._tools)} tools; {_MAX_TOOLS} are allowed.")
        return LiftedProgram(
            hidden=list(hidden),
            public=[each for each in self.program.parameters if each not in hidden],
            registers=self.registers,
            tools=list(self._tools.values()),
            oracle=[*self._first.values(), *functions, *body],
            variation=self.variation.name,
        )

    def _variables(
        self, function: ast.FunctionDef, kinds: Mapping[str, HiddenKind], parameters: Mapping[str, Shape]
    ) -> FunctionVariables:
        shapes = {name: shape for (owner, name), shape in self._shapes.items() if owner == function.name}
        shapes.update(parameters)
        made = desugar(function, kinds, shapes, aggregates=self.variation.aggregates)
        for name, shape in list(shapes.items()):
            shapes.setdefault(f"{name}_prepared", shape)
        helpers = self.helpers if not self.variation.entered else set()
        scope = ExpressionScope({}, set(), shapes, helpers, self.program.imported)
        variables = FunctionVariables(made, kinds, shapes, scope, self.variation, self.changing)
        variables.decide()
        return variables

    # --- tools

    def call(self, hidden: HiddenValue, original: ast.expr) -> ast.expr:
        """Returns the oracle's expression that computes a hidden value with a tool."""
        key = f"get {hidden.template}"
        tool = self._tools.get(key)
        if tool is None:
            name, parameters = self.names.name_value(hidden, original)
            expression = fill(hidden.expression, _names(parameters))
            tool = LiftedTool(name, parameters, expression, None, hidden.raw, ast.unparse(original))
            self._tools[key] = tool
        call = _call_tool(tool, hidden.holes)
        if hidden.holes or hidden.raw or tool.changes or not self._is_steady(hidden.expression):
            return call
        return self._call_once(tool, call)

    def change(self, statement: ast.stmt, holes: Sequence[ast.expr]) -> ast.stmt:
        """Returns the oracle's statement that has a tool change the environment."""
        key = f"do {ast.unparse(ast.fix_missing_locations(statement))}"
        tool = self._tools.get(key)
        if tool is None:
            name, parameters = self.names.name_change(statement, holes)
            change = _fill_statement(statement, _names(parameters))
            tool = LiftedTool(name, parameters, None, change, False, ast.unparse(statement))
            self._tools[key] = tool
        return ast.Expr(_call_tool(tool, holes))

    def _is_steady(self, expression: ast.expr) -> bool:
        attributes = {
            each.attr
            for each in ast.walk(expression)
            if isinstance(each, ast.Attribute)
            and isinstance(each.value, ast.Name)
            and each.value.id == "self"
        }
        return attributes <= self.steady

    def _call_once(self, tool: LiftedTool, call: ast.expr) -> ast.expr:
        """Calls a tool whose result never changes at the beginning of the oracle."""
        if tool.name not in self._first:
            name = self.names.variable(tool.name)
            self._first_names[tool.name] = name
            self._first[tool.name] = ast.Assign([ast.Name(name, ast.Store())], call)
        return ast.Name(self._first_names[tool.name], ast.Load())

    # --- functions

    def enter(
        self, function: ast.FunctionDef, kinds: Mapping[str, HiddenKind], shapes: Mapping[str, Shape]
    ) -> str:
        """Returns the oracle's version of a function for hidden arguments of these kinds."""
        key = (function.name, *(f"{name}={kind.key}" for name, kind in sorted(kinds.items())))
        if key in self._function_names:
            return self._function_names[key]
        if len(self._function_names) >= _MAX_FUNCTIONS:
            raise RefusedProblemError("Its functions are called in too many ways.")
        name = self.names.variable(f"{function.name}_step")
        self._function_names[key] = name
        self._functions[key] = None
        variables = self._variables(function, kinds, shapes)
        body = _FunctionLifter(self, variables).block(variables.function.body)
        made = copy.deepcopy(variables.function)
        made.name = name
        parameters = [each.arg for each in function.args.args if each.arg not in kinds]
        coordinates = [each for kind in kinds.values() if isinstance(kind, View) for each in kind.coordinates]
        made.args = ast.arguments(
            [], [ast.arg(each) for each in [*parameters, *coordinates]], None, [], [], None, []
        )
        made.body = body
        self._functions[key] = made
        return name


class _FunctionLifter:
    """Rewrites the statements of one function into those of the oracle."""

    def __init__(self, owner: _SolutionLifter, variables: FunctionVariables) -> None:
        self._owner = owner
        self._variables = variables
        self._scope = variables.scope
        for name, kind in self._scope.hidden.items():
            is_new = isinstance(kind, Register) and name not in variables.fixed
            if is_new and name not in owner.registers:
                owner.registers.append(name)

    def block(self, body: Sequence[ast.stmt]) -> list[ast.stmt]:
        """Returns the statements of the oracle for statements of the solution."""
        made = [each for statement in body for each in self._statement(statement)]
        return made or [ast.Pass()]

    def _statement(self, node: ast.stmt) -> list[ast.stmt]:
        match node:
            case ast.Assign(targets=targets, value=value):
                return self._assign(targets, value)
            case ast.AugAssign():
                return self._augment(node)
            case ast.For():
                return self._for(node)
            case ast.While(test=test, body=body, orelse=orelse):
                return [ast.While(self._test(test), self.block(body), self._else(orelse))]
            case ast.If(test=test, body=body, orelse=orelse):
                return [ast.If(self._test(test), self.block(body), self._else(orelse))]
            case ast.Return(value=value):
                return [ast.Return(self.reveal(value) if value is not None else None)]
            case ast.Expr(value=value):
                return self._expression_statement(value)
            case ast.Assert(test=test):
                return [
                    ast.If(ast.UnaryOp(ast.Not(), self._test(test)), [ast.Return(ast.Constant(None))], [])
                ]
            case ast.Delete(targets=[target]) if self._scope.is_hidden(target):
                return self._change(ast.Delete([target]))
            case ast.Try() | ast.With() | ast.FunctionDef() | ast.ClassDef() if self._scope.is_hidden(node):
                raise RefusedProblemError(f"A {type(node).__name__} statement works on hidden values.")
            case ast.Raise():
                return [node]
        if self._scope.is_hidden(node):
            raise RefusedProblemError(f"A {type(node).__name__} statement works on hidden values.")
        return [node]

    def _else(self, body: Sequence[ast.stmt]) -> list[ast.stmt]:
        return self.block(body) if body else []

    # --- assignments

    def _assign(self, targets: Sequence[ast.expr], value: ast.expr) -> list[ast.stmt]:
        if len(targets) > 1:
            return [made for target in reversed(targets) for made in self._assign([target], value)]
        pairs = unpack(targets[0], value)
        if any(self._is_register(target) for target, _ in pairs):
            return self._change(ast.Assign(list(targets), value))
        hidden = self._scope.is_hidden(value) or self._scope.is_hidden(targets[0])
        if not hidden:
            return [ast.Assign(list(targets), self.reveal(value))]
        if len(pairs) == 1 or not isinstance(value, ast.Tuple | ast.List):
            return [made for target, part in pairs for made in self._bind(target, part)]
        return self._bind_together(pairs)

    def _bind_together(self, pairs: Sequence[tuple[ast.expr, ast.expr]]) -> list[ast.stmt]:
        names: list[ast.expr] = []
        values: list[ast.expr] = []
        for target, part in pairs:
            for made in self._bind(target, part):
                if not isinstance(made, ast.Assign):
                    raise RefusedProblemError("Values are exchanged in a way that tools cannot follow.")
                names += made.targets
                values.append(made.value)
        if not names:
            return []
        return [ast.Assign([ast.Tuple(names, ast.Store())], ast.Tuple(values, ast.Load()))]

    def _bind(self, target: ast.expr, value: ast.expr) -> list[ast.stmt]:
        """Binds one target to one value."""
        kind = self._scope.hidden.get(target.id) if isinstance(target, ast.Name) else None
        if isinstance(kind, View):
            hidden = self._scope.express(value)
            if hidden is None:
                raise RefusedProblemError("A hidden value is assigned in a way that tools cannot follow.")
            pairs = [
                (name, hole)
                for name, hole in zip(kind.coordinates, hidden.holes, strict=True)
                if not (isinstance(hole, ast.Name) and hole.id == name)
            ]
            return [ast.Assign([ast.Name(name, ast.Store())], hole) for name, hole in pairs]
        if isinstance(kind, Register):
            return self._change(ast.Assign([target], value))
        if isinstance(target, ast.Starred):
            raise RefusedProblemError("A starred target takes hidden values.")
        if isinstance(target, ast.Subscript):
            index = self.reveal(target.slice)
            return [ast.Assign([ast.Subscript(target.value, index, ast.Store())], self.reveal(value))]
        return [ast.Assign([target], self.reveal(value))]

    def _is_register(self, target: ast.expr) -> bool:
        """Returns whether an assignment changes the environment."""
        if isinstance(target, ast.Name):
            return isinstance(self._scope.hidden.get(target.id), Register)
        while isinstance(target, ast.Subscript | ast.Attribute):
            target = target.value
            if isinstance(target, ast.Name):
                return target.id in self._scope.hidden
        return False

    def _augment(self, node: ast.AugAssign) -> list[ast.stmt]:
        if self._is_register(node.target):
            return self._change(node)
        if isinstance(node.target, ast.Name) and node.target.id in self._scope.hidden:
            raise RefusedProblemError("A hidden value is changed in a way that tools cannot follow.")
        target = node.target
        if isinstance(target, ast.Subscript):
            target = ast.Subscript(target.value, self.reveal(target.slice), ast.Store())
        elif isinstance(target, ast.Name) and not self._owner.variation.agent_computes:
            whole = ast.BinOp(ast.Name(target.id, ast.Load()), node.op, node.value)
            if self._scope.express(whole) is not None:
                return [ast.Assign([target], self.reveal(whole))]
        return [ast.AugAssign(target, node.op, self.reveal(node.value))]

    def _change(self, node: ast.stmt) -> list[ast.stmt]:
        """Has a tool execute a statement that assigns attributes of the environment."""
        targets: list[ast.expr]
        match node:
            case ast.Assign(targets=targets, value=value):
                parts = [_as_value(targets[0]), value]
            case ast.AugAssign(target=target, value=value):
                parts = [_as_value(target), value]
            case ast.Delete(targets=targets):
                parts = [_as_value(targets[0])]
            case ast.Expr(value=value):
                parts = [value]
            case _:
                raise RefusedProblemError("A statement changes hidden values.")
        if isinstance(parts[0], ast.Tuple) and any(
            isinstance(each, ast.Name) and each.id not in self._scope.hidden for each in parts[0].elts
        ):
            raise RefusedProblemError("An assignment changes hidden and visible variables together.")
        made = self._scope.express(ast.Tuple(parts, ast.Load()))
        if made is None or not isinstance(made.expression, ast.Tuple):
            raise RefusedProblemError("Hidden values are changed in a way that tools cannot follow.")
        built = made.expression.elts
        change: ast.stmt
        match node:
            case ast.Assign():
                change = ast.Assign([_as_target(built[0])], built[1])
            case ast.AugAssign(op=operator):
                changed = _as_target(built[0])
                if not isinstance(changed, ast.Name | ast.Attribute | ast.Subscript):
                    raise RefusedProblemError("A statement changes hidden values.")
                change = ast.AugAssign(changed, operator, built[1])
            case ast.Delete():
                change = ast.Delete([_as_target(built[0])])
            case _:
                change = ast.Expr(built[0])
        return [self._owner.change(change, made.holes)]

    def _expression_statement(self, value: ast.expr) -> list[ast.stmt]:
        call = self._changing_call(value)
        if call is not None:
            return [self._owner.change(ast.Expr(call.expression), call.holes)]
        return [ast.Expr(self.reveal(value))]

    def _changing_call(self, value: ast.expr) -> HiddenValue | None:
        """Returns a call that changes a hidden container as the environment makes it, or None."""
        match value:
            case ast.Call(func=ast.Attribute(value=base, attr=name), args=args) if name in MUTATING_METHODS:
                if not self._is_register(_as_target(base)):
                    return None
            case ast.Call(func=ast.Name(id=name), args=args) if name in MUTATING_FUNCTIONS and args:
                if not self._is_register(args[0]):
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

    # --- loops

    def _for(self, node: ast.For) -> list[ast.stmt]:
        if not self._scope.is_hidden(node.iter):
            body = self.block(node.body)
            return [ast.For(node.target, node.iter, body, self._else(node.orelse))]
        match node.iter:
            case ast.Call(func=ast.Name(id="range"), args=bounds):
                return self._for_range(node, bounds)
        position = self._variables.position_of(node)
        plan = plan_loop(node.target, node.iter, position)
        if plan is None:
            raise RefusedProblemError("A loop walks hidden values in a way that positions cannot follow.")
        counts = [self._count(source) for source in plan.sources]
        count = (
            counts[0] if len(counts) == 1 else ast.Call(ast.Name("min", ast.Load()), _distinct(counts), [])
        )
        if isinstance(count, ast.Call) and len(count.args) == 1 and len(counts) > 1:
            count = count.args[0]
        body = [*self._first_statements(plan, position), *self.block(node.body)]
        if len(plan.sources) == 1 and not plan.backwards and self._changes_source(node):
            return _growing_loop(position, self._count(plan.sources[0]), body, self._else(node.orelse))
        return [
            ast.For(
                ast.Name(position, ast.Store()), _range(count, plan.backwards), body, self._else(node.orelse)
            )
        ]

    def _first_statements(self, plan: LoopPlan, position: str) -> list[ast.stmt]:
        made: list[ast.stmt] = []
        for target, start in plan.counters:
            index: ast.expr = ast.Name(position, ast.Load())
            if not (isinstance(start, ast.Constant) and start.value == 0):
                index = ast.BinOp(index, ast.Add(), start)
            made.append(ast.Assign([target], index))
        for target, value in plan.elements:
            if self._scope.is_hidden(value):
                if not (isinstance(target, ast.Name) and target.id == "_"):
                    made += self._bind(target, value)
            else:
                made.append(ast.Assign([target], value))
        return made

    def _changes_source(self, node: ast.For) -> bool:
        """Returns whether the body of a loop changes what the loop walks."""
        names = {each.id for each in ast.walk(node.iter) if isinstance(each, ast.Name)}
        return bool(names & self._variables.mutated)

    def _count(self, source: ast.expr) -> ast.expr:
        call = ast.Call(ast.Name("len", ast.Load()), [source], [])
        call.counts_elements = True  # type: ignore[attr-defined]
        return self.reveal(call) if self._scope.is_hidden(source) else call

    def _for_range(self, node: ast.For, bounds: Sequence[ast.expr]) -> list[ast.stmt]:
        """Lifts a loop up to a hidden bound; a number that is hidden itself is compared, not revealed."""
        last = bounds[1] if len(bounds) > 1 else bounds[0]
        counted = all(
            not self._scope.is_hidden(each) or self._is_length(each) or not self._owner.variation.state
            for each in bounds
        )
        if counted:
            revealed = ast.Call(ast.Name("range", ast.Load()), [self.reveal(each) for each in bounds], [])
            return [ast.For(node.target, revealed, self.block(node.body), self._else(node.orelse))]
        step = bounds[2] if len(bounds) > 2 else ast.Constant(1)
        if node.orelse or not isinstance(node.target, ast.Name) or self._scope.is_hidden(step):
            raise RefusedProblemError("A loop counts to a hidden number in a way that tools cannot follow.")
        start = bounds[0] if len(bounds) > 1 else ast.Constant(0)
        down = isinstance(step, ast.UnaryOp)
        if not (isinstance(step, ast.Constant) or down):
            raise RefusedProblemError("A loop counts with a step that is not constant.")
        name = node.target.id
        if name in self._scope.hidden:
            raise RefusedProblemError("A loop variable is hidden.")
        first = ast.BinOp(self.reveal(start), ast.Sub(), step)
        following = ast.BinOp(ast.Name(name, ast.Load()), ast.Add(), step)
        operator: ast.cmpop = ast.Gt() if down else ast.Lt()
        test = self._test(ast.Compare(following, [operator], [last]))
        advance = ast.AugAssign(ast.Name(name, ast.Store()), ast.Add(), step)
        begin = ast.Assign([ast.Name(name, ast.Store())], _folded(first))
        return [begin, ast.While(test, [advance, *self.block(node.body)], [])]

    def _is_length(self, node: ast.expr) -> bool:
        """Returns whether a bound reads hidden values only to count them."""
        match node:
            case ast.Call(func=ast.Name(id="len")):
                return True
        if isinstance(node, ast.Name):
            return node.id not in self._scope.hidden
        return all(self._is_length(each) for each in ast.iter_child_nodes(node) if isinstance(each, ast.expr))

    # --- expressions

    def _test(self, node: ast.expr) -> ast.expr:
        """Returns the oracle's expression for a condition."""
        match node:
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return ast.UnaryOp(ast.Not(), self._test(operand))
            case ast.BoolOp(op=operator, values=values) if self._owner.variation.split or not all(
                map(self._scope.is_hidden, values)
            ):
                return ast.BoolOp(operator, [self._test(each) for each in values])
        if self._scope.is_hidden(node) and not _is_condition(node):
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
        changing = self._changing_call(node)
        if changing is not None:
            return self._owner.call(changing, node)
        entered = self._entered(node)
        if entered is not None:
            return entered
        hidden = self._scope.express(node)
        if hidden is not None:
            if _is_whole(hidden):
                return self._read_out(node, hidden)
            call = self._owner.call(hidden, node)
            if hidden.shape is not None and hidden.shape.only(Kind.TUPLE):
                # Tuples arrive as lists.
                return ast.Call(ast.Name("tuple", ast.Load()), [call], [])
            return call
        return self._rebuild(node)

    def _reveal_in_parts(self, node: ast.expr) -> ast.expr | None:
        """Reveals the parts of an expression that the caller composes; None if it is one step."""
        hidden = self._scope.is_hidden
        match node:
            case ast.BoolOp(op=operator, values=values) if self._owner.variation.split or not all(
                map(hidden, values)
            ):
                return ast.BoolOp(operator, [self.reveal(each) for each in values])
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return ast.UnaryOp(ast.Not(), self._test(operand))
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return ast.IfExp(self._test(test), self.reveal(body), self.reveal(orelse))
            case ast.Tuple() | ast.List() | ast.Set() | ast.Dict() | ast.JoinedStr():
                return self._rebuild(node)
            case ast.BinOp(left=left, op=ast.Add() | ast.Sub(), right=right) if (
                self._owner.variation.agent_computes
            ):
                known = [each for each in (left, right) if not hidden(each)]
                if known and not isinstance(known[0], ast.Constant):
                    return ast.BinOp(self.reveal(left), node.op, self.reveal(right))
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
        if shape is None or not (shape.is_indexed or shape.kinds <= {Kind.LIST, Kind.SET, Kind.TUPLE}):
            raise RefusedProblemError("A whole hidden container would have to be read.")
        members = shape.member()
        if members is None:
            raise RefusedProblemError("A whole hidden container would have to be read.")
        count = self._count(node)
        variable = self._owner.names.variable("each")
        scope = self._scope
        scope.visible = scope.visible | {variable}
        element = ast.Subscript(copy.deepcopy(node), ast.Name(variable, ast.Load()), ast.Load())
        element.is_element = True  # type: ignore[attr-defined]
        value = self.reveal(element)
        clause = ast.comprehension(ast.Name(variable, ast.Store()), _range(count, False), [], 0)
        listed = ast.ListComp(value, [clause])
        if shape.only(Kind.STR):
            return ast.Call(ast.Attribute(ast.Constant(""), "join", ast.Load()), [listed], [])
        if shape.only(Kind.TUPLE) or shape.only(Kind.SET):
            return ast.Call(ast.Name(next(iter(shape.kinds)).value, ast.Load()), [listed], [])
        return listed

    def _entered(self, node: ast.expr) -> ast.expr | None:
        """Returns the call of the oracle's version of a function, or None if it is a tool or no function."""
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in self._owner.program.functions:
                if name in self._scope.helpers and self._scope.express(node) is not None:
                    return None
                function = self._owner.program.functions[name]
            case _:
                return None
        arguments = _bind_arguments(function, node)
        kinds: dict[str, HiddenKind] = {}
        shapes: dict[str, Shape] = {}
        visible: list[ast.expr] = []
        coordinates: list[ast.expr] = []
        for parameter, argument in arguments:
            hidden = self._scope.express(argument) if self._scope.is_hidden(argument) else None
            shape = hidden.shape if hidden is not None else None
            plain = shape is None or shape.is_plain
            if hidden is None or (plain and (not hidden.raw or parameter in assigned_names(function.body))):
                visible.append(self.reveal(argument))
                continue
            kind = _kind_of_argument(parameter, hidden)
            kinds[parameter] = kind
            if hidden.shape is not None:
                shapes[parameter] = hidden.shape
            if isinstance(kind, View):
                coordinates += hidden.holes
        entered = self._owner.enter(function, kinds, shapes)
        return ast.Call(ast.Name(entered, ast.Load()), [*visible, *coordinates], [])


def _is_condition(node: ast.expr) -> bool:
    """Returns whether an expression is true or false, and nothing else."""
    match node:
        case ast.Compare() | ast.UnaryOp(op=ast.Not()):
            return True
        case ast.BoolOp(values=values):
            return all(map(_is_condition, values))
        case ast.Call(func=ast.Name(id="isinstance" | "bool" | "any" | "all")):
            return True
        case ast.Call(func=ast.Attribute(attr=name)):
            return name.startswith("is") or name in ("startswith", "endswith")
    return False


def _kind_of_argument(parameter: str, hidden: HiddenValue) -> HiddenKind:
    match hidden.expression:
        case ast.Attribute(value=ast.Name(id="self"), attr=attribute):
            return Register(attribute, hidden.shape)
    names = tuple(f"{parameter}_index_{number}" for number in range(1, len(hidden.holes) + 1))
    if len(names) == 1:
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


def _reaches(program: Program, name: str, goal: str) -> bool:
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current in seen or current not in program.functions:
            continue
        seen.add(current)
        called = {each.id for each in ast.walk(program.functions[current]) if isinstance(each, ast.Name)}
        if goal in called:
            return True
        waiting += called
    return False


def _names(parameters: Sequence[str]) -> list[ast.expr]:
    return [ast.Name(each, ast.Load()) for each in parameters]


def _call_tool(tool: LiftedTool, holes: Sequence[ast.expr]) -> ast.Call:
    keywords = [
        ast.keyword(name, copy.deepcopy(hole)) for name, hole in zip(tool.parameters, holes, strict=True)
    ]
    return ast.Call(ast.Attribute(ast.Name("tools", ast.Load()), tool.name, ast.Load()), [], keywords)


def _fill_statement(statement: ast.stmt, values: list[ast.expr]) -> ast.stmt:
    made = copy.deepcopy(statement)
    for name, value in ast.iter_fields(made):
        if isinstance(value, ast.expr):
            setattr(made, name, fill(value, values))
        elif isinstance(value, list):
            setattr(
                made, name, [fill(each, values) if isinstance(each, ast.expr) else each for each in value]
            )
    return made


def _as_value(node: ast.expr) -> ast.expr:
    made = copy.deepcopy(node)
    for each in ast.walk(made):
        if hasattr(each, "ctx"):
            each.ctx = ast.Load()
    return made


def _as_target(node: ast.expr) -> ast.expr:
    made = copy.deepcopy(node)
    if hasattr(made, "ctx"):
        made.ctx = ast.Store()
    if isinstance(made, ast.Tuple | ast.List):
        made.elts = [_as_target(each) for each in made.elts]
    return made


def _growing_loop(
    position: str, count: ast.expr, body: list[ast.stmt], orelse: list[ast.stmt]
) -> list[ast.stmt]:
    """Returns a loop over the positions of a list whose length may change meanwhile."""
    begin = ast.Assign([ast.Name(position, ast.Store())], ast.Constant(-1))
    following = ast.BinOp(ast.Name(position, ast.Load()), ast.Add(), ast.Constant(1))
    advance = ast.AugAssign(ast.Name(position, ast.Store()), ast.Add(), ast.Constant(1))
    return [begin, ast.While(ast.Compare(following, [ast.Lt()], [count]), [advance, *body], orelse)]


def _range(count: ast.expr, backwards: bool) -> ast.expr:
    if not backwards:
        return ast.Call(ast.Name("range", ast.Load()), [count], [])
    last = ast.BinOp(count, ast.Sub(), ast.Constant(1))
    minus = ast.UnaryOp(ast.USub(), ast.Constant(1))
    return ast.Call(ast.Name("range", ast.Load()), [last, minus, copy.deepcopy(minus)], [])


def _distinct(nodes: Sequence[ast.expr]) -> list[ast.expr]:
    return list({ast.dump(node): node for node in nodes}.values())


def _folded(node: ast.BinOp) -> ast.expr:
    """Computes a difference of two constants."""
    match node:
        case ast.BinOp(left=ast.Constant(value=int(one)), op=ast.Sub(), right=ast.Constant(value=int(other))):
            return ast.Constant(one - other)
    return node
