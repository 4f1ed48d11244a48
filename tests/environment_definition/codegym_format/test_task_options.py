"""Options of tasks in the CodeGym format."""

import ast
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegym_mcp.environment_definition.codegym_format.task_options import (
    options_task,
    parse_options,
    write_options,
)

keys = st.text(max_size=4) | st.integers() | st.booleans() | st.tuples(st.integers())
leaves = keys | st.none() | st.floats(allow_nan=False) | st.binary(max_size=4) | st.sets(keys, max_size=3)
values: st.SearchStrategy[Any] = st.recursive(
    leaves,
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(keys, inner),
    max_leaves=8,
)


@given(st.dictionaries(keys, values, max_size=3))
def test_options_written_as_text_are_parsed_back_exactly(options: dict[Any, Any]) -> None:
    written = write_options(options)
    read = ast.literal_eval(written)
    assert read == options
    assert write_options(read) == written
    assert parse_options(written) == options


@given(st.dictionaries(st.text(), values, max_size=3))
def test_a_task_with_any_options_is_plain_json(options: dict[Any, Any]) -> None:
    task = options_task(options)
    assert type(task).model_validate_json(task.model_dump_json()) == task


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ('{"a": true, "b": null, "c": [false]}', {"a": True, "b": None, "c": [False]}),
        ("{'a': True, 'b': None, 'c': (1,)}", {"a": True, "b": None, "c": (1,)}),
        ("{'a': true, 'b': (false, null), 'c': None}", {"a": True, "b": (False, None), "c": None}),
        ('{"mail": "ann@sea@west"}', {"mail": "ann@sea@west"}),
        ("{1: 'one', (2, 3): {4, 5}}", {1: "one", (2, 3): {4, 5}}),
        ('{"far": Infinity, "deep": -Infinity}', {"far": math.inf, "deep": -math.inf}),
        ("{'far': -Infinity, 'seen': set()}", {"far": -math.inf, "seen": set()}),
        ('  {"smile": "\\ud83d\\ude00"}\n', {"smile": "\U0001f600"}),
        ("{}", {}),
    ],
)
def test_options_are_a_python_literal_or_json_or_a_mixture(text: str, options: dict[Any, Any]) -> None:
    assert parse_options(text) == options


@pytest.mark.parametrize(
    "text",
    ["", "[1, 2]", "{'a': open('x')}", "{'a': b}", "{'a': 1", "{'a': 1}}", "{[]: 1}", "(" * 10_000, "{'\0'}"],
)
def test_options_that_are_not_a_dict_of_literals_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"dict|literal"):
        parse_options(text)


def test_options_with_nan_are_refused() -> None:
    with pytest.raises(ValueError, match="NaN"):
        write_options(parse_options('{"heat": NaN}'))


def test_the_text_of_a_set_does_not_depend_on_its_history() -> None:
    # In a set this small, two numbers with the same last bits stand in the order of their coming.
    assert list({0, 8}) != list({8, 0})
    assert write_options({0, 8}) == write_options({8, 0}) == "{0, 8}"


def test_the_id_of_a_task_is_that_of_its_options() -> None:
    assert options_task({"n": 1, "s": "x"}).id == options_task({"n": 1, "s": "x"}, text="Do it.").id
    assert options_task({"n": (1,)}).id != options_task({"n": [1]}).id
