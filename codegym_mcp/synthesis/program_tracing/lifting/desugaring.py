"""Writes comprehensions, aggregates and generators as loops, whose steps can become tool calls one by one."""

import ast
import copy
from collections.abc import Iterable

from codegym_mcp.synthesis.program_tracing.lifting.consecutive_runs import write_runs
from codegym_mcp.synthesis.program_tracing.lifting.expressions_as_loops import LoopWriter
from codegym_mcp.synthesis.program_tracing.lifting.generator_functions import collect_yields, is_generator
from codegym_mcp.synthesis.program_tracing.lifting.hidden_variables import HiddenVariables
from codegym_mcp.synthesis.program_tracing.lifting.set_combination import combine_sets, set_operands
from codegym_mcp.synthesis.program_tracing.lifting.sorting_by_comparison import write_sorts_as_comparisons
from codegym_mcp.synthesis.program_tracing.syntax_nodes import (
    Rename,
    assigned_names,
    call_of,
    mapped_generator,
)
from codegym_mcp.synthesis.program_tracing.value_shapes import Shape

_BUILDERS = {
    "list": "list",
    "tuple": "list",
    "set": "list",
    "sorted": "list",
    "dict": "list",
    "frozenset": "list",
}


def desugar(
    function: ast.FunctionDef,
    hidden: Iterable[str],
    shapes: dict[str, Shape],
    *,
    aggregates: bool = True,
    containers: bool = False,
) -> ast.FunctionDef:
    """Returns a copy of a function in which computations over hidden containers are loops.

    Args:
        hidden: the parameters with hidden values.
        shapes: the shapes of variables.
        aggregates: whether sums, counts and extremes of variables become loops too.
        containers: whether sets and counters of variables are filled by loops.
    """
    changed = copy.deepcopy(function)
    if is_generator(changed):
        changed.body = collect_yields(changed.body)
    writer = _Desugarer(changed, set(hidden), shapes, aggregates, containers)
    if aggregates:
        changed.body = writer.prepare_sorts(changed.body)
    changed.body = writer.block(changed.body)
    changed.body = _rename_reassigned(changed)
    return ast.fix_missing_locations(changed)


