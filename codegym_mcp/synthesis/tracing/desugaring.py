"""Writes comprehensions, aggregates and generators as loops, whose steps can become tool calls one by one."""

import ast
import copy
from collections.abc import Callable, Iterable

from codegym_mcp.synthesis.tracing.sorting_by_comparison import write_sorts_as_comparisons
from codegym_mcp.synthesis.tracing.traced_program import assigned_names
from codegym_mcp.synthesis.tracing.value_shapes import Kind, Shape

_BUILDERS = {
    "list": "list",
    "tuple": "list",
    "set": "list",
    "sorted": "list",
    "dict": "list",
    "frozenset": "list",
}
_ENDLESS = 8
_RESULT_KINDS = {
    "total": frozenset({Kind.INT, Kind.FLOAT}),
    "count": frozenset({Kind.INT}),
    "holds": frozenset({Kind.BOOL}),
}


def desugar(
    function: ast.FunctionDef, hidden: Iterable[str], shapes: dict[str, Shape], *, aggregates: bool = True
) -> ast.FunctionDef:
    """Returns a copy of a function in which computations over hidden containers are loops.

    Args:
        hidden: the parameters with hidden values.
        shapes: the shapes of variables.
        aggregates: whether sums, counts and extremes of variables become loops too.
    """
    changed = copy.deepcopy(function)
    if any(isinstance(node, ast.Yield | ast.YieldFrom) for node in _own_nodes(changed.body)):
        changed.body = [
            *_parse("collected = []"),
            *_Yields().rewrite(changed.body),
            *_parse("return collected"),
        ]
    writer = _LoopWriter(changed, set(hidden), shapes, aggregates)
    if aggregates:
        changed.body = writer.prepare_sorts(changed.body)
    changed.body = writer.block(changed.body)
    changed.body = _rename_reassigned(changed)
    return ast.fix_missing_locations(changed)


