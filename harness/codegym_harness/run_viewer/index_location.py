"""Where the indexes of runs are stored: in the user's cache directory, so that a run itself is never changed.

A run on a read-only disk can be viewed, and two users can view the same run. Without a writable cache
directory, an index lives in a temporary directory and ends with the process.
"""

import logging
import tempfile
import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from codegym_mcp.storage.cache_directory import cache_directory
from codegym_mcp.storage.temporary_directory import temporary_directory

_UNUSED_DAYS = 30
_log = logging.getLogger(__name__)


class IndexLocation:
    """The folder of the indexes.

    Args:
        folder: the folder, which is created; without it, one in the user's cache directory.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self.folder = folder or cache_directory() / "views"
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            (self.folder / ".writable").touch()
        except OSError as error:
            _log.warning("The index is not kept: %s cannot be written: %s", self.folder, error)
            self._temporary = tempfile.TemporaryDirectory(
                prefix="codegym-view-", dir=temporary_directory(), ignore_cleanup_errors=True
            )
            self.folder = Path(self._temporary.name)

    def file(self, run: Path) -> Path:
        """Returns the file of the index of a run."""
        return self.folder / f"{sha256(str(run.resolve()).encode()).hexdigest()[:32]}.sqlite"

    def remove_unused(self) -> None:
        """Removes the indexes that were not used for 30 days."""
        before = time.time() - _UNUSED_DAYS * 86_400
        for file in self.folder.glob("*.sqlite*"):
            with suppress(OSError):
                if file.stat().st_mtime < before:
                    file.unlink()

    def close(self) -> None:
        """Removes a temporary folder."""
        if self._temporary is not None:
            self._temporary.cleanup()
