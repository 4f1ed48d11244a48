"""Tests of the lock of a data directory."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from codegym_mcp.errors import JournalError
from codegym_mcp.storage.directory_lock import lock_directory


@contextmanager
def refused(folder: Path) -> Iterator[None]:
    with pytest.raises(JournalError, match=f"Another server uses the directory {folder}"):
        yield


def test_an_exclusive_lock_excludes_all_others(tmp_path: Path) -> None:
    with lock_directory(tmp_path, alone=True):
        for alone in (True, False):
            with refused(tmp_path), lock_directory(tmp_path, alone=alone):
                pytest.fail("the directory was locked twice")


def test_shared_locks_exclude_an_exclusive_one(tmp_path: Path) -> None:
    with lock_directory(tmp_path, alone=False), lock_directory(tmp_path, alone=False), refused(tmp_path):  # noqa: SIM117
        with lock_directory(tmp_path, alone=True):
            pytest.fail("the exclusive lock was taken")


def test_the_lock_is_released_when_the_block_raises(tmp_path: Path) -> None:
    with pytest.raises(KeyError), lock_directory(tmp_path, alone=True):
        raise KeyError
    with lock_directory(tmp_path, alone=True):
        pass


def test_a_missing_directory_is_created(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "there"
    with lock_directory(folder, alone=True):
        assert folder.is_dir()


def test_a_path_that_cannot_be_a_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(JournalError, match="file cannot be used"),
        lock_directory(tmp_path / "file", alone=True),
    ):
        pytest.fail("the directory was locked")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
def test_a_forked_child_that_lives_on_does_not_keep_the_lock(tmp_path: Path) -> None:
    waiting, told = os.pipe()
    started, starting = os.pipe()
    forked = 0
    try:
        with lock_directory(tmp_path, alone=True):
            forked = os.fork()
            if not forked:
                os.close(told)
                os.write(starting, b".")
                os.read(waiting, 1)
                os._exit(0)
            os.read(started, 1)
        with lock_directory(tmp_path, alone=True):
            pass
    finally:
        for descriptor in (told, waiting, started, starting):
            os.close(descriptor)
        if forked:
            os.waitpid(forked, 0)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
def test_a_forked_child_does_not_release_the_lock_of_its_parent(tmp_path: Path) -> None:
    with lock_directory(tmp_path, alone=True):
        forked = os.fork()
        if not forked:
            os._exit(0)
        os.waitpid(forked, 0)
        with refused(tmp_path), lock_directory(tmp_path, alone=False):
            pytest.fail("the directory was locked twice")
