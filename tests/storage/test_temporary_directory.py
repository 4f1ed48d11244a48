import tempfile
from pathlib import Path

import pytest

from codegym_mcp.errors import CodegymError
from codegym_mcp.storage.temporary_directory import temporary_directory


def test_the_directory_of_tmpdir_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert temporary_directory() == tmp_path


def test_without_a_writable_directory_the_error_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise PermissionError

    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile._os, "open", refuse)  # type: ignore[attr-defined]
    with pytest.raises(CodegymError) as raised:
        temporary_directory()
    assert raised.value.hint == "Set TMPDIR to a directory that can be written."
