"""Tests of the language policy, against the policy alone: no process stands behind it here."""

import ast
import symtable
import sys
import warnings
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegym_mcp.errors import SourceError
from codegym_mcp.sandbox.language.environment_dialects import Dialect
from codegym_mcp.sandbox.language.guarded_builtins import make_namespace
from codegym_mcp.sandbox.language.syntax_policy import compile_restricted, restrict, without
from codegym_mcp.source_parsing import MAX_SOURCE, parse_source
from tests.sandbox.policy_payloads import BINDINGS, Deadline, Payload, deadline, read_payloads

PATH = "somewhere.py"
PAYLOADS = list(read_payloads())


def compiled(source: str, *, codegym: bool = False) -> Any:
    dialect = Dialect.CODEGYM if codegym else Dialect.NATIVE
    return compile_restricted(restrict(parse_source(source, PATH), PATH, dialect), PATH)


def run(source: str, *, codegym: bool = False) -> dict[str, Any]:
    namespace = make_namespace()
    exec(compiled(source, codegym=codegym), namespace)
    return namespace


def run_plain(source: str) -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": "environment", "deadline": deadline}
    with warnings.catch_warnings(action="ignore"):
        # Newer versions of Python advise against some of what payloads use.
        exec(compile(source, PATH, "exec", dont_inherit=True), namespace)
    return namespace


def refusal(source: str, *, codegym: bool = False) -> SourceError:
    with pytest.raises(SourceError) as caught:
        compiled(source, codegym=codegym)
    return caught.value


# --- hostile code


@pytest.fixture
def unspoilt() -> Iterator[None]:
    """Takes away again what payloads leave on shared objects."""
    yield
    for shared in (import_module("string"), import_module("json").dumps, import_module("random").Random):
        with suppress(AttributeError):
            del shared.canary


def payloads(how: str) -> Any:
    return pytest.mark.parametrize(
        "payload", [pytest.param(payload, id=payload.name) for payload in PAYLOADS if payload.how == how]
    )


@pytest.mark.usefixtures("unspoilt")
@pytest.mark.parametrize("payload", [pytest.param(payload, id=payload.name) for payload in PAYLOADS])
def test_a_payload_succeeds_in_plain_python(payload: Payload) -> None:
    assert payload.succeeds(run_plain(payload.source)["loot"])


@payloads("refused")
def test_a_payload_is_refused(payload: Payload) -> None:
    error = refusal(payload.source)

    assert payload.says in error.problem
    assert error.path == PATH
    assert error.line is not None
    assert 1 <= error.line <= len(payload.source.splitlines())
    assert error.hint


@pytest.mark.usefixtures("unspoilt")
@payloads("guard")
def test_a_payload_is_stopped_by_a_guard(payload: Payload) -> None:
    code = compiled(payload.source)
    namespace = make_namespace() | {"deadline": deadline}

    with pytest.raises((Exception, Deadline)) as caught:
        exec(code, namespace)

    assert payload.says in f"{caught.type.__name__}: {caught.value}"
    assert namespace.get("loot") is None


@pytest.mark.usefixtures("unspoilt")
@payloads("harmless")
def test_a_payload_runs_and_has_to_do_without(payload: Payload) -> None:
    assert not payload.succeeds(run(payload.source)["loot"])


def test_every_payload_has_a_name_of_its_own() -> None:
    names = [payload.name for payload in PAYLOADS]

    assert len(set(names)) == len(names) > 150


@pytest.mark.parametrize("name", ["_getattr_", "_write_", "_fatal_", "__builtins__", "__build_class__", "_x"])
@pytest.mark.parametrize("form", BINDINGS)
def test_no_form_of_binding_takes_the_name_of_a_guard(form: str, name: str) -> None:
    source = BINDINGS[form].format(name=name)

    assert "begins with an underscore" in refusal(source).problem or form.startswith("match")
    assert any(binds(table, name) for table in tables(symtable.symtable(source, PATH, "exec")))


