"""The arguments of calls are read as they were written, and only if every JSON parser accepts them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json

from codegym_mcp.models.call_arguments import parse_arguments
from codegym_mcp.models.model_messages import ModelToolCall

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(), part, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), plain, max_size=4))
def test_a_json_object_is_read_and_its_text_can_be_sent_back(arguments: dict[str, Any]) -> None:
    written = json.dumps(arguments, indent=1)
    parsed = parse_arguments(written)
    assert (parsed.data, parsed.raw, parsed.sendable) == (arguments, written, written)
    assert parse_arguments(arguments).data == arguments


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    parsed = parse_arguments(text)
    assert parsed.raw == text
    assert bool(parsed.problem) is (parsed.data is None)
    assert isinstance(json.loads(parsed.sendable), dict)


@pytest.mark.parametrize("written", ["", None, "{}", " "])
def test_an_empty_text_is_an_empty_object(written: str | None) -> None:
    parsed = parse_arguments(written)
    assert parsed.data == {}
    assert json.loads(parsed.sendable) == {}


@pytest.mark.parametrize(
    "written",
    [
        '{"floors": 1',
        "[1]",
        "null",
        '"floors"',
        "floors=1",
        '{"floors": NaN}',
        '{"floors": [Infinity]}',
        '{"floors": -Infinity}',
        '{"floors": 1e999}',
        '{"floors": {"up": -1e999}}',
        '{"floors": 1' + "0" * 5000 + "}",
        '{"text": "\\ud800"}',
        "[" * 10_000,
        '{"a":' * 2_000 + "1" + "}" * 2_000,
        '{"floors": 1}{"floors": 2}',
        "{'floors': 1}",
        '{"floors": 1,}',
        {"floors": float("nan")},
        {"text": "\ud800"},
        [1],
        7,
    ],
    ids=lambda written: repr(written)[:30],
)
def test_anything_else_is_malformed_and_replaced_in_later_requests(written: object) -> None:
    parsed = parse_arguments(written)
    assert (parsed.data, parsed.sendable) == (None, "{}")
    assert parsed.problem


def test_a_call_knows_whether_its_data_restores_the_text() -> None:
    compact = to_json({"floors": 1}).decode()
    assert ModelToolCall("id", "move", compact, {"floors": 1}).is_compact
    assert not ModelToolCall("id", "move", '{ "floors": 1 }', {"floors": 1}).is_compact
    assert not ModelToolCall("id", "move", '{"floors": 2, "floors": 1}', {"floors": 1}).is_compact
    assert not ModelToolCall("id", "move", "floors=1", None).is_compact
