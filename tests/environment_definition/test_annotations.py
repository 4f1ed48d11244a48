import ast
from textwrap import dedent
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from jsonschema.validators import extend
from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from codegym_mcp.answer_scoring.answer_comparison import AnswerType
from codegym_mcp.environment_definition.annotations import (
    AnnotationError,
    make_record,
    read_annotation,
    read_records,
)
from codegym_mcp.environment_definition.tools import plain_schema, type_config

Point = make_record("Point", {"x": int, "y": float})

Strict = extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int),
)


def read(text: str, records: dict[str, Any] | None = None) -> Any:
    return read_annotation(ast.parse(text, mode="eval").body, records or {})


def records_of(source: str) -> dict[str, Any]:
    return read_records(ast.parse(dedent(source)))


def adapter(kind: Any) -> TypeAdapter[Any]:
    record = make_record("Wrapped", {"value": kind})
    record.__pydantic_config__ = type_config
    return TypeAdapter(record)


def fits(kind: Any, value: Any) -> bool:
    try:
        adapter(kind).validate_json(to_json({"value": value}))
    except ValidationError:
        return False
    return True


# Where Python and JSON Schema see the same number differently, the schema is what a client knows.
numbers = st.integers(-3, 3) | st.floats(-3, 3).filter(lambda value: not value.is_integer())
texts = st.sampled_from(["", "a", "up", "1"])
plain = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["x", "y", "a"]), inner, max_size=3)
    ),
    max_leaves=5,
)
annotations = st.recursive(
    st.sampled_from(
        "int float str bool None Any object list dict tuple set List Dict Tuple Set frozenset Point "
        "Literal['up','down'] Literal[1,2] Literal[True] Literal[-1,'a',False] 'int' typing.Any".split()
    ),
    lambda inner: st.one_of(
        inner.map("list[{}]".format),
        inner.map("List[{}]".format),
        inner.map("set[{}]".format),
        inner.map("tuple[{}, ...]".format),
        inner.map("dict[str, {}]".format),
        inner.map("typing.Optional[{}]".format),
        st.tuples(inner, inner).map(lambda pair: f"tuple[{pair[0]}, {pair[1]}]"),
        st.tuples(inner, inner).map(lambda pair: f"Union[{pair[0]}, {pair[1]}]"),
        st.tuples(inner, inner).map(lambda pair: f"{pair[0]} | {pair[1]}"),
    ),
    max_leaves=4,
)


@given(annotations, plain)
def test_a_value_has_a_type_exactly_if_it_is_valid_for_its_schema(text: str, value: Any) -> None:
    kind = read(text, {"Point": Point})
    schema = plain_schema(adapter(kind))
    Draft202012Validator.check_schema(schema)
    assert fits(kind, value) is Strict(schema).is_valid({"value": value})


@given(annotations, plain)
def test_answers_of_every_supported_type_can_be_compared(text: str, value: Any) -> None:
    kind = read(text, {"Point": Point})
    if fits(kind, value):
        assert AnswerType(kind).equal(value, value)
    assert AnswerType(kind).equal(value, [value]) is False