def tables(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    yield table
    for child in table.get_children():
        yield from tables(child)


def binds(table: symtable.SymbolTable, name: str) -> bool:
    with suppress(KeyError):
        symbol = table.lookup(name)
        return symbol.is_assigned() or symbol.is_parameter() or symbol.is_imported() or symbol.is_nonlocal()
    return False


@pytest.mark.skipif(sys.version_info < (3, 12), reason="type parameters are new in Python 3.12")
@pytest.mark.parametrize("source", ["def f[_write_](): pass", "class A[_write_]: pass", "type _write_ = int"])
def test_type_parameters_are_refused(source: str) -> None:
    assert "not allowed" in refusal(source).problem


@pytest.mark.parametrize("source", ["from . import x", "from .json import loads", "from .. import json"])
def test_relative_imports_are_refused(source: str) -> None:
    assert refusal(source).problem.startswith("import from .")


# --- what an author is told


def test_the_first_line_is_explained_and_the_others_are_named() -> None:
    error = refusal(
        "import math\nx = ()\n\ndef f():\n    return x._hidden\n\nimport os\nimport os\nopen('x')\n"
    )

    assert error.line == 5
    assert error.problem == "the name _hidden begins with an underscore; refused as well: line 7, 8, 9"


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("import os", "Environments may import ast, bisect, collections"),
        ("from math import nothing", "math has here: acos"),
        ("import collections.abc", "Write: from collections.abc import"),
        ("x = type(5)", "Use isinstance."),
        ("x = open('file')", "no files"),
        (
            "class A:\n  def __str__(self): return ''",
            "Allowed special methods: __contains__, __eq__",
        ),
        ("class A:\n  def _helper(self): return ''", "helpers are functions of the module"),
        ("async def f(): pass", "Use def, class, if, for"),
        ("class A(object): pass", "Leave the base class out."),
        ("x = 'a {}'.format(5)", "Use an f-string, or the function format."),
    ],
)
def test_a_refusal_says_how_to_correct_the_source(source: str, hint: str) -> None:
    assert hint in refusal(source).hint


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("x = (", "not valid Python"),
        ("x = 1\0", "null character"),
        ("x = '\ud800'", "half of a surrogate pair"),
        ("x = " + "9" * 5000, "not valid Python"),
        ("return", "'return' outside function"),
        ("x = 1" + "+1" * 20_000, "nested too deeply to be read"),
        ("x = " + "-" * 90_000 + "1", "nested too deeply to be read"),
        ("x = 1" + "+1" * 900, "nested too deeply to be read"),
        ("#" * (MAX_SOURCE + 1), "at most 100,000 are allowed"),
    ],
    ids=lambda value: value[:20],
)
def test_a_source_that_cannot_be_compiled_is_refused(source: str, problem: str) -> None:
    assert problem in refusal(source).problem


@pytest.mark.parametrize("source", ["x = 1\n\ny = (", "x = 1\ny = 2\nreturn x"])
def test_an_error_of_syntax_names_its_line(source: str) -> None:
    assert refusal(source).line == 3


def test_a_bomb_for_the_compiler_is_refused_before_it_is_compiled() -> None:
    bomb = "".join(" " * depth + "try: a()\n" + " " * depth + "finally:\n" for depth in range(19))

    assert refusal(bomb + " " * 19 + "b()\n").problem.startswith("finally is not allowed")


WORDS = st.sampled_from(
    "x y _z __class__ self class def return if else : ( ) [ ] { } = += := . , * ** import os from math try "
    "except finally lambda for in while with as match case async await yield global nonlocal del 1 'a' "
    "f'{x}' \n \n\n ".split(" ")
)


@given(st.one_of(st.text(), st.lists(WORDS, max_size=40).map(" ".join)))
def test_any_text_is_compiled_or_refused(source: str) -> None:
    with suppress(SourceError):
        compiled(source)


# --- honest code means what it means in Python