class _Desugarer:
    """Rewrites the statements of one function."""

    def __init__(
        self,
        function: ast.FunctionDef,
        hidden: set[str],
        shapes: dict[str, Shape],
        aggregates: bool,
        containers: bool,
    ) -> None:
        self._variables = HiddenVariables(function, hidden, shapes)
        self._loops = LoopWriter(self._variables, self.block)
        self._aggregates = aggregates
        self._containers = containers
        self._parameters = {each.arg for each in function.args.args}

    def prepare_sorts(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """Writes the sorts of hidden lists as comparisons."""
        made: list[ast.stmt] = []
        for statement in body:
            made += [*self._named_sorts(statement), statement]

        def is_sortable(node: ast.expr) -> bool:
            return isinstance(node, ast.Name) and self._variables.is_walked(node) and self._is_input(node.id)

        ranked = write_sorts_as_comparisons(made, is_sortable, self._variables.fresh)
        # The positions are looped over like the list itself was.
        self._variables.tainted |= {name for name in self._variables.names if name.startswith("order")}
        return ranked

    def _is_input(self, name: str) -> bool:
        return name in self._parameters

    def _named_sorts(self, statement: ast.stmt) -> list[ast.stmt]:
        """Gives a sorted list inside of a returned or assigned expression a name."""
        if not isinstance(statement, ast.Return | ast.Assign) or statement.value is None:
            return []
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call):
            function = statement.value.func
            if isinstance(function, ast.Name) and function.id == "sorted":
                return []
        found: list[ast.stmt] = []
        for node in ast.walk(statement.value):
            if isinstance(node, ast.ListComp | ast.GeneratorExp | ast.IfExp | ast.BoolOp):
                return []
        for node in ast.walk(statement.value):
            for name, value in ast.iter_fields(node):
                if isinstance(value, ast.expr) and self._is_sort(value):
                    setattr(node, name, self._moved(value, found))
                elif isinstance(value, list):
                    value[:] = [self._moved(each, found) if self._is_sort(each) else each for each in value]
        if self._is_sort(statement.value):
            statement.value = self._moved(statement.value, found)
        return found

    def _is_sort(self, node: object) -> bool:
        match node:
            case ast.Call(func=ast.Name(id="sorted"), args=[ast.Name(id=name) as source]):
                return self._variables.is_walked(source) and self._is_input(name)
        return False

    def _moved(self, node: ast.expr, found: list[ast.stmt]) -> ast.expr:
        name = self._variables.fresh("ranked")
        self._variables.bound.add(name)
        found.append(ast.Assign([ast.Name(name, ast.Store())], node))
        return ast.Name(name, ast.Load())

    def block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        return [made for statement in body for made in self._statement(statement)]

    def _statement(self, node: ast.stmt) -> list[ast.stmt]:
        outer, self._loops.statements = self._loops.statements, []
        match node:
            case ast.Return(value=ast.IfExp() as choice) if self._is_rewritten(choice):
                made = ast.If(choice.test, [ast.Return(choice.body)], [ast.Return(choice.orelse)])
                self._loops.statements = outer
                return self._statement(made)
            case ast.Return(value=value) if value is not None:
                node.value = self._expression(value)
            case ast.Assign() | ast.AugAssign():
                node.value = self._expression(node.value)
            case ast.Expr():
                node.value = self._expression(node.value)
            case ast.If():
                node.test = self._expression(node.test)
                before, self._loops.statements = self._loops.statements, []
                node.body, node.orelse = self.block(node.body), self.block(node.orelse)
                self._loops.statements = before
            case ast.For() if (
                runs := write_runs(node, self._variables.is_walked, self._variables.fresh)
            ) is not None:
                self._loops.statements = outer
                return self.block(runs)
            case ast.For():
                node.iter = self._expression(node.iter)
                before, self._loops.statements = self._loops.statements, []
                node.body, node.orelse = self.block(node.body), self.block(node.orelse)
                self._loops.statements = before
            case ast.While():
                if self._is_rewritten(node.test) and not node.orelse:
                    stop = ast.If(ast.UnaryOp(ast.Not(), node.test), [ast.Break()], [])
                    node.test = ast.Constant(True)
                    node.body = [stop, *node.body]
                node.body, node.orelse = self.block(node.body), self.block(node.orelse)
            case ast.Try():
                node.body = self.block(node.body)
                for handler in node.handlers:
                    handler.body = self.block(handler.body)
        made_before, self._loops.statements = self._loops.statements, outer
        return [*made_before, node]

    # --- expressions

    def _is_rewritten(self, node: ast.expr) -> bool:
        return any(isinstance(each, ast.expr) and self._loop_for(each, dry=True) for each in ast.walk(node))

    def _expression(self, node: ast.expr) -> ast.expr:
        """Moves the loops of an expression before its statement, where evaluation is not conditional."""
        made = self._loop_for(node)
        if isinstance(made, ast.expr):
            return made
        match node:
            case ast.Lambda() | ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                return node
            case ast.BoolOp():
                node.values[0] = self._expression(node.values[0])
                return node
            case ast.IfExp():
                node.test = self._expression(node.test)
                return node
        for name, value in ast.iter_fields(node):
            if isinstance(value, ast.expr):
                setattr(node, name, self._expression(value))
            elif isinstance(value, list):
                value[:] = [self._expression(each) if isinstance(each, ast.expr) else each for each in value]
                for each in value:
                    if isinstance(each, ast.keyword):
                        each.value = self._expression(each.value)
        return node

    def _loop_for(self, node: ast.expr, dry: bool = False) -> ast.expr | bool:
        """Writes the loop of an aggregate or comprehension and returns the name of its result, or False."""
        match node:
            case ast.Call(func=ast.Name(id="next"), args=[ast.GeneratorExp() as generator, default]):
                if self._variables.is_hidden(generator.generators[0].iter):
                    return dry or self._loops.first(generator, default)
            case ast.Call(func=ast.Name(id="set" | "Counter") as function, args=[argument], keywords=[]) if (
                self._containers and self._walked(argument) is not None
            ):
                gathered = self._walked(argument)
                return dry or (gathered is not None and self._loops.gather(function, gathered))
            case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords) if args:
                source = self._source(args[-1] if name in ("map", "filter", "reduce") else args[0], name)
                if name in ("map", "filter") and len(args) >= 2 and self._variables.is_hidden(args[1]):
                    mapped = mapped_generator(name, args, self._variables.fresh)
                    return dry or (mapped is not None and self._loops.collect(mapped))
                if name == "reduce" and len(args) >= 2 and self._variables.is_hidden(args[1]):
                    return dry or self._loops.reduce(args)
                if source is None:
                    return False
                if name in ("sum", "any", "all", "len", "max", "min") and not (
                    keywords and name not in ("max", "min")
                ):
                    if dry:
                        return True
                    return self._loops.aggregate(name, source, args, keywords, args[0])
                if name in _BUILDERS and not isinstance(args[0], ast.Name):
                    if dry:
                        return True
                    node.args[0] = self._loops.collect(source)
                    return node
            case ast.Call(func=ast.Attribute(value=base, attr="join"), args=[argument]):
                source = self._source(argument, "join")
                if source is not None and not isinstance(argument, ast.Name):
                    if dry:
                        return True
                    node.args[0] = self._loops.collect(source)
                    return node
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name) as base, attr="count"), args=[argument]):
                if self._variables.is_list(name) and self._aggregates:
                    item = self._variables.fresh("item")
                    test = ast.Compare(ast.Name(item, ast.Load()), [ast.Eq()], [argument])
                    generator = ast.GeneratorExp(
                        ast.Constant(1), [ast.comprehension(ast.Name(item, ast.Store()), base, [test], 0)]
                    )
                    return dry or self._loops.aggregate("sum", generator, [generator], [], generator)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name) as base, attr="index"), args=[argument]):
                if self._variables.is_list(name) and self._aggregates:
                    return dry or self._loops.index(base, argument)
            case ast.Compare(
                left=left, ops=[ast.In() | ast.NotIn() as operator], comparators=[ast.Name(id=name) as base]
            ):
                if self._variables.is_list(name) and self._aggregates:
                    return dry or self._loops.member(left, base, isinstance(operator, ast.In))
            case ast.BinOp() | ast.Call(func=ast.Attribute()) if (
                parts := set_operands(node, self._variables.is_walked)
            ) is not None:
                combined = combine_sets(*parts, fresh=self._variables.fresh)
                return dry or self._expression(combined)
            case ast.Compare(left=left, ops=[ast.Eq() | ast.NotEq() as operator], comparators=[right]):
                if (
                    self._aggregates
                    and self._variables.is_sequence(left)
                    and self._variables.is_sequence(right)
                ):
                    return dry or self._loops.equal(left, right, isinstance(operator, ast.Eq))
            case ast.ListComp(elt=elt, generators=generators):
                if self._variables.is_hidden(generators[0].iter):
                    return dry or self._loops.collect(ast.GeneratorExp(elt, generators))
            case ast.SetComp(elt=elt, generators=generators):
                if self._variables.is_hidden(generators[0].iter):
                    return dry or call_of("set", self._loops.collect(ast.GeneratorExp(elt, generators)))
            case ast.DictComp(key=key, value=value, generators=generators):
                if self._variables.is_hidden(generators[0].iter):
                    return dry or self._loops.collect_dict(key, value, generators)
        return False

    def _walked(self, node: ast.expr) -> ast.GeneratorExp | None:
        """Returns a hidden sequence or generator as a generator, or None for another expression."""
        match node:
            case ast.GeneratorExp(generators=generators) | ast.ListComp(generators=generators):
                if self._variables.is_hidden(generators[0].iter):
                    return ast.GeneratorExp(node.elt, generators)
        if not self._variables.is_walked(node):
            return None
        item = self._variables.fresh("item")
        clause = ast.comprehension(ast.Name(item, ast.Store()), node, [], 0)
        return ast.GeneratorExp(ast.Name(item, ast.Load()), [clause])

    def _source(self, node: ast.expr, name: str) -> ast.GeneratorExp | None:
        """Returns what a call aggregates as a generator, or None if it is not hidden or not decomposed."""
        match node:
            case ast.GeneratorExp(generators=generators) | ast.ListComp(generators=generators):
                if self._variables.is_hidden(generators[0].iter):
                    return ast.GeneratorExp(node.elt, generators)
            case ast.Call(func=ast.Name(id="map" | "filter" as function), args=args) if len(args) >= 2:
                if self._variables.is_hidden(args[1]):
                    return mapped_generator(function, args, self._variables.fresh)
            case ast.Name(id=variable) if self._aggregates and name in ("sum", "any", "all", "max", "min"):
                if self._variables.is_hidden(node) and self._variables.is_list(variable):
                    item = self._variables.fresh("item")
                    target = ast.Name(item, ast.Store())
                    return ast.GeneratorExp(
                        ast.Name(item, ast.Load()), [ast.comprehension(target, node, [], 0)]
                    )
        return None


def _rename_reassigned(function: ast.FunctionDef) -> list[ast.stmt]:
    """Gives a parameter that the beginning of a function reassigns a new name from there on.

    `text = text.lower()` outside of loops then defines another value instead of changing the hidden one.
    """
    body = list(function.body)
    parameters = {each.arg for each in function.args.args}
    for place, statement in enumerate(body):
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in parameters:
                if any(isinstance(each, ast.FunctionDef) for each in body):
                    return body
                reads = any(isinstance(each, ast.Name) and each.id == name for each in ast.walk(value))
                if reads and list(assigned_names(body)).count(name) == 1:
                    rename = Rename({name: f"{name}_prepared"})
                    statement.targets = [ast.Name(f"{name}_prepared", ast.Store())]
                    body[place + 1 :] = [rename.visit(each) for each in body[place + 1 :]]
    return body
