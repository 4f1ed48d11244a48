"""Code and data in replies of a model."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegym_mcp.synthesis.reply_extraction import (
    MAX_CHARACTERS,
    UnusableReplyError,
    json_block,
    python_block,
)


def test_the_longest_python_block_is_the_code() -> None:
    text = "First:\n```python\nx = 1\n```\nthen\n```py\nx = 1\ny = 2\n```\nand ```inline```."
    assert python_block(text) == "x = 1\ny = 2\n"


def test_a_reply_that_is_nothing_but_code_is_code() -> None:
    assert python_block("def solve(tools):\n    return 1\n") == "def solve(tools):\n    return 1\n"


def test_fences_within_a_longer_fence_are_part_of_the_code() -> None:
    inner = '"""Say:\n```\nhello\n```\n"""\n'
    assert python_block(f"````python\n{inner}````") == inner


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("I would rather talk about it.", "no ```python block"),
        ("", "no ```python block"),
        ("```python\ndef solve(tools):\n    return", "in the middle of a block"),
        ("```java\nclass A {}\n```", "marked as java"),
        ("```python\n" + "x = 1\n" * (MAX_CHARACTERS // 6 + 1) + "```", "characters"),
    ],
)
def test_a_reply_without_code_is_refused_with_the_reason(text, problem) -> None:
    with pytest.raises(UnusableReplyError, match=problem):
        python_block(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("There are many configurations.", "no ```json block"),
        ('```json\n[{"a": 1,}]\n```', "not JSON"),
        ('```json\n[{"a": 1', "in the middle of a block"),
        ("```json\n" + "[" * 90_000 + "\n```", "not JSON"),
        ("```json\n# cut\n[1, …]\n```", "not JSON"),
        ('```json\n["\\ud800"]\n```', "surrogates"),
        ('```json\n{"\\udfff": 1}\n```', "surrogates"),
        ("```json\n[NaN]\n```", "NaN is not JSON"),
        ("```json\n[1, -Infinity]\n```", "-Infinity is not JSON"),
    ],
)
def test_a_reply_without_data_is_refused_with_the_reason(text, problem) -> None:
    with pytest.raises(UnusableReplyError, match=problem):
        json_block(text)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_data_is_read_unchanged(value) -> None:
    assert json_block(f"Here:\n```json\n{json.dumps(value)}\n```\nDone.") == value


@given(st.text())
def test_any_reply_is_read_or_refused(text) -> None:
    for read in (python_block, json_block):
        with suppress(UnusableReplyError):
            read(text)