HONEST = {
    "augmented assignment evaluates its target once": """
        calls = []
        class Box:
            def __init__(self):
                self.items = [1, 2]
                self.total = 5
        box = Box()
        def at(value, name):
            calls.append(name)
            return value
        at(box, "box").total += at(3, "value")
        at(box.items, "list")[at(1, "index")] *= 10
        box.items[:1] += [7]
        box.items += [8]
        total = 1
        total -= 3
        result = box.total, box.items, calls, total
    """,
    "unpacking": """
        import itertools
        (a, (b, *c)), d = (1, (2, 3, 4)), 5
        [e, f] = "xy"
        try:
            g, h = itertools.count()
        except ValueError as error:
            g = str(error)
        result = a, b, c, d, e, f, g, [k + v for k, v in {1: 2}.items()], [x for (x, y), z in [((1, 2), 3)]]
    """,
    "arguments": """
        def f(a, /, b=2, *rest, function=0, **more):
            return a, b, rest, function, more
        result = f(1, *[3, 4], **{"function": 5, "name": 6}), f(*(1,), b=7), (lambda *a, k=1: (a, k))(2)
    """,
    "scopes": """
        count = 0
        def make():
            inner = 0
            def step():
                global count
                nonlocal inner
                count += 1
                inner += 2
                return inner
            return step
        step = make()
        result = step(), step(), count, (n := 4) + n
    """,
    "classes": """
        class Shape:
            sides = 0
            def __init__(self, size):
                self.size = size
                self.seen = {}
            @property
            def area(self):
                return self.size ** 2
            @area.setter
            def area(self, value):
                self.size = value
            @staticmethod
            def unit():
                return "m"
            @classmethod
            def make(cls, size):
                return cls(size)
            def __eq__(self, other):
                return NotImplemented if not isinstance(other, Shape) else self.size == other.size
            def __lt__(self, other):
                return self.size < other.size
            def __contains__(self, item):
                return item < self.size
        class Square(Shape):
            sides = 4
        square = Square.make(3)
        square.area = 5
        square.seen["a"] = 1
        del square.seen["a"]
        square.extra = 1
        del square.extra
        result = (
            square.size, square.area, square.sides, Shape.unit(), 4 in square, square == Square(5),
            square == 5,
            sorted([Square(2), Square(1)])[0].size, hasattr(square, "extra"), getattr(square, "size"),
            getattr(square, "missing", 7), isinstance(square, Shape),
        )
    """,
    "exceptions": """
        class Refused(ValueError):
            def __init__(self, why):
                self.why = why
        seen = []
        def attempt(action):
            try:
                action()
            except (KeyError, Refused) as error:
                seen.append(str(error))
            except ZeroDivisionError:
                seen.append("zero")
                raise
            except:
                seen.append("other")
            else:
                seen.append("fine")
        def refuse():
            raise Refused("no") from None
        attempt(refuse)
        attempt(lambda: {}["k"])
        attempt(lambda: [][0])
        attempt(lambda: 1)
        try:
            attempt(lambda: 1 / 0)
        except ArithmeticError as error:
            seen.append(error.args)
        def deep(n):
            return deep(n + 1)
        try:
            deep(0)
        except RecursionError:
            seen.append("deep")
        result = seen
    """,
    "generators": """
        def count(to):
            for n in range(to):
                got = yield n
                if got:
                    yield from "ab"
        g = count(3)
        result = next(g), g.send(1), list(g), list(map(str, (x * x for x in range(3) if x)))
    """,
    "containers": """
        from collections import Counter, OrderedDict, defaultdict, deque
        class Stack(list):
            def top(self):
                return self[-1]
        stack = Stack([1, 2])
        stack.append(3)
        stack[0] = 9
        groups = defaultdict(list)
        groups["a"].append(1)
        groups["b"] += [2]
        queue = deque([1, 2], maxlen=2)
        queue[0] = 5
        count = Counter("aab")
        count["a"] -= 1
        order = OrderedDict(a=1)
        order["b"] = 2
        result = stack, stack.top(), groups, queue, count.most_common(), order, {*[1, 2]}, {**order}
    """,
    "records": """
        from typing import NotRequired, TypedDict
        class Point(TypedDict, total=False):
            x: int
            y: NotRequired[int]
        Alternative = TypedDict("Alternative", {"z": int})
        point = Point(x=1)
        point["y"] = 2
        result = point, {**Point(x=3)}, Alternative(z=4), isinstance(point, dict)
    """,
    "annotations": """
        from __future__ import annotations
        from collections.abc import Callable, Iterable
        from typing import Any, Dict, List, Literal, Optional, Union
        Grid = List[List[int]]
        Maybe = Optional[int] | None
        Either = None | Union[int, str] | Dict[str, Any]
        plain: list[int] = [1]
        later: int
        def first(grid: Grid, f: Callable[[int], int] = abs, *rest: Iterable[int]) -> Literal[1]:
            found: int = f(grid[0][0])
            return found
        result = first([[-4]]), plain
    """,
    "modules": """
        import ast, bisect, copy, heapq, itertools, json, math, operator, re, statistics, string, textwrap
        from datetime import date, datetime, timedelta, timezone
        from decimal import Decimal, ROUND_HALF_UP
        from fractions import Fraction
        heap = [3, 1, 2]
        heapq.heapify(heap)
        result = (
            ast.literal_eval("[1, (2,)]"), bisect.insort([1, 3], 2), copy.deepcopy({"a": [1]}),
            heapq.heappop(heap), list(itertools.accumulate([1, 2, 3])),
            json.loads(json.dumps({"a": [1, None]})), math.isqrt(10), operator.itemgetter(1)("ab"),
            statistics.median([1, 5, 2]), string.ascii_lowercase[:3],
            textwrap.dedent("  a"), Decimal("1.005").quantize(Decimal("0.01"), ROUND_HALF_UP),
            Fraction(1, 3) + 1, (datetime(2020, 1, 31) + timedelta(days=1)).isoformat(),
            datetime.strptime("2020-02-03 04", "%Y-%m-%d %H"), date(2020, 5, 6).strftime("%d %B %j"),
            datetime(2020, 1, 1, tzinfo=timezone.utc).timestamp(),
        )
    """,
    "regular expressions": """
        import re
        pattern = re.compile(r"(\\w)(\\d)", re.IGNORECASE)
        match = pattern.search("x A1")
        result = (
            pattern.sub(r"\\2\\1", "a1 b2"), match.expand(r"\\1-\\2"), match.groups(), match.start(),
            re.sub("a", lambda m: m.group().upper(), "banana"),
            [m.span() for m in re.finditer("n", "banana")],
        )
    """,
    "caches": """
        from functools import cache, cmp_to_key, lru_cache, partial, reduce
        calls = []
        @cache
        def fib(n):
            calls.append(n)
            return n if n < 2 else fib(n - 1) + fib(n - 2)
        @lru_cache(maxsize=None)
        def square(n):
            return n * n
        @lru_cache
        def cube(n):
            return n ** 3
        class Grid:
            @cache
            def cell(self, n):
                calls.append("cell")
                return n
        grid = Grid()
        result = (
            fib(9), len(calls), square(4), cube(2), fib.cache_info().hits, grid.cell(1), grid.cell(1), calls,
            reduce(lambda a, b: a * b, [1, 2, 3]), partial(pow, 2)(5), partial(pow, 2).args,
            sorted([3, 1], key=cmp_to_key(lambda a, b: a - b)),
        )
    """,
    "seeded chance": """
        import random
        random.seed(3)
        generator = random.Random("seed")
        cards = list(range(9))
        generator.shuffle(cards)
        result = random.random(), random.sample(range(9), 3), generator.randint(1, 6), cards
    """,
    "strings": """
        name, width = "x", 6
        result = (
            f"{name!r:>{width}}|{3.14159:.2f}|{{}}", "%s-%05.1f" % ("a", 2), format(255, "#x"), bin(5),
            ascii("é"), "a,b".split(","), str(b"x", "ascii"), "-".join(map(str, [1, 2])), "ab"[::-1],
            print("unheard"),
        )
    """,
    "harmless names": """
        printed = [1]
        builtins = 2
        _ = 3
        for _ in [4]: pass
        def input(text): return text
        def f(type, id=5): return type, id
        result = printed, builtins, _, input("x"), f(6)
    """,
    "names of guarded attributes on one's own objects": """
        class Desk:
            def format(self, x): return x + 1
            def register(self, x): return x + 2
            @staticmethod
            def now(): return 3
        class Failed(ValueError):
            def __init__(self, obj):
                self.obj = obj
        desk = Desk()
        desk.today = 4
        result = desk.format(1), desk.register(1), desk.now(), Desk.now(), desk.today, Failed(5).obj
    """,
    "assertions": """
        try:
            assert 1 > 2, "no"
        except AssertionError as error:
            result = str(error)
    """,
}


