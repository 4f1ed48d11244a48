"""Writes aggregates, searches, comparisons and comprehensions as loops before a statement."""

import ast
import copy
from collections.abc import Callable

from codegym_mcp.synthesis.program_tracing.lifting.hidden_variables import HiddenVariables
from codegym_mcp.synthesis.program_tracing.syntax_nodes import Rename, apply_key, call_of, without_slice
from codegym_mcp.synthesis.program_tracing.value_shapes import Kind, Shape

_RESULT_KINDS = {
    "total": frozenset({Kind.INT, Kind.FLOAT}),
    "count": frozenset({Kind.INT}),
    "holds": frozenset({Kind.BOOL}),
}


class LoopWriter:
    """Writes loops. Each method returns the expression that has the result after them.

    Attributes:
        statements: what was written; the caller puts it before its statement.
    """

    def __init__(
        self, variables: HiddenVariables, rewrite: Callable[[list[ast.stmt]], list[ast.stmt]]
    ) -> None:
        """
        Args:
            rewrite: writes what the body of a new loop contains as loops too.
        """
        self._variables = variables
        self._rewrite = rewrite
        self.statements: list[ast.stmt] = []

    def index(self, base: ast.expr, value: ast.expr) -> ast.expr:
        """Writes the search for a member as a loop that ends at the first equal one."""
        place = self._named("place", ast.Constant(0))
        member = ast.Subscript(base, ast.Name(place, ast.Load()), ast.Load())
        test = ast.Compare(member, [ast.NotEq()], [value])
        step = ast.AugAssign(ast.Name(place, ast.Store()), ast.Add(), ast.Constant(1))
        self.statements.append(ast.While(test, [step], []))
        return ast.Name(place, ast.Load())

    def member(self, value: ast.expr, base: ast.expr, wanted: bool) -> ast.expr:
        """Writes the test whether a value is in a list as a search."""
        item = self._variables.fresh("item")
        self._variables.bound.add(item)
        self._variables.tainted.add(item)
        result = self._named("holds", ast.Constant(not wanted))
        test = ast.Compare(ast.Name(item, ast.Load()), [ast.Eq()], [value])
        found = ast.Assign([ast.Name(result, ast.Store())], ast.Constant(wanted))
        loop = ast.For(ast.Name(item, ast.Store()), base, [ast.If(test, [found, ast.Break()], [])], [])
        self.statements.append(loop)
        return ast.Name(result, ast.Load())

    def equal(self, left: ast.expr, right: ast.expr, wanted: bool) -> ast.expr:
        """Writes the comparison of two sequences as a loop that ends at the first difference."""
        place = self._variables.fresh("place")
        self._variables.bound.add(place)
        counts = [call_of("len", without_slice(each)) for each in (left, right)]
        same_source = ast.dump(counts[0]) == ast.dump(counts[1])
        lengths: ast.expr = ast.Compare(counts[0], [ast.Eq()], [copy.deepcopy(counts[1])])
        lengths = ast.Constant(True) if same_source else lengths
        start = lengths if wanted else ast.UnaryOp(ast.Not(), lengths)
        result = self._named("holds", ast.Constant(wanted) if same_source else start)
        parts = [
            ast.Subscript(copy.deepcopy(each), ast.Name(place, ast.Load()), ast.Load())
            for each in (left, right)
        ]
        differ = ast.Compare(parts[0], [ast.NotEq()], [parts[1]])
        change = ast.Assign([ast.Name(result, ast.Store())], ast.Constant(not wanted))
        counts = [copy.deepcopy(each) for each in counts]
        places = call_of("range", counts[0] if same_source else call_of("min", *counts))
        self.statements.append(
            ast.For(ast.Name(place, ast.Store()), places, [ast.If(differ, [change, ast.Break()], [])], [])
        )
        return ast.Name(result, ast.Load())

    def collect(self, generator: ast.GeneratorExp) -> ast.expr:
        """Writes a generator as a loop that fills a list."""
        generator = self._prepare(generator)
        found = self._named("found", ast.List([], ast.Load()))
        self._variables.tainted.add(found)
        call = ast.Call(ast.Attribute(ast.Name(found, ast.Load()), "append", ast.Load()), [generator.elt], [])
        self._loops(generator, [ast.Expr(call)])
        return ast.Name(found, ast.Load())

    def gather(self, function: ast.Name, generator: ast.GeneratorExp) -> ast.expr:
        """Writes a set or counter of a generator as a loop that fills it."""
        generator = self._prepare(generator)
        is_set = function.id == "set"
        found = self._named("different" if is_set else "counted", ast.Call(copy.deepcopy(function), [], []))
        self._variables.tainted.add(found)
        name = ast.Name(found, ast.Load())
        step: ast.stmt = ast.AugAssign(
            ast.Subscript(name, generator.elt, ast.Store()), ast.Add(), ast.Constant(1)
        )
        if is_set:
            step = ast.Expr(ast.Call(ast.Attribute(name, "add", ast.Load()), [generator.elt], []))
        self._loops(generator, [step])
        return ast.Name(found, ast.Load())

    def first(self, generator: ast.GeneratorExp, default: ast.expr) -> ast.expr:
        """Writes `next(generator, default)` as a loop that ends at the first value."""
        generator = self._prepare(generator)
        found = self._named("first", default)
        if len(generator.generators) > 1:
            found_any = self._named("holds", ast.Constant(False))
            known = ast.UnaryOp(ast.Not(), ast.Name(found_any, ast.Load()))
            take: list[ast.stmt] = [
                ast.If(
                    known,
                    [
                        ast.Assign([ast.Name(found, ast.Store())], generator.elt),
                        ast.Assign([ast.Name(found_any, ast.Store())], ast.Constant(True)),
                    ],
                    [],
                )
            ]
        else:
            take = [ast.Assign([ast.Name(found, ast.Store())], generator.elt), ast.Break()]
        self._loops(generator, take)
        return ast.Name(found, ast.Load())

    def collect_dict(self, key: ast.expr, value: ast.expr, generators: list[ast.comprehension]) -> ast.expr:
        """Writes a dict comprehension as a loop that fills a dict."""
        generator = self._prepare(ast.GeneratorExp(ast.Tuple([key, value], ast.Load()), generators))
        if isinstance(generator.elt, ast.Tuple):
            key, value = generator.elt.elts
        found = self._named("table", ast.Dict([], []))
        target = ast.Subscript(ast.Name(found, ast.Load()), key, ast.Store())
        self._loops(generator, [ast.Assign([target], value)])
        return ast.Name(found, ast.Load())

    def aggregate(
        self,
        name: str,
        generator: ast.GeneratorExp,
        args: list[ast.expr],
        keywords: list[ast.keyword],
        original: ast.expr,
    ) -> ast.expr:
        """Writes `sum`, `len`, `any`, `all`, `max` or `min` as a loop.

        Args:
            args, keywords: those of the call.
            original: what the call aggregates, as it was written.
        """
        generator = self._prepare(generator)
        if name in ("sum", "len"):
            start = args[1] if len(args) > 1 else ast.Constant(0)
            result = self._named("total" if name == "sum" else "count", start)
            step = ast.Constant(1) if name == "len" else generator.elt
            self._loops(generator, [ast.AugAssign(ast.Name(result, ast.Store()), ast.Add(), step)])
            return ast.Name(result, ast.Load())
        if name in ("any", "all"):
            result = self._named("holds", ast.Constant(name == "all"))
            test = generator.elt if name == "any" else ast.UnaryOp(ast.Not(), generator.elt)
            change = ast.Assign([ast.Name(result, ast.Store())], ast.Constant(name == "any"))
            single = len(generator.generators) == 1
            self._loops(generator, [ast.If(test, [change, *([ast.Break()] if single else [])], [])])
            return ast.Name(result, ast.Load())
        return self._extreme(name, generator, keywords, original)

    def _extreme(
        self, name: str, generator: ast.GeneratorExp, keywords: list[ast.keyword], original: ast.expr
    ) -> ast.expr:
        key = next((each.value for each in keywords if each.arg == "key"), None)
        default = next((each.value for each in keywords if each.arg == "default"), None)
        operator = ast.Gt() if name == "max" else ast.Lt()
        result = self._variables.fresh("greatest" if name == "max" else "least")
        self._variables.bound.add(result)
        if isinstance(original, ast.Name) and default is None:
            return self._extreme_of_variable(result, original, operator, key)
        self.statements.append(ast.Assign([ast.Name(result, ast.Store())], default or ast.Constant(None)))
        value = self._variables.fresh("value")
        self._variables.bound.add(value)
        store = ast.Assign([ast.Name(result, ast.Store())], ast.Name(value, ast.Load()))
        known = ast.Compare(ast.Name(result, ast.Load()), [ast.Is()], [ast.Constant(None)])
        compared = ast.Compare(
            apply_key(key, ast.Name(value, ast.Load())),
            [operator],
            [apply_key(key, ast.Name(result, ast.Load()))],
        )
        take = ast.Assign([ast.Name(value, ast.Store())], generator.elt)
        self._loops(generator, [take, ast.If(ast.BoolOp(ast.Or(), [known, compared]), [store], [])])
        return ast.Name(result, ast.Load())

    def _extreme_of_variable(
        self, result: str, source: ast.Name, operator: ast.cmpop, key: ast.expr | None
    ) -> ast.expr:
        """Compares members of a list, so that neither the members nor the best one need to be known."""
        place = self._variables.fresh("place")
        self._variables.bound.add(place)
        shape = self._variables.shapes.get(source.id)
        if shape is not None and shape.items is not None:
            self._variables.shapes[result] = shape.items
        first = ast.Subscript(source, ast.Constant(0), ast.Load())
        member = ast.Subscript(source, ast.Name(place, ast.Load()), ast.Load())
        store = ast.Assign([ast.Name(result, ast.Store())], member)
        compared = ast.Compare(
            apply_key(key, copy.deepcopy(member)), [operator], [apply_key(key, ast.Name(result, ast.Load()))]
        )
        places = call_of("range", ast.Constant(1), call_of("len", copy.deepcopy(source)))
        loop = ast.For(ast.Name(place, ast.Store()), places, [ast.If(compared, [store], [])], [])
        self.statements += [ast.Assign([ast.Name(result, ast.Store())], first), loop]
        return ast.Name(result, ast.Load())

    def reduce(self, args: list[ast.expr]) -> ast.expr | bool:
        """Writes `reduce` as a loop, or returns False if its function is not a lambda with a start."""
        function = args[0]
        if not (isinstance(function, ast.Lambda) and len(function.args.args) == 2 and len(args) == 3):
            return False
        result, item = self._variables.fresh("result"), self._variables.fresh("item")
        self._variables.bound |= {result, item}
        self.statements.append(ast.Assign([ast.Name(result, ast.Store())], args[2]))
        self._variables.tainted.add(item)
        one, other = (each.arg for each in function.args.args)
        value = Rename({one: result, other: item}).visit(copy.deepcopy(function.body))
        store = ast.Assign([ast.Name(result, ast.Store())], value)
        clause = ast.comprehension(ast.Name(item, ast.Store()), args[1], [], 0)
        self._loops(ast.GeneratorExp(value, [clause]), [store])
        return ast.Name(result, ast.Load())

    def _prepare(self, generator: ast.GeneratorExp) -> ast.GeneratorExp:
        """Renames the variables of a generator that the function uses for something else."""
        made = copy.deepcopy(generator)
        names = {}
        for clause in made.generators:
            for each in ast.walk(clause.target):
                if isinstance(each, ast.Name):
                    names[each.id] = (
                        self._variables.fresh(each.id) if each.id in self._variables.bound else each.id
                    )
        first = copy.deepcopy(made.generators[0].iter)
        Rename(names).visit(made)
        # The first source is evaluated outside of the generator.
        made.generators[0].iter = first
        for old, new in names.items():
            self._variables.bound.add(new)
            self._variables.tainted.add(new)
            if old in self._variables.shapes:
                self._variables.shapes.setdefault(new, self._variables.shapes[old])
        return made

    def _loops(self, generator: ast.GeneratorExp, body: list[ast.stmt]) -> None:
        """Writes a generator as nested loops before the statement."""
        for clause in reversed(generator.generators):
            for test in reversed(clause.ifs):
                body = [ast.If(test, body, [])]
            body = [ast.For(clause.target, clause.iter, body, [])]
        self.statements += self._rewrite(body)

    def _named(self, name: str, start: ast.expr) -> str:
        fresh = self._variables.fresh(name)
        self._variables.bound.add(fresh)
        if name in _RESULT_KINDS:
            self._variables.shapes[fresh] = Shape(_RESULT_KINDS[name])
        self.statements.append(ast.Assign([ast.Name(fresh, ast.Store())], start))
        return fresh
