"""The folders of one agent program, which exist while it runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory


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
        with TemporaryDirectory(dir=parent, ignore_cleanup_errors=True) as name:
            top = Path(name)
            workspace = cls(top / "work", top / "home", top / "tmp", top / "root")
            for folder in (workspace.directory, workspace.home, workspace.temporary, workspace.scratch):
                folder.mkdir()
            yield workspace

    @property
    def writable(self) -> list[Path]:
        """The folders that the program may change, besides that for temporary files as /tmp."""
        return [self.directory, self.home, self.temporary]