def _own_nodes(body: list[ast.stmt]) -> Iterable[ast.AST]:
    waiting: list[ast.AST] = list(body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            waiting.extend(ast.iter_child_nodes(node))


def _parse(text: str) -> list[ast.stmt]:
    return ast.parse(text).body


def _expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


class _Yields(ast.NodeTransformer):
    """Writes `yield x` as `collected.append(x)`."""

    def rewrite(self, body: list[ast.stmt]) -> list[ast.stmt]:
        return [self.visit(statement) for statement in body]

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return node

    def visit_Return(self, node: ast.Return) -> ast.AST:
        return ast.Return(ast.Name("collected", ast.Load()))

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        match node.value:
            case ast.Yield(value=value):
                (statement,) = _parse("collected.append(None)")
                if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
                    statement.value.args = [value or ast.Constant(None)]
                return statement
            case ast.YieldFrom(value=value):
                (statement,) = _parse("for item in None:\n    collected.append(item)")
                if isinstance(statement, ast.For):
                    statement.iter = value
                return statement
        return node


class _LoopWriter:
    """Rewrites the statements of one function."""

    def __init__(
        self, function: ast.FunctionDef, hidden: set[str], shapes: dict[str, Shape], aggregates: bool
    ) -> None:
        self._shapes = shapes
        self._aggregates = aggregates
        self._names = {each.id for each in ast.walk(function) if isinstance(each, ast.Name)}
        self._names |= {each.arg for each in ast.walk(function) if isinstance(each, ast.arg)}
        self._tainted = _tainted(function, hidden)
        self._parameters = {each.arg for each in function.args.args}
        self._before: list[ast.stmt] = []
        self._bound: set[str] = set(assigned_names(function.body)) | {a.arg for a in function.args.args}

    def prepare_sorts(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """Writes the sorts of hidden lists as comparisons."""
        made: list[ast.stmt] = []
        for statement in body:
            made += [*self._named_sorts(statement), statement]

        def is_sortable(node: ast.expr) -> bool:
            return isinstance(node, ast.Name) and self._is_list(node.id) and self._is_input(node.id)

        ranked = write_sorts_as_comparisons(made, is_sortable, self._fresh)
        # The positions are looped over like the list itself was.
        self._tainted |= {name for name in self._names if name.startswith("order")}
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
            case ast.Call(func=ast.Name(id="sorted"), args=[ast.Name(id=name)]):
                return self._is_list(name) and self._is_input(name)
        return False

    def _moved(self, node: ast.expr, found: list[ast.stmt]) -> ast.expr:
        name = self._fresh("ranked")
        self._bound.add(name)
        found.append(ast.Assign([ast.Name(name, ast.Store())], node))
        return ast.Name(name, ast.Load())

    def block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        return [made for statement in body for made in self._statement(statement)]

    def _statement(self, node: ast.stmt) -> list[ast.stmt]:
        outer, self._before = self._before, []
        match node:
            case ast.Return(value=ast.IfExp() as choice) if self._is_rewritten(choice):
                made = ast.If(choice.test, [ast.Return(choice.body)], [ast.Return(choice.orelse)])
                self._before = outer
                return self._statement(made)
            case ast.Return(value=value) if value is not None:
                node.value = self._expression(value)
            case ast.Assign() | ast.AugAssign():
                node.value = self._expression(node.value)
            case ast.Expr():
                node.value = self._expression(node.value)
            case ast.If():
                node.test = self._expression(node.test)
                before, self._before = self._before, []
                node.body, node.orelse = self.block(node.body), self.block(node.orelse)
                self._before = before
            case ast.For():
                node.iter = self._expression(node.iter)
                before, self._before = self._before, []
                node.body, node.orelse = self.block(node.body), self.block(node.orelse)
                self._before = before
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
        made_before, self._before = self._before, outer
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
            case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords) if args:
                source = self._source(args[-1] if name in ("map", "filter", "reduce") else args[0], name)
                if name in ("map", "filter") and len(args) >= 2 and self._is_hidden(args[1]):
                    generator = _mapped(name, args, self._fresh)
                    return dry or (self._collect(generator) if generator is not None else False)
                if name == "reduce" and len(args) >= 2 and self._is_hidden(args[1]):
                    return dry or self._reduce(args)
                if source is None:
                    return False
                if name in ("sum", "any", "all", "len", "max", "min") and not (
                    keywords and name not in ("max", "min")
                ):
                    if dry:
                        return True
                    return self._aggregate(name, source, args, keywords, args[0])
                if name in _BUILDERS and not isinstance(args[0], ast.Name):
                    if dry:
                        return True
                    node.args[0] = self._collect(source)
                    return node
            case ast.Call(func=ast.Attribute(value=base, attr="join"), args=[argument]):
                source = self._source(argument, "join")
                if source is not None and not isinstance(argument, ast.Name):
                    if dry:
                        return True
                    node.args[0] = self._collect(source)
                    return node
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name) as base, attr="count"), args=[argument]):
                if self._is_list(name) and self._aggregates:
                    item = self._fresh("item")
                    test = ast.Compare(ast.Name(item, ast.Load()), [ast.Eq()], [argument])
                    generator = ast.GeneratorExp(
                        ast.Constant(1), [ast.comprehension(ast.Name(item, ast.Store()), base, [test], 0)]
                    )
                    return dry or self._aggregate("sum", generator, [generator], [], generator)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name) as base, attr="index"), args=[argument]):
                if self._is_list(name) and self._aggregates:
                    return dry or self._index(base, argument)
            case ast.Compare(
                left=left, ops=[ast.In() | ast.NotIn() as operator], comparators=[ast.Name(id=name) as base]
            ):
                if self._is_list(name) and self._aggregates:
                    return dry or self._member(left, base, isinstance(operator, ast.In))
            case ast.Compare(left=left, ops=[ast.Eq() | ast.NotEq() as operator], comparators=[right]):
                if self._aggregates and self._is_sequence(left) and self._is_sequence(right):
                    return dry or self._equal(left, right, isinstance(operator, ast.Eq))
            case ast.ListComp(elt=elt, generators=generators):
                if self._is_hidden(generators[0].iter):
                    return dry or self._collect(ast.GeneratorExp(elt, generators))
            case ast.SetComp(elt=elt, generators=generators):
                if self._is_hidden(generators[0].iter):
                    return dry or _call("set", self._collect(ast.GeneratorExp(elt, generators)))
            case ast.DictComp(key=key, value=value, generators=generators):
                if self._is_hidden(generators[0].iter):
                    return dry or self._collect_dict(key, value, generators)
        return False

    def _index(self, base: ast.expr, value: ast.expr) -> ast.expr:
        """Writes the search for a member as a loop that ends at the first equal one."""
        place = self._named("place", ast.Constant(0))
        member = ast.Subscript(base, ast.Name(place, ast.Load()), ast.Load())
        test = ast.Compare(member, [ast.NotEq()], [value])
        step = ast.AugAssign(ast.Name(place, ast.Store()), ast.Add(), ast.Constant(1))
        self._before.append(ast.While(test, [step], []))
        return ast.Name(place, ast.Load())

    def _member(self, value: ast.expr, base: ast.expr, wanted: bool) -> ast.expr:
        """Writes the test whether a value is in a list as a search."""
        item = self._fresh("item")
        self._bound.add(item)
        self._tainted.add(item)
        result = self._named("holds", ast.Constant(not wanted))
        test = ast.Compare(ast.Name(item, ast.Load()), [ast.Eq()], [value])
        found = ast.Assign([ast.Name(result, ast.Store())], ast.Constant(wanted))
        loop = ast.For(ast.Name(item, ast.Store()), base, [ast.If(test, [found, ast.Break()], [])], [])
        self._before.append(loop)
        return ast.Name(result, ast.Load())

    def _equal(self, left: ast.expr, right: ast.expr, wanted: bool) -> ast.expr:
        """Writes the comparison of two sequences as a loop that ends at the first difference."""
        place = self._fresh("place")
        self._bound.add(place)
        counts = [_call("len", _unsliced(each)) for each in (left, right)]
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
        places = _call("range", counts[0] if same_source else _call("min", *counts))
        self._before.append(
            ast.For(ast.Name(place, ast.Store()), places, [ast.If(differ, [change, ast.Break()], [])], [])
        )
        return ast.Name(result, ast.Load())

    def _is_sequence(self, node: ast.expr) -> bool:
        """Returns whether an expression is a hidden list or long text, possibly reversed."""
        match node:
            case ast.Subscript(value=ast.Name() as base, slice=ast.Slice(lower=None, upper=None)):
                return self._is_sequence(base)
            case ast.Name(id=name) if name in self._tainted:
                shape = self._shapes.get(name)
                return shape is not None and shape.is_indexed and not shape.is_scalar
        return False

    def _source(self, node: ast.expr, name: str) -> ast.GeneratorExp | None:
        """Returns what a call aggregates as a generator, or None if it is not hidden or not decomposed."""
        match node:
            case ast.GeneratorExp(generators=generators) | ast.ListComp(generators=generators):
                if self._is_hidden(generators[0].iter):
                    return ast.GeneratorExp(node.elt, generators)
            case ast.Call(func=ast.Name(id="map" | "filter" as function), args=args) if len(args) >= 2:
                if self._is_hidden(args[1]):
                    return _mapped(function, args, self._fresh)
            case ast.Name(id=variable) if self._aggregates and name in ("sum", "any", "all", "max", "min"):
                if self._is_hidden(node) and self._is_list(variable):
                    item = self._fresh("item")
                    target = ast.Name(item, ast.Store())
                    return ast.GeneratorExp(
                        ast.Name(item, ast.Load()), [ast.comprehension(target, node, [], 0)]
                    )
        return None

    def _is_hidden(self, node: ast.expr) -> bool:
        return any(isinstance(each, ast.Name) and each.id in self._tainted for each in ast.walk(node))

    def _is_list(self, name: str) -> bool:
        shape = self._shapes.get(name)
        return name in self._tainted and shape is not None and shape.kinds <= {Kind.LIST, Kind.TUPLE}

    def _fresh(self, wanted: str) -> str:
        name, number = wanted, 2
        while name in self._names:
            name, number = f"{wanted}_{number}", number + 1
        self._names.add(name)
        return name

    def _prepare(self, generator: ast.GeneratorExp) -> ast.GeneratorExp:
        """Renames the variables of a generator that the function uses for something else."""
        made = copy.deepcopy(generator)
        names = {}
        for clause in made.generators:
            for each in ast.walk(clause.target):
                if isinstance(each, ast.Name):
                    names[each.id] = self._fresh(each.id) if each.id in self._bound else each.id
        first = copy.deepcopy(made.generators[0].iter)
        _Rename(names).visit(made)
        # The first source is evaluated outside of the generator.
        made.generators[0].iter = first
        for old, new in names.items():
            self._bound.add(new)
            self._tainted.add(new)
            if old in self._shapes:
                self._shapes.setdefault(new, self._shapes[old])
        return made

    def _loops(self, generator: ast.GeneratorExp, body: list[ast.stmt]) -> None:
        """Writes a generator as nested loops before the statement."""
        for clause in reversed(generator.generators):
            for test in reversed(clause.ifs):
                body = [ast.If(test, body, [])]
            body = [ast.For(clause.target, clause.iter, body, [])]
        self._before += self.block(body)

    def _named(self, name: str, start: ast.expr) -> str:
        fresh = self._fresh(name)
        self._bound.add(fresh)
        if name in _RESULT_KINDS:
            self._shapes[fresh] = Shape(_RESULT_KINDS[name])
        self._before.append(ast.Assign([ast.Name(fresh, ast.Store())], start))
        return fresh

    def _collect(self, generator: ast.GeneratorExp) -> ast.expr:
        generator = self._prepare(generator)
        found = self._named("found", ast.List([], ast.Load()))
        self._tainted.add(found)
        call = ast.Call(ast.Attribute(ast.Name(found, ast.Load()), "append", ast.Load()), [generator.elt], [])
        self._loops(generator, [ast.Expr(call)])
        return ast.Name(found, ast.Load())

    def _collect_dict(self, key: ast.expr, value: ast.expr, generators: list[ast.comprehension]) -> ast.expr:
        generator = self._prepare(ast.GeneratorExp(ast.Tuple([key, value], ast.Load()), generators))
        if isinstance(generator.elt, ast.Tuple):
            key, value = generator.elt.elts
        found = self._named("table", ast.Dict([], []))
        target = ast.Subscript(ast.Name(found, ast.Load()), key, ast.Store())
        self._loops(generator, [ast.Assign([target], value)])
        return ast.Name(found, ast.Load())

    def _aggregate(
        self,
        name: str,
        generator: ast.GeneratorExp,
        args: list[ast.expr],
        keywords: list[ast.keyword],
        original: ast.expr,
    ) -> ast.expr:
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
        result = self._fresh("greatest" if name == "max" else "least")
        self._bound.add(result)
        if isinstance(original, ast.Name) and default is None:
            return self._extreme_of_variable(result, original, operator, key)
        self._before.append(ast.Assign([ast.Name(result, ast.Store())], default or ast.Constant(None)))
        value = self._fresh("value")
        self._bound.add(value)
        store = ast.Assign([ast.Name(result, ast.Store())], ast.Name(value, ast.Load()))
        known = ast.Compare(ast.Name(result, ast.Load()), [ast.Is()], [ast.Constant(None)])
        compared = ast.Compare(
            _apply(key, ast.Name(value, ast.Load())), [operator], [_apply(key, ast.Name(result, ast.Load()))]
        )
        take = ast.Assign([ast.Name(value, ast.Store())], generator.elt)
        self._loops(generator, [take, ast.If(ast.BoolOp(ast.Or(), [known, compared]), [store], [])])
        return ast.Name(result, ast.Load())

    def _extreme_of_variable(
        self, result: str, source: ast.Name, operator: ast.cmpop, key: ast.expr | None
    ) -> ast.expr:
        """Compares members of a list, so that neither the members nor the best one need to be known."""
        place = self._fresh("place")
        self._bound.add(place)
        shape = self._shapes.get(source.id)
        if shape is not None and shape.items is not None:
            self._shapes[result] = shape.items
        first = ast.Subscript(source, ast.Constant(0), ast.Load())
        member = ast.Subscript(source, ast.Name(place, ast.Load()), ast.Load())
        store = ast.Assign([ast.Name(result, ast.Store())], member)
        compared = ast.Compare(
            _apply(key, copy.deepcopy(member)), [operator], [_apply(key, ast.Name(result, ast.Load()))]
        )
        places = _call("range", ast.Constant(1), _call("len", copy.deepcopy(source)))
        loop = ast.For(ast.Name(place, ast.Store()), places, [ast.If(compared, [store], [])], [])
        self._before += [ast.Assign([ast.Name(result, ast.Store())], first), loop]
        return ast.Name(result, ast.Load())

    def _reduce(self, args: list[ast.expr]) -> ast.expr | bool:
        function = args[0]
        if not (isinstance(function, ast.Lambda) and len(function.args.args) == 2 and len(args) == 3):
            return False
        result, item = self._fresh("result"), self._fresh("item")
        self._bound |= {result, item}
        self._before.append(ast.Assign([ast.Name(result, ast.Store())], args[2]))
        self._tainted.add(item)
        one, other = (each.arg for each in function.args.args)
        value = _Rename({one: result, other: item}).visit(copy.deepcopy(function.body))
        store = ast.Assign([ast.Name(result, ast.Store())], value)
        clause = ast.comprehension(ast.Name(item, ast.Store()), args[1], [], 0)
        self._loops(ast.GeneratorExp(value, [clause]), [store])
        return ast.Name(result, ast.Load())


