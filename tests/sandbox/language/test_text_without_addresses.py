"""No way of making text of a value shows a memory address, and honest text is Python's own."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegym_mcp.sandbox.language.guarded_builtins import make_namespace
from codegym_mcp.sandbox.language.syntax_policy import compile_restricted, restrict
from codegym_mcp.source_parsing import parse_source

PATH = "somewhere.py"
ADDRESS = re.compile(r"0x[0-9a-fA-F]{6,}")

OBJECTS = {
    "function": "f",
    "lambda": "lambda: 1",
    "bound method": "A().method",
    "method of a builtin": "[].append",
    "generator": "(x for x in [1])",
    "iterator": "iter([])",
    "map": "map(len, [])",
    "partial": "functools.partial(f, 1)",
    "itemgetter": "operator.itemgetter(f)",
    "property": "property(f)",
    "cached function": "functools.lru_cache(f)",
    "generator of random numbers": "random.Random(1)",
    "type hint": "typing.List",
    "list": "[f, [f]]",
    "dict": "{'a': f}",
    "set": "{f}",
    "deque": "collections.deque([f])",
    "counter": "collections.Counter({'a': f})",
    "default dict": "collections.defaultdict(f)",
    "exception": "ValueError(f)",
    "key error": "KeyError(f)",
    "instance of an own class": "A()",
    "own class": "A",
}
WAYS = {
    "str": "str(ITEM)",
    "str by keyword": "str(object=ITEM)",
    "str as a function": "[*map(str, [ITEM])][0]",
    "str as an argument": "json.dumps([ITEM], default=str)",
    "str in a partial": "functools.partial(str, ITEM)()",
    "repr": "repr(ITEM)",
    "repr as a function": "json.dumps([ITEM], default=repr)",
    "ascii": "ascii(ITEM)",
    "format": "format(ITEM)",
    "format with a specification": "format(ITEM, '')",
    "f-string": "f'{ITEM}'",
    "f-string, converted": "f'{(ITEM)!s} {(ITEM)!r} {(ITEM)!a}'",
    "f-string, converted and filled": "f'{(ITEM)!r:>200}'",
    "f-string with an empty specification": "f'{(ITEM):{str()}}'",
    "f-string that names its value": "f'{(ITEM)=}'",
    "percent s": "'%s' % [ITEM]",
    "percent r in a tuple": "'%r %s' % (ITEM, ITEM)",
    "percent with a name": "'%(x)r' % dict(x=ITEM)",
    "percent of an unknown text": "percent % (ITEM,)",
    "percent, assigned": "augmented((ITEM,))",
    "percent in bytes": "(b'%a' % (ITEM,)).decode()",
    "operator": "operator.mod('%r', (ITEM,))",
    "operator in a reduction": "functools.reduce(operator.mod, ['%r', (ITEM,)])",
    "message of an exception": "message([].index, ITEM)",
    "message of a deque": "message(collections.deque().index, ITEM)",
    "message of a key error": "message(EMPTY.pop, ITEM)",
}
SETTING = """
import collections, functools, json, operator, random, typing
def f(): pass
class A:
    def method(self): pass
percent = "%r"
EMPTY = {}
def augmented(value):
    text = "%r"
    text %= value
    return text
def message(action, value):
    try:
        action(value)
    except Exception as error:
        return f"{error} {error.args} {error.args[0]}" + str(error.args[0])
"""


def run(source: str) -> dict[str, Any]:
    namespace = make_namespace()
    tree = restrict(parse_source(source, PATH), PATH)
    exec(compile_restricted(tree, PATH), namespace)
    return namespace


def in_place(way: str, item: str) -> str:
    """Returns the expression that makes text of an item."""
    return way.replace("ITEM", item)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("item", OBJECTS.values(), ids=OBJECTS)
def test_text_of_a_value_shows_no_address(item: str, way: str) -> None:
    result = run(f"{SETTING}\nitem = {item}\nresult = {in_place(way, 'item')}")["result"]
    assert isinstance(result, str)
    assert result
    assert not ADDRESS.search(result), result


@pytest.mark.parametrize("way", ["str(ITEM)", "repr(ITEM)", "f'{ITEM}'", "'%s' % (ITEM,)"])
def test_in_plain_python_the_same_text_shows_an_address(way: str) -> None:
    """The control: the values do have addresses to show."""
    namespace: dict[str, Any] = {}
    exec(f"{SETTING}\nresult = {in_place(way, 'f')}", namespace)
    assert ADDRESS.search(namespace["result"])


plain_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=9)
    | st.binary(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=4), inner, max_size=3)
        | st.tuples(inner, inner)
    ),
    max_leaves=8,
)
HONEST = """
def texts(x):
    return [str(x), repr(x), ascii(x), format(x), f"{x}", f"{x!r}", f"{x!s:>9}", f"{x=}", "%s" % (x,), "%r%%" % [x],
            isinstance(x, str), str is str, str.join(",", ["a", "b"]), str()]
"""


@given(plain_values)
def test_text_of_plain_values_is_pythons(value: Any) -> None:
    plain: dict[str, Any] = {}
    exec(HONEST, plain)
    assert run(HONEST)["texts"](value) == plain["texts"](value)


def test_text_that_an_environment_writes_is_not_changed() -> None:
    source = """
text = "<flag at 0x7f0000000000>"
result = [str(text), f"{text}", f"{text!s}", "%s" % text, "%s" % (text,), format(text), repr(text), text[:]]
"""
    text = "<flag at 0x7f0000000000>"
    assert run(source)["result"] == [text, text, text, text, text, text, repr(text), text]


def test_str_is_the_type_of_texts() -> None:
    source = """
result = [isinstance("a", str), isinstance(1, (int, str)), isinstance("a", int | str), issubclass(bool, str),
          str(b"a", "ascii"), repr(str), {str: 1}[str], sorted([2, 10], key=str)]
"""
    assert run(source)["result"] == [
        *(True, True, True, False, "a"),
        *("<class 'str'>", 1, [10, 2]),
    ]


@pytest.mark.parametrize(
    ("expression", "value"),
    [("7 % 4", 3), ("a % b", 3), ("-7.5 % b", 0.5), ("F(7, 2) % 2", "3/2"), ("{1: 2}[5 % b]", 2)],
)
def test_the_remainder_of_numbers_is_pythons(expression: str, value: object) -> None:
    source = f"from fractions import Fraction as F\na, b = 7, 4\nresult = {expression}"
    result = run(source)["result"]
    assert (result if isinstance(value, int | float) else str(result)) == value


def test_sets_of_own_classes_have_the_same_order_in_every_run() -> None:
    source = "".join(f"class C{number}: pass\n" for number in range(40))
    source += f"result = [str(c) for c in {{{', '.join(f'C{number}' for number in range(40))}}}]"
    first = run(source)["result"]
    padding = [object() for _ in range(1001)]
    assert run(source)["result"] == first
    assert padding
