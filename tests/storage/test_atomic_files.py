"""Tests of atomic writes."""

from contextlib import suppress
from pathlib import Path

import pytest

from codegym_mcp.errors import UnwritableError
from codegym_mcp.storage.atomic_files import atomic_file, write_atomically


def test_a_file_is_written_and_its_directories_are_created(tmp_path: Path) -> None:
    path = tmp_path / "not" / "there" / "file"
    write_atomically(path, "\u00e9", hint="")

    assert path.read_text(encoding="utf-8") == "\u00e9"
    assert list(path.parent.iterdir()) == [path]


def test_a_block_that_raises_leaves_the_old_content_alone(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with suppress(KeyError), atomic_file(path, hint="") as temporary:
        temporary.write_text("half")
        raise KeyError

    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_written_is_an_error_with_the_hint(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnwritableError, match=r"file/inner cannot be written: .*\. Choose another folder\."):
        write_atomically(tmp_path / "file" / "inner", "text", hint="Choose another folder.")
