"""Tests of the namespace of restricted code: what is in it, what can be reached from it, and its guards."""

import builtins
import sys
from collections.abc import Iterator
from random import Random
from types import CodeType, FrameType, MappingProxyType, ModuleType, TracebackType
from typing import Any

import pytest

from codegym_mcp.episode_limits import Limits
from codegym_mcp.sandbox.language.allowed_modules import ALLOWED_MODULES
from codegym_mcp.sandbox.language.guarded_builtins import BUILTINS, get_attribute, make_namespace
from codegym_mcp.sandbox.language.stdlib_replacements import SeededRandom
from codegym_mcp.sandbox.language.syntax_policy import compile_restricted, restrict
from codegym_mcp.sandbox.language.text_without_addresses import TEXT_BUILTINS
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.sandbox.process.process_messages import GenerateConfig, ServeTools
from codegym_mcp.sandbox.process.process_role_code import EnvironmentProgram
from codegym_mcp.source_parsing import parse_source


def run(source: str, namespace: dict[str, Any] | None = None) -> dict[str, Any]:
    names = make_namespace() if namespace is None else namespace
    exec(
        compile_restricted(restrict(parse_source(source, "somewhere.py"), "somewhere.py"), "somewhere.py"),
        names,
    )
    return names


# --- what can be reached

EVERYTHING = (
    "".join(f"import {module}\n" for module in ALLOWED_MODULES if "." not in module)
    + """
from collections.abc import Callable
class A:
    def method(self): pass
    @property
    def value(self): return 1
    @staticmethod
    def static(): pass
    @classmethod
    def made(cls): pass
class Row(typing.TypedDict):
    x: int
class Failed(ValueError): pass
def generate(): yield 1
cached = functools.lru_cache(generate)
errors = []
def attempt(action):
    try: action()
    except Exception as error: errors.append(error)
attempt(lambda: random.urandom)
attempt(lambda: [][1])
attempt(lambda: {}["x"])
attempt(lambda: undefined)
attempt(lambda: decimal.Decimal(1) / 0)
attempt(lambda: json.loads("{"))
attempt(lambda: "é".encode("ascii"))
attempt(lambda: ast.literal_eval("f("))
attempt(lambda: next(iter([])))
attempt(lambda: statistics.mean([]))
attempt(lambda: re.compile("("))
attempt(lambda: datetime.datetime.strptime("", "%d"))
attempt(lambda: generate().throw(Failed))
things = [
    A(), A, A().method, Row, Row(x=1), Failed("x"), generate(), cached, cached.cache_info(), lambda: 1,
    map(len, []), functools.partial(generate, 1), functools.cmp_to_key(generate)(1), re.compile("a"),
    re.match("a", "a"), re.compile("a").scanner("a"), heapq.merge([1], [2]), list[int], int | str, {}.keys(),
    {1: 2}.items(), collections.defaultdict(list), collections.deque([1]), collections.Counter("a"),
    datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc), datetime.timedelta(1), decimal.Decimal(1),
    fractions.Fraction(1, 2), random.Random(1), range(3), slice(1), property(generate),
    staticmethod(generate), classmethod(generate), iter([]), iter("a"), iter({}), iter(len, 0),
    enumerate([]), zip([]), reversed([]),
    itertools.groupby([]), itertools.tee([])[0], b"x", 1, 1.5, 1j, "s", None, True, set(), frozenset(), re.I,
    operator.itemgetter(1), str.join, A.value, datetime.date.year, errors, Callable, gymnasium.Env(),
]
"""
)

FORBIDDEN = (ModuleType, FrameType, CodeType, TracebackType)