@pytest.mark.parametrize("name", HONEST)
def test_allowed_code_behaves_as_in_plain_python(name: str) -> None:
    source = dedent(HONEST[name])

    assert repr(run(source)["result"]) == repr(run_plain(source)["result"])


def test_honest_code_may_keep_its_own_objects_in_sets() -> None:
    names = run("class A: pass\nitems = [A() for _ in range(9)]\nresult = [x in {*items} for x in items]")

    assert names["result"] == [True] * 9


def test_errors_name_the_line_of_the_source() -> None:
    code = compiled(
        "class A:\n    def f(self):\n        x = 1\n        self.y = [\n            x.now]\nA().f()\n"
    )

    with pytest.raises(AttributeError) as caught:
        exec(code, make_namespace())

    trace = [entry.lineno + 1 for entry in caught.traceback if str(entry.path) == "<environment>"]
    assert trace == [6, 5]


# --- what is left out


@pytest.mark.parametrize("test", ['__name__ == "__main__"'])
def test_a_main_block_is_left_out(test: str) -> None:
    tree = parse_source(f"x = 1\nif {test}:\n    x = open('anything')\n", PATH)
    tree.body = without(tree.body, frozenset())

    assert ast.unparse(tree) == "x = 1"


@pytest.mark.parametrize(
    "source",
    [
        "if __name__ != '__main__':\n    x = 1",
        "if __name__ == '__main__' or True:\n    x = 1",
        "if __name__ == '__main__':\n    pass\nelse:\n    x = 1",
        "if __name__ == '__main__':\n    pass\nelif True:\n    x = 1",
        "if (x := __name__) == '__main__':\n    pass",
        "def f():\n    if __name__ == '__main__':\n        return 1",
        "while __name__ == '__main__':\n    x = 1",
    ],
)
def test_what_only_resembles_a_main_block_is_not_left_out_silently(source: str) -> None:
    tree = parse_source(source, PATH)
    tree.body = without(tree.body, frozenset())

    with pytest.raises(SourceError, match="__name__ begins with an underscore"):
        restrict(tree, PATH)


