"""Tests of texts with lone surrogates."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegym_mcp.unicode_text import is_encodable, lone_surrogate, replace_lone_surrogates

ANY_CHARACTER = st.characters(exclude_categories=())


@given(st.text(ANY_CHARACTER))
def test_a_text_is_encodable_exactly_if_utf_8_can_encode_it(text: str) -> None:
    try:
        text.encode()
        encodable = True
    except UnicodeEncodeError:
        encodable = False

    assert is_encodable(text) is encodable
    assert is_encodable(replace_lone_surrogates(text))


@pytest.mark.parametrize(
    ("text", "position", "replaced"),
    [
        ("plain \u00e9", None, "plain \u00e9"),
        ("a\ud800b", 1, "a\ufffdb"),
        ("\udc80", 0, "\ufffd"),
        ("pair \ud83d\ude00", 5, "pair \U0001f600"),
    ],
)
def test_lone_surrogates_are_found_and_replaced(text: str, position: int | None, replaced: str) -> None:
    assert lone_surrogate(text) == position
    assert replace_lone_surrogates(text) == replaced
