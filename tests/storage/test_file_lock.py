"""Tests of locks on open files."""

import os
from pathlib import Path

from codegym_mcp.storage.file_lock import try_lock


def test_a_lock_excludes_others_until_the_file_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with path.open("a") as first, path.open("a") as second:
        assert try_lock(first)
        assert not try_lock(second)
        assert not try_lock(second, exclusive=False)
    with path.open("a") as third:
        assert try_lock(third)


def test_shared_locks_exclude_only_exclusive_ones(tmp_path: Path) -> None:
    descriptors = [os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT, 0o600) for _ in range(3)]
    try:
        assert try_lock(descriptors[0], exclusive=False)
        assert try_lock(descriptors[1], exclusive=False)
        assert not try_lock(descriptors[2])
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
