"""Tests of reading JSON Lines."""

from pathlib import Path

import pytest

from codegym_mcp.errors import SourceError
from codegym_mcp.storage import json_lines
from codegym_mcp.storage.json_lines import parse_object, read_line_at, read_lines


def test_lines_that_are_not_blank_have_their_number_and_position(tmp_path: Path) -> None:
    path = tmp_path / "file.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}\r\n\n  \t\n\xef\xbb\xbf{"b": 2}\n{"c": 3}')
    lines = list(read_lines(path))

    assert [line.number for line in lines] == [1, 4, 5]
    assert [parse_object(line.data) for line in lines] == [{"a": 1}, {"b": 2}, {"c": 3}]
    assert all(read_line_at(path, line.offset, len(line.data)) == line.data for line in lines)


def test_a_line_above_the_limit_is_refused_with_its_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_lines, "MAX_LINE", 10)
    path = tmp_path / "file.jsonl"
    path.write_text('{"a": 1}\n{"b": "12345"}\n')
    lines = read_lines(path)

    assert next(lines).number == 1
    with pytest.raises(SourceError, match=r"file\.jsonl:2: the line is longer than 10 bytes"):
        next(lines)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"{", "is not JSON"),
        (b"[1]", "is not a JSON object"),
        (b'"text"', "is not a JSON object"),
        (b"\xff", "is not UTF-8 text"),
        (b"[" * 200_000, "is not JSON"),
        (b'{"number": ' + b"9" * 5000 + b"}", "is not JSON"),
    ],
    ids=["broken", "list", "text", "bytes", "nested", "number"],
)
def test_a_line_that_is_not_an_object_is_refused(data: bytes, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_object(data)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_file_in_utf_16_is_refused_with_the_next_step(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_bytes('{"a": 1}\r\n'.encode(encoding))
    with pytest.raises(
        SourceError, match=r"lines\.jsonl:1: is UTF-16 text, not UTF-8\. Save the file as UTF-8"
    ):
        list(read_lines(path))
