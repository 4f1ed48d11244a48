"""Tests of opening regular files only."""

from pathlib import Path

import pytest

from codegym_mcp.errors import SourceError
from codegym_mcp.storage.regular_files import open_regular_file, read_regular_file
from tests.storage.special_files import SPECIAL_FILES


@pytest.mark.parametrize("kind", SPECIAL_FILES)
def test_a_special_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "special"
    SPECIAL_FILES[kind](path)

    with pytest.raises(SourceError, match=r"regular file|cannot be read") as caught:
        open_regular_file(path)
    assert caught.value.path == str(path)


def test_a_regular_file_and_a_link_to_one_are_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    (tmp_path / "link").symlink_to(tmp_path / "file")

    assert read_regular_file(tmp_path / "file", 5) == b"12345"
    assert read_regular_file(tmp_path / "link", 6) == b"12345"


def test_a_file_above_the_limit_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")

    with pytest.raises(SourceError, match="is larger than 4 bytes"):
        read_regular_file(tmp_path / "file", 4)


@pytest.mark.parametrize("name", ["missing", "with\0null", "x" * 300])
def test_a_path_that_cannot_be_opened_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        open_regular_file(tmp_path / name)
