"""The folders of one agent program, which exist while it runs."""

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from codegym_harness.agent_enclosure.readable_paths import read_mounts

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Workspace:
    """The folders that an agent program may change.

    Attributes:
        directory: the folder that it runs in.
        home: its home folder.
        temporary: its folder for temporary files.
        scratch: an empty folder for the supervisor; the program does not see it.
    """

    directory: Path
    home: Path
    temporary: Path
    scratch: Path

    @classmethod
    @contextmanager
    def create(cls, parent: Path) -> Iterator["Workspace"]:
        """Creates the folders below another, and removes them when the block is left."""
        top = Path(mkdtemp(dir=parent))
        workspace = cls(top / "work", top / "home", top / "tmp", top / "root")
        try:
            for folder in (workspace.directory, workspace.home, workspace.temporary, workspace.scratch):
                folder.mkdir()
            yield workspace
        finally:
            _remove(top)

    @property
    def writable(self) -> list[Path]:
        """The folders that the program may change, besides that for temporary files as /tmp."""
        return [self.directory, self.home, self.temporary]


def _remove(top: Path) -> None:
    """Removes a folder, unless something is mounted in it: what is mounted belongs to others."""
    if any(mount.place.is_relative_to(top.resolve()) for mount in read_mounts()):
        logger.warning("%s is not removed: something is mounted in it. Unmount that first.", top)
        return
    shutil.rmtree(top, ignore_errors=True)