def reachable(namespace: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Everything that chains of public attributes and items lead to, each once, with its chain."""
    seen: dict[int, Any] = {}
    names = namespace | namespace["__builtins__"]
    waiting = [(name, names[name]) for name in names if not name.startswith("_")]
    while waiting:
        path, item = waiting.pop()
        if id(item) in seen or path.count(".") > 6:
            continue
        seen[id(item)] = item
        yield path, item
        if isinstance(item, list | tuple | set | frozenset):
            waiting += [(f"{path}[{number}]", part) for number, part in enumerate(item)]
        elif isinstance(item, dict | MappingProxyType):
            waiting += [(f"{path}[{key!r}]", part) for key, part in item.items()]
        for name in dir(item):
            try:
                waiting.append((f"{path}.{name}", get_attribute(item, name)))
            except Exception:
                continue


def test_no_chain_of_attributes_leads_to_the_interpreter() -> None:
    found = list(reachable(run(EVERYTHING)))

    assert len(found) > 1000
    for path, item in found:
        assert not isinstance(item, FORBIDDEN), path
        assert not any(item is root for root in (object, type, BaseException)), path
        assert not (isinstance(item, type) and issubclass(item, type)), path
        assert not (isinstance(item, dict) and "__builtins__" in item), path


def test_no_chain_of_attributes_leads_to_what_two_namespaces_could_change() -> None:
    changeable = (list, dict, set, bytearray, Random)
    # The items stay referenced, so that no id is used twice.
    one, other = (
        {id(item): (path, item) for path, item in reachable(run(EVERYTHING)) if isinstance(item, changeable)}
        for _ in range(2)
    )

    assert one
    assert not one.keys() & other.keys(), [one[each][0] for each in one.keys() & other.keys()]


def test_builtins_are_pythons_except_for_the_named_replacements() -> None:
    stand_ins = {"__build_class__", "getattr", "hasattr", "literal_eval", "print", "sum", *TEXT_BUILTINS}
    given = make_namespace()["__builtins__"]

    assert given.keys() == BUILTINS | {"__import__"}
    for name in BUILTINS - stand_ins:
        assert given[name] is getattr(builtins, name)


# --- attributes


def test_getattr_is_pythons_for_public_names() -> None:
    source = """
class A:
    def __init__(self): self.x = 1
    @property
    def broken(self): raise AttributeError("broken")
a = A()
result = [getattr(a, "x"), getattr(a, "y", None), getattr(a, "y", 5), hasattr(a, "x"), hasattr(a, "broken")]
"""
    assert run(source)["result"] == [1, None, 5, True, False]


@pytest.mark.parametrize("name", ["__class__", "_x", "_", "gi_frame", "f_globals", "mro"])
def test_getattr_does_not_reveal_whether_a_withheld_attribute_exists(name: str) -> None:
    with pytest.raises(AttributeError, match="is not available here"):
        get_attribute(5, name, None)


def test_getattr_takes_strings_alone_as_names() -> None:
    class Name(str):
        pass

    with pytest.raises(TypeError, match="names are strings"):
        get_attribute(5, Name("real"))


# --- classes

SPECIAL_BASES = (
    "str int bytes property staticmethod classmethod map enumerate datetime Decimal Fraction Random partial"
).split()


@pytest.mark.parametrize(
    "base", ["dict", "list[int]", "tuple", "GymEnv", "ValueError", "Counter", "A", "TypedDict"]
)
def test_a_class_may_inherit_from_plain_things(base: str) -> None:
    source = (
        "from collections import Counter\nfrom typing import TypedDict\nfrom gymnasium import Env as GymEnv\n"
    )

    run(source + f"class A: pass\nclass B({base}): pass\nb = B()\nb.x = 1\nresult = b.x")


@pytest.mark.parametrize("base", SPECIAL_BASES)
def test_a_class_inherits_from_nothing_that_the_guards_tell_by_its_type(base: str) -> None:
    source = (
        "from datetime import datetime\nfrom decimal import Decimal\nfrom fractions import Fraction\n"
        "from functools import partial\nfrom random import Random\n"
    )
    with pytest.raises(TypeError, match="a class cannot inherit from"):
        run(source + f"class A({base}): pass")


def test_hashes_of_instances_do_not_depend_on_their_addresses() -> None:
    source = """
class A:
    def __init__(self, n): self.n = n
class Failed(Exception): pass
kept = [A(n) for n in range(50)]
result = [item.n for item in {*kept}], len({A(0), A(0), kept[0], kept[0]}), len({Failed(), Failed()})
"""
    padding = [object() for _ in range(1001)]

    assert run(source)["result"] == run(source)["result"] == ([*range(50)], 3, 2)
    assert padding


# --- modules


@pytest.mark.parametrize(
    "action", ["json.x = 1", "del json.dumps", "copy.copy(json)", "copy.deepcopy({'a': json})"]
)
def test_modules_are_neither_changed_nor_copied(action: str) -> None:
    with pytest.raises(TypeError, match=r"cannot be (changed|copied)"):
        run(f"import copy, json\n{action}")


def test_a_module_view_names_itself_and_missing_members() -> None:
    names = run("import json\nresult = str(json)")

    assert names["result"] == "<module json>"
    with pytest.raises(AttributeError, match=r"json\.load is not available here"):
        run("import json\njson.load")


@pytest.mark.parametrize("module", sorted(ALLOWED_MODULES))
def test_every_member_of_every_module_can_be_imported(module: str) -> None:
    members = sorted(ALLOWED_MODULES[module])
    names = run(f"from {module} import {', '.join(members)}")

    assert names.keys() >= set(members)


def test_chance_is_the_same_in_every_namespace_and_not_shared() -> None:
    source = "import random\nresult = [random.random() for _ in range(3)], random.Random().random()"

    assert run(source)["result"] == run(source)["result"]


def test_a_seeded_generator_is_pythons_own() -> None:
    assert SeededRandom("a seed").sample(range(100), 9) == Random("a seed").sample(range(100), 9)


def test_modules_that_are_imported_for_c_code_are_not_given_out() -> None:
    imported = make_namespace()["__builtins__"]["__import__"]

    assert imported("time") is None
    assert "time" in sys.modules
    with pytest.raises(ImportError, match="os is not allowed"):
        imported("os")


# --- what leaves a process

LIMITS = Limits()
TOOLS = """
from datetime import datetime
class Environment:
    def __init__(self): pass
    def shown(self):
        return [str(f) for f in (lambda: 1, self.shown, (x for x in "a"), map, map(len, []), self, iter([]))]
    def refused(self): raise ValueError(lambda: 1)
    def failed(self): raise KeyError(lambda: 1)
    def local(self): return [str(datetime.fromtimestamp(0)), datetime(1970, 1, 1).timestamp()]
    def unordered(self): return ["".join({"a", "b", "c", "d"}), {3, 1, 2}]
    def written(self): return "the flag at 0x1f>, at 0x7f0000000000"
def generate(random, difficulty):
    random.seed()
    return {"n": random.random()}
"""


async def test_no_address_leaves_a_process(pool: SandboxPool) -> None:
    worker = await pool.start(EnvironmentProgram("somewhere.py", TOOLS), ServeTools({}), LIMITS)
    await worker.result(seconds=LIMITS.start_seconds)

    shown = await worker.call("shown", {}, seconds=5)
    with pytest.raises(Exception, match="<lambda>>") as refused:
        await worker.call("refused", {}, seconds=5)
    with pytest.raises(Exception, match="<lambda>>") as failed:
        await worker.call("failed", {}, seconds=5)

    assert shown[0].startswith("<function Environment.shown.<locals>")
    assert " at 0x" not in f"{shown}{refused.value}{failed.value}"
    assert await worker.call("written", {}, seconds=5) == "the flag at 0x1f>, at 0x7f0000000000"


async def test_dates_and_sets_are_the_same_on_every_machine(pool: SandboxPool) -> None:
    unordered = []
    async with SandboxPool.open() as another:
        for each in (pool, another):
            worker = await each.start(EnvironmentProgram("somewhere.py", TOOLS), ServeTools({}), LIMITS)
            await worker.result(seconds=LIMITS.start_seconds)
            unordered.append(await worker.call("unordered", {}, seconds=5))
            assert await worker.call("local", {}, seconds=5) == ["1970-01-01 00:00:00", 0.0]

    assert unordered[0] == unordered[1]
    assert unordered[0][1] == [1, 2, 3]


async def test_a_generator_of_tasks_cannot_seed_itself_from_the_system(pool: SandboxPool) -> None:
    program = EnvironmentProgram("somewhere.py", TOOLS)
    made = [await pool.ask(program, GenerateConfig("1", 1), LIMITS) for _ in range(2)]

    assert made[0] == made[1] == {"n": Random(0).random()}
