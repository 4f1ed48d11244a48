"""How many files a process may hold open."""

import sys
from contextlib import suppress

if sys.platform != "win32":
    import resource


def raise_open_file_limit() -> None:
    """Raises this process's limit of open files to the system's maximum: an open episode takes two.

    Does nothing on a system that has no such limit, or that refuses its own maximum, as macOS does.
    """
    if sys.platform != "win32":
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