class _Rename(ast.NodeTransformer):
    def __init__(self, names: dict[str, str]) -> None:
        self._names = names

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(self._names[node.id], node.ctx) if node.id in self._names else node


def _apply(key: ast.expr | None, value: ast.expr) -> ast.expr:
    match key:
        case None:
            return value
        case ast.Lambda(args=ast.arguments(args=[ast.arg(arg=name)]), body=body):
            made: ast.expr = _Substitute(name, value).visit(copy.deepcopy(body))
            return made
    return ast.Call(copy.deepcopy(key), [value], [])


class _Substitute(ast.NodeTransformer):
    def __init__(self, name: str, value: ast.expr) -> None:
        self._name = name
        self._value = value

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return copy.deepcopy(self._value) if node.id == self._name else node


def _mapped(name: str, args: list[ast.expr], fresh: Callable[[str], str]) -> ast.GeneratorExp | None:
    function, sources = args[0], args[1:]
    if isinstance(function, ast.Lambda):
        names = [fresh(each.arg) for each in function.args.args]
        rename = {each.arg: new for each, new in zip(function.args.args, names, strict=True)}
        value = _Rename(rename).visit(copy.deepcopy(function.body))
    else:
        names = [fresh("item") for _ in sources]
        value = ast.Call(function, [ast.Name(each, ast.Load()) for each in names], [])
        if isinstance(function, ast.Constant):
            value = ast.Name(names[0], ast.Load())
    if len(names) != len(sources):
        return None
    targets: list[ast.expr] = [ast.Name(each, ast.Store()) for each in names]
    target = targets[0] if len(targets) == 1 else ast.Tuple(targets, ast.Store())
    source = sources[0] if len(sources) == 1 else _call("zip", *sources)
    if name == "filter":
        clause = ast.comprehension(target, source, [value], 0)
        return ast.GeneratorExp(ast.Name(names[0], ast.Load()), [clause])
    return ast.GeneratorExp(value, [ast.comprehension(target, source, [], 0)])


