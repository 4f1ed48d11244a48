"""Closes an episode that its owner lost without closing it."""

import warnings
import weakref
from collections.abc import Awaitable, Callable
from typing import TypeVar

from codegym_mcp.episodes.episode_outcome import EpisodeState
from codegym_mcp.runtime.episode_backend import EpisodeBackend

T = TypeVar("T")

Notify = Callable[[Callable[[], Awaitable[object]]], bool]
"""Starts a coroutine on a runtime's loop without waiting, from any thread; False if the loop does not run."""


def abandon_when_collected(handle: T, backend: EpisodeBackend, notify: Notify) -> "weakref.finalize[[], T]":
    """Arranges that an episode is abandoned, with one ResourceWarning, when its handle is collected.

    Args:
        handle: what the owner holds.
        backend: the episode; it must not refer to the handle.
        notify: starts a coroutine on the runtime's loop.

    Returns:
        The finalizer, to be detached when the handle is closed.
    """

    def abandon() -> None:
        is_open = backend.state is EpisodeState.OPEN
        reason = "Its owner lost it without closing it."
        if notify(lambda: backend.close(EpisodeState.ABANDONED, reason)) and is_open:
            warnings.warn(
                f"The episode {backend.id} was not closed. Use `with`, or call close().",
                ResourceWarning,
                stacklevel=2,
            )

    finalizer = weakref.finalize(handle, abandon)
    # At exit the runtime ends all its episodes.
    finalizer.atexit = False
    return finalizer
