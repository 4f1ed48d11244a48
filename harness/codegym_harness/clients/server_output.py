"""Logs what the process of another MCP server writes to its standard error.

It is not inherited: control characters in it would act on the user's terminal.
"""

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

logger = logging.getLogger(__name__)

_LINE = 10_000
"""Longest line that is logged at once, in characters."""
_LAST_SECONDS = 1.0
"""Longest wait for what was written last; a process that the server started may keep the pipe open."""


@contextmanager
def logged_output() -> Iterator[TextIO]:
    """Opens a file whose lines are logged as warnings, until the block is left."""
    reading, writing = os.pipe()
    thread = threading.Thread(target=_log_lines, args=(reading,), name="output of a server", daemon=True)
    thread.start()
    try:
        with open(writing, "w", encoding="utf-8") as file:
            yield file
    finally:
        thread.join(_LAST_SECONDS)


def _log_lines(descriptor: int) -> None:
    with open(descriptor, encoding="utf-8", errors="replace") as lines:
        while line := lines.readline(_LINE):
            logger.warning("%s", line.rstrip("\n"))
