"""Tests of parsing source text: every defect is a `SourceError` with its line."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegym_mcp.errors import SourceError
from codegym_mcp.source_parsing import MAX_SOURCE, check_strings, line_at, nesting_error, parse_source

BEFORE = "first = 1\nsecond = 2\n"


@pytest.mark.parametrize(
    ("defect", "problem"),
    [
        ("x = (", "was never closed"),
        ("x = 1\0", "null character"),
        ("x = '\ud800'", "half of a surrogate pair"),
        ("# \udcff", "half of a surrogate pair"),
        ("x\udcff = 1", "half of a surrogate pair"),
        ("x = " + "(" * 3000 + ")" * 3000, "too many nested parentheses"),
        ("x = " + "-" * 20_000 + "1", "nested too deeply"),
        ("x = " + "+".join(["1"] * 20_000), "nested too deeply"),
        ("x = " + "a." * 20_000 + "b", "nested too deeply"),
        ("x = " + "9" * 5000, "integer string conversion"),
        ("x = 1\v", "non-printable character U\\+000B"),
        ("x = 1\u2028", "non-printable character U\\+2028"),
        ("x = 1\ufeff", "non-printable character U\\+FEFF"),
        ('x = "\\N{no such name}"', "unicode error"),
        ("x = b'\u00e9'", "bytes can only contain ASCII"),
        ("#" * MAX_SOURCE, f"at most {MAX_SOURCE:,} are allowed"),
    ],
    ids=lambda value: str(value)[:20].encode("ascii", "backslashreplace").decode(),
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_a_defect_is_reported_with_its_line(defect: str, problem: str, line_end: str) -> None:
    with pytest.raises(SourceError, match=problem) as caught:
        parse_source(BEFORE.replace("\n", line_end) + defect, "file.py")

    assert caught.value.line == 3
    str(caught.value).encode()


@pytest.mark.parametrize(
    "source",
    [
        "",
        "\f",
        "x = 1\f",
        "x = 1\n\f",
        "x = 1\n    \f",
        "\ufeffx = 1",
        "x = 1\r\ny = 2\r\n",
        "x = 1\ry = 2",
        "# -*- coding: utf-7 -*-\nx = 1",
        "# -*- coding: no-such-codec -*-\nx = 1",
        'x = "\\d"',
    ],
    ids=repr,
)
def test_a_source_of_unusual_form_is_parsed(source: str) -> None:
    assert isinstance(parse_source(source, "file.py"), ast.Module)


@given(st.text(max_size=60))
def test_any_text_is_parsed_or_refused_as_a_source(text: str) -> None:
    try:
        parse_source(text, "file.py")
    except SourceError as error:
        str(error).encode()


def test_the_line_of_a_string_with_a_lone_surrogate_is_reported() -> None:
    source = BEFORE + 'third = "\\udc80"'
    with pytest.raises(SourceError, match="half of a surrogate pair") as caught:
        check_strings(parse_source(source, "file.py"), source, "file.py")

    assert caught.value.line == 3


def test_the_line_of_the_deepest_expression_is_reported() -> None:
    tree = parse_source(BEFORE + "third = [[[[[[1]]]]]]\nfourth = 4\n", "file.py")

    assert nesting_error(tree, "file.py").line == 3


@pytest.mark.parametrize(("position", "line"), [(0, 1), (1, 1), (2, 2), (4, 3), (6, 4)])
def test_lines_end_with_any_line_end_of_python(position: int, line: int) -> None:
    assert line_at("a\nb\rc\r\nd", position if position < 6 else 7) == line


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x0c", "\x1c"])
def test_the_line_of_a_deep_expression_is_pythons_whatever_separators_texts_hold(separator: str) -> None:
    source = f"a = '{separator}'\nb = '{separator}{separator}'\nx = {'-' * 20_000}1\n"
    with pytest.raises(SourceError) as caught:
        parse_source(source, "here.py")
    assert caught.value.line == 3