@pytest.mark.parametrize(
    ("text", "good", "bad"),
    [
        ("int", [0, -(10**20)], [True, 1.0, "1", None]),
        ("float", [0, 0.5], [True, "1", None]),
        ("bool", [True], [1, "true"]),
        ("None", [None], [0, ""]),
        ("list[int]", [[], [1]], [[1.0], "1", {"a": 1}, None]),
        ("tuple[int, str]", [[1, "a"]], [[1], [1, "a", 2], ["a", 1]]),
        ("tuple[int, ...]", [[], [1, 2, 3]], [["a"]]),
        ("tuple[()]", [[]], [[1]]),
        ("set[int]", [[], [2, 1]], [[1, 1], ["a"], [True]]),
        ("set[list[int]]", [[[1], [2]]], [[[1], [1]]]),
        ("set[tuple[int, ...]]", [[[1, 2], [1]]], [[[1], [1]]]),
        ("set", [[1, True, "a", [1], {"a": 1}]], [["a", "a"]]),
        ("dict[str, int]", [{}, {"a": 1}], [{"a": "1"}, [1]]),
        ("Literal[1, 2]", [1, 2], [True, 1.0, "1", 3]),
        ("Literal[True]", [True], [1, "true"]),
        ("Literal[-1, 'a']", [-1, "a"], [1, "b"]),
        ("Optional[Literal[1]]", [1, None], [True, 2]),
        ("bool | Literal[2]", [True, False, 2], [1, "a"]),
        ("Point", [{"x": 1, "y": 1}], [{"x": 1}, {"x": 1, "y": 2, "z": 3}, {"x": "1", "y": 1}]),
        ("list[Point]", [[{"x": 1, "y": 1.5}]], [[{"x": True, "y": 1.5}]]),
    ],
)
def test_values_are_never_converted(text: str, good: list[Any], bad: list[Any]) -> None:
    kind = read(text, {"Point": Point})
    assert [value for value in good if not fits(kind, value)] == []
    assert [value for value in bad if fits(kind, value)] == []


@pytest.mark.parametrize(
    "text",
    [
        "Foo",
        "list[Foo]",
        "'list[Foo]'",
        "...",
        "list[...]",
        "list(int)",
        "list[int, str]",
        "dict[str]",
        "dict[int, str]",
        "Optional[int, str]",
        "Union[()]",
        "Literal[()]",
        "Literal[1.5]",
        "Literal[None]",
        "Literal[x]",
        "Literal[[1]]",
        "Literal[{[]: 1}]",
        "Callable[[int], int]",
        "Sequence[int]",
        "bytes",
        "complex",
        "int & str",
        "'int ='",
        "''",
        "3",
        "module.Thing",
    ],
)
def test_an_unsupported_annotation_is_an_error_that_quotes_it(text: str) -> None:
    with pytest.raises(AnnotationError) as caught:
        read(text)
    assert caught.value.text


def test_an_error_in_a_quoted_annotation_has_the_line_of_the_quotation() -> None:
    tree = ast.parse("\n\n\ndef f() -> 'list[Foo]': ...")
    function = tree.body[0]
    assert isinstance(function, ast.FunctionDef)
    assert function.returns is not None
    with pytest.raises(AnnotationError) as caught:
        read_annotation(function.returns, {})
    assert (caught.value.line, caught.value.text) == (4, "the annotation 'Foo' is not supported")


def test_records_have_inherited_and_optional_fields() -> None:
    records = records_of(
        """
        class Seen(TypedDict):
            "What was seen."
            floor: int
            note: NotRequired[str]

        class Heard(Seen, total=False):
            sounds: list[str]

        class Helper:
            x: int
        """
    )
    assert list(records) == ["Seen", "Heard"]
    heard = records["Heard"]
    assert fits(heard, {"floor": 1})
    assert fits(heard, {"floor": 1, "note": "a", "sounds": ["b"]})
    assert not fits(heard, {"note": "a"})
    assert not fits(heard, {"floor": 1, "other": 2})
    assert records["Seen"].__doc__ == "What was seen."
    assert AnswerType(heard).equal({"floor": 1, "sounds": ["a"]}, {"floor": 1, "sounds": ["a "]})
    assert not AnswerType(heard).equal({"floor": 1}, {"floor": 1, "note": "a"})


def test_a_record_can_use_only_earlier_records() -> None:
    records = records_of("class A(TypedDict):\n    x: int\nclass B(TypedDict):\n    a: 'list[A]'")
    assert fits(records["B"], {"a": [{"x": 1}]})
    assert not fits(records["B"], {"a": [{"x": 1, "y": 2}]})
    with pytest.raises(AnnotationError) as caught:
        records_of("class B(TypedDict):\n    a: A\nclass A(TypedDict):\n    x: int")
    assert caught.value.line == 2


def test_a_record_named_like_a_container_is_the_record() -> None:
    records = records_of("class Set(TypedDict):\n    x: int")
    assert fits(read("Set", records), {"x": 1})
    assert get_args(read("list[Set]", records)) == (records["Set"],)