def _unsliced(node: ast.expr) -> ast.expr:
    """Returns the sequence of a slice that keeps all members."""
    return copy.deepcopy(node.value if isinstance(node, ast.Subscript) else node)


def _call(name: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])


def _tainted(function: ast.FunctionDef, hidden: set[str]) -> set[str]:
    """Returns the names of variables that may depend on hidden values."""
    tainted = set(hidden)
    for _ in range(_ENDLESS):
        before = len(tainted)
        for node in ast.walk(function):
            match node:
                case ast.Assign(targets=targets, value=value):
                    pairs = [(target, value) for target in targets]
                case ast.For(target=target, iter=value) | ast.comprehension(target=target, iter=value):
                    pairs = [(target, value)]
                case _:
                    continue
            for target, value in pairs:
                if any(isinstance(each, ast.Name) and each.id in tainted for each in ast.walk(value)):
                    names = (each for each in ast.walk(target) if isinstance(each, ast.Name))
                    tainted |= {each.id for each in names if isinstance(each.ctx, ast.Store)}
        if len(tainted) == before:
            break
    return tainted


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
                    rename = _Rename({name: f"{name}_prepared"})
                    statement.targets = [ast.Name(f"{name}_prepared", ast.Store())]
                    body[place + 1 :] = [rename.visit(each) for each in body[place + 1 :]]
    return body
