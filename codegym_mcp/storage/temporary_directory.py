"""The directory for temporary files."""

import tempfile
from pathlib import Path

from codegym_mcp.errors import CodegymError


def temporary_directory() -> Path:
    """Returns the directory for temporary files: that of `TMPDIR`, or the system's.

    Raises:
        CodegymError: no directory can be written.
    """
    try:
        return Path(tempfile.gettempdir())
    except FileNotFoundError:
        raise CodegymError(
            "No directory for temporary files can be written: neither /tmp nor the present directory.",
            hint="Set TMPDIR to a directory that can be written.",
        ) from None
