"""The folders of an agent program."""

import logging
from pathlib import Path

import pytest

from codegym_harness.agent_enclosure import workspace as module
from codegym_harness.agent_enclosure.readable_paths import Mount
from codegym_harness.agent_enclosure.workspace import Workspace


def test_the_folders_are_removed_with_all_that_the_program_left(tmp_path: Path) -> None:
    with Workspace.create(tmp_path) as workspace:
        (workspace.directory / "deep").mkdir()
        (workspace.directory / "deep" / "file").touch()
        (workspace.home / "link").symlink_to(Path(__file__))
        assert len(list(tmp_path.iterdir())) == 1
    assert list(tmp_path.iterdir()) == []
    assert Path(__file__).exists()


def test_nothing_is_removed_through_a_mount(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A mount may show any folder of the machine, so that removing its content would destroy it."""
    with caplog.at_level(logging.WARNING), Workspace.create(tmp_path) as workspace:
        kept = workspace.directory / "mounted" / "file"
        kept.parent.mkdir()
        kept.touch()
        mounts = [Mount("8:1", Path("/"), kept.parent.resolve())]
        monkeypatch.setattr(module, "read_mounts", lambda: mounts)
    assert kept.exists()
    assert "something is mounted in it" in caplog.text
