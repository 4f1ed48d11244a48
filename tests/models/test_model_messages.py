import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json

from codegym_mcp.models.model_messages import ModelToolCall, parse_arguments

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
def test_arguments_are_read_as_they_were_written(arguments):
    assert parse_arguments(json.dumps(arguments))[1] == arguments
    raw, parsed = parse_arguments(arguments)
    assert parsed == arguments
    assert ModelToolCall("id", "move", raw, parsed).written_plainly


@given(st.text())
def test_no_text_is_too_strange_to_be_read(text):
    raw, arguments = parse_arguments(text)
    assert raw == text
    assert arguments is None or isinstance(arguments, dict)


@pytest.mark.parametrize("written", ["", None, "{}"])
def test_nothing_is_no_arguments(written):
    assert parse_arguments(written)[1] == {}


@pytest.mark.parametrize(
    "written",
    [
        '{"floors": 1',
        "[1]",
        "null",
        '"floors"',
        "floors=1",
        '{"floors": NaN}',
        '{"floors": Infinity}',
        '{"text": "\\ud800"}',
        "[" * 10_000,
        {"floors": float("nan")},
        {"text": "\ud800"},
    ],
    ids=lambda written: repr(written)[:20],
)
def test_what_is_no_json_object_is_malformed(written):
    assert parse_arguments(written)[1] is None


def test_a_call_tells_whether_its_data_says_all():
    compact = to_json({"floors": 1}).decode()
    assert ModelToolCall("id", "move", compact, {"floors": 1}).written_plainly
    assert not ModelToolCall("id", "move", '{ "floors": 1 }', {"floors": 1}).written_plainly
    assert not ModelToolCall("id", "move", '{"floors": 2, "floors": 1}', {"floors": 1}).written_plainly
    assert not ModelToolCall("id", "move", "floors=1", None).written_plainly