# --- the CodeGym format

CODEGYM = """
import gymnasium
class Env(gymnasium.Env):
    def __init__(self):
        super().__init__()
        self._reward = 0
        self._done = False
    def earn(self):
        self._reward += 1
        self._done = bool(eval("[1]"))
        return self._reward, self._done
result = Env().earn()
"""


def test_the_codegym_format_keeps_its_state_and_its_eval_reads_literals_alone() -> None:
    assert run(CODEGYM, codegym=True)["result"] == (1, True)
    with pytest.raises(ValueError, match="malformed"):
        run("eval('print(1)')", codegym=True)


def test_the_state_of_the_codegym_format_is_refused_elsewhere() -> None:
    assert "refused as well: line 6, 7, 9, 10, 11" in refusal(CODEGYM).problem


@pytest.mark.parametrize(
    "source",
    [
        "class A:\n  def f(self): self._other = 1",
        "class A:\n  def f(self, other): return other._done",
        "class A:\n  def f(self): return super().f()",
        "class A:\n  def f(self): super().__init__(open('x'))",
        "class A:\n  def f(self): super().__init__(x=open('x'))",
        "class A:\n  def f(self): return self._done.__class__",
    ],
)
def test_the_codegym_format_gets_no_more_than_it_needs(source: str) -> None:
    assert refusal(source, codegym=True).line == 2


def test_state_is_out_of_reach_of_getattr() -> None:
    assert run("class A: pass\nresult = hasattr(A(), '_done')", codegym=True)["result"] is False
