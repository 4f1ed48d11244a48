"""Rewrites the statements of a solution into those of its oracle, whose tools hold the hidden values."""

import ast
from collections.abc import Sequence

from codegym_mcp.synthesis.program_tracing.lifting.hidden_values import Register, View
from codegym_mcp.synthesis.program_tracing.lifting.loops_over_positions import LoopPlan, plan_loop, unpack
from codegym_mcp.synthesis.program_tracing.lifting.oracle_expressions import OracleExpressions
from codegym_mcp.synthesis.program_tracing.lifting.tool_collection import ToolCollection
from codegym_mcp.synthesis.program_tracing.lifting.variable_placement import FunctionVariables
from codegym_mcp.synthesis.program_tracing.syntax_nodes import (
    as_target,
    as_value,
    distinct_nodes,
    folded,
    growing_loop,
    range_of,
)
from codegym_mcp.synthesis.program_tracing.tracing_refusal import RefusedProblemError


class OracleStatements:
    """Rewrites the statements of one function."""

    def __init__(
        self, tools: ToolCollection, variables: FunctionVariables, expressions: OracleExpressions
    ) -> None:
        self._tools = tools
        self._variables = variables
        self._variation = variables.variation
        self._scope = variables.scope
        self._reveal = expressions.reveal
        self._test = expressions.test
        self._count = expressions.count
        self._is_register = expressions.is_register
        self._changing_call = expressions.changing_call

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
                return [ast.Return(self._reveal(value) if value is not None else None)]
            case ast.Expr(value=value):
                return self._expression_statement(value)
            case ast.Assert(test=test):
                return [
                    ast.If(
                        ast.UnaryOp(ast.Not(), self._test(test)),
                        [ast.Return(ast.Constant(None))],
                        [],
                    )
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
        if isinstance(targets[0], ast.Tuple) and self._changing_call(value) is not None:
            if self._scope.is_hidden(targets[0]):
                raise RefusedProblemError("Hidden values are removed in a way that tools cannot follow.")
            return [ast.Assign(list(targets), self._reveal(value))]
        pairs = unpack(targets[0], value)
        if any(self._is_register(target) for target, _ in pairs):
            return self._change(ast.Assign(list(targets), value))
        hidden = self._scope.is_hidden(value) or self._scope.is_hidden(targets[0])
        if not hidden:
            return [ast.Assign(list(targets), self._reveal(value))]
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
            index = self._reveal(target.slice)
            return [ast.Assign([ast.Subscript(target.value, index, ast.Store())], self._reveal(value))]
        return [ast.Assign([target], self._reveal(value))]

    def _augment(self, node: ast.AugAssign) -> list[ast.stmt]:
        if self._is_register(node.target):
            return self._change(node)
        if isinstance(node.target, ast.Name) and node.target.id in self._scope.hidden:
            raise RefusedProblemError("A hidden value is changed in a way that tools cannot follow.")
        target = node.target
        if isinstance(target, ast.Subscript):
            target = ast.Subscript(target.value, self._reveal(target.slice), ast.Store())
        elif isinstance(target, ast.Name) and not self._variation.agent_computes:
            whole = ast.BinOp(ast.Name(target.id, ast.Load()), node.op, node.value)
            if self._scope.express(whole) is not None:
                return [ast.Assign([target], self._reveal(whole))]
        return [ast.AugAssign(target, node.op, self._reveal(node.value))]

    def _change(self, node: ast.stmt) -> list[ast.stmt]:
        """Has a tool execute a statement that assigns attributes of the environment."""
        targets: list[ast.expr]
        match node:
            case ast.Assign(targets=targets, value=value):
                parts = [as_value(targets[0]), value]
            case ast.AugAssign(target=target, value=value):
                parts = [as_value(target), value]
            case ast.Delete(targets=targets):
                parts = [as_value(targets[0])]
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
                change = ast.Assign([as_target(built[0])], built[1])
            case ast.AugAssign(op=operator):
                changed = as_target(built[0])
                if not isinstance(changed, ast.Name | ast.Attribute | ast.Subscript):
                    raise RefusedProblemError("A statement changes hidden values.")
                change = ast.AugAssign(changed, operator, built[1])
            case ast.Delete():
                change = ast.Delete([as_target(built[0])])
            case _:
                change = ast.Expr(built[0])
        return [self._tools.change(change, made.holes)]

    def _expression_statement(self, value: ast.expr) -> list[ast.stmt]:
        call = self._changing_call(value)
        if call is not None:
            return [self._tools.change(ast.Expr(call.expression), call.holes)]
        return [ast.Expr(self._reveal(value))]

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
        counts = distinct_nodes([self._count(source) for source in plan.sources])
        count = counts[0] if len(counts) == 1 else ast.Call(ast.Name("min", ast.Load()), counts, [])
        body = [*self._first_statements(plan, position), *self.block(node.body)]
        if len(plan.sources) == 1 and not plan.backwards and self._changes_source(node):
            return growing_loop(position, self._count(plan.sources[0]), body, self._else(node.orelse))
        return [
            ast.For(
                ast.Name(position, ast.Store()),
                range_of(count, plan.backwards),
                body,
                self._else(node.orelse),
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

    def _for_range(self, node: ast.For, bounds: Sequence[ast.expr]) -> list[ast.stmt]:
        """Lifts a loop up to a hidden bound; a number that is hidden itself is compared, not revealed."""
        last = bounds[1] if len(bounds) > 1 else bounds[0]
        counted = all(
            not self._scope.is_hidden(each) or self._is_length(each) or not self._variation.state
            for each in bounds
        )
        if counted:
            revealed = ast.Call(ast.Name("range", ast.Load()), [self._reveal(each) for each in bounds], [])
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
        first = ast.BinOp(self._reveal(start), ast.Sub(), step)
        following = ast.BinOp(ast.Name(name, ast.Load()), ast.Add(), step)
        operator: ast.cmpop = ast.Gt() if down else ast.Lt()
        test = self._test(ast.Compare(following, [operator], [last]))
        advance = ast.AugAssign(ast.Name(name, ast.Store()), ast.Add(), step)
        begin = ast.Assign([ast.Name(name, ast.Store())], folded(first))
        return [begin, ast.While(test, [advance, *self.block(node.body)], [])]

    def _is_length(self, node: ast.expr) -> bool:
        """Returns whether a bound reads hidden values only to count them."""
        match node:
            case ast.Call(func=ast.Name(id="len")):
                return True
        if isinstance(node, ast.Name):
            return node.id not in self._scope.hidden
        return all(self._is_length(each) for each in ast.iter_child_nodes(node) if isinstance(each, ast.expr))
