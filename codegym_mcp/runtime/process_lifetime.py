"""Closes what lives on threads of its own when the interpreter ends, and releases it in a forked child."""

import atexit
import os
import weakref
from contextlib import suppress
from typing import Protocol

from codegym_mcp.source_parsing import PARSER_LOCK


class LivesOnThread(Protocol):
    """Something that runs on a thread of its own."""

    def close(self) -> None:
        """Ends the thread and its processes."""

    def abandon(self) -> None:
        """Releases what the parent process holds, in a forked child."""


_living: "weakref.WeakSet[LivesOnThread]" = weakref.WeakSet()
_of_parents: list[LivesOnThread] = []
"""What belongs to the parents of a forked process. It is kept, so that no finalizer closes descriptors whose
numbers have been used again."""


def register(living: LivesOnThread) -> None:
    """Arranges that something is closed at exit and released in a fork."""
    _living.add(living)


def _close_all() -> None:
    for living in list(_living):
        # The interpreter ends: nothing can be done about an error, and nothing is printed.
        with suppress(Exception):
            living.close()


def _abandon_all() -> None:
    inherited = list(_living)
    _living.clear()
    _of_parents.extend(inherited)
    for living in inherited:
        living.abandon()


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    # A child that was forked while another thread parsed would wait for that thread for ever.
    os.register_at_fork(
        before=PARSER_LOCK.acquire,
        after_in_parent=PARSER_LOCK.release,
        after_in_child=PARSER_LOCK.release,
    )
    os.register_at_fork(after_in_child=_abandon_all)
