"""A folder is held against other servers."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from codegym_mcp.errors import JournalError
from codegym_mcp.storage.directory_lock import lock_directory


@contextmanager
def refused(folder: Path) -> Iterator[None]:
    with pytest.raises(JournalError, match=f"Another server keeps its episodes in {folder}. End it first"):
        yield


def test_who_wants_a_folder_alone_has_it_alone(tmp_path: Path) -> None:
    with lock_directory(tmp_path, alone=True):
        for alone in (True, False):
            with refused(tmp_path), lock_directory(tmp_path, alone=alone):
                pytest.fail("it was held twice")


def test_others_share_a_folder_and_keep_out_who_wants_it_alone(tmp_path: Path) -> None:
    with lock_directory(tmp_path, alone=False), lock_directory(tmp_path, alone=False), refused(tmp_path):  # noqa: SIM117
        with lock_directory(tmp_path, alone=True):
            pytest.fail("it was held alone by one of three")


def test_a_folder_is_free_when_it_was_left_in_whatever_way(tmp_path: Path) -> None:
    with pytest.raises(KeyError), lock_directory(tmp_path, alone=True):
        raise KeyError
    with lock_directory(tmp_path, alone=True):
        pass


def test_a_folder_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "there"
    with lock_directory(folder, alone=True):
        assert folder.is_dir()


def test_what_cannot_be_a_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(JournalError, match="file cannot be used"),
        lock_directory(tmp_path / "file", alone=True),
    ):
        pytest.fail("it was held")
