"""Closes an episode that its owner lost without closing it."""

import warnings
import weakref
from collections.abc import Awaitable, Callable
from typing import TypeVar

from codegym_mcp.episodes.episode_outcome import EpisodeState
from codegym_mcp.runtime.episode_backend import EpisodeBackend

T = TypeVar("T")


def abandon_when_collected(
    handle: T, backend: EpisodeBackend, notify: Callable[[Callable[[], Awaitable[object]]], None]
) -> "weakref.finalize[[], T]":
    """Arranges that an episode is abandoned, with one ResourceWarning, when its handle is collected.

    Args:
        handle: what the owner holds.
        backend: the episode; it must not refer to the handle.
        notify: starts a coroutine on the runtime's loop without waiting, from any thread.

    Returns:
        The finalizer, to be detached when the handle is closed.
    """

    def abandon() -> None:
        if backend.state is EpisodeState.OPEN:
            warnings.warn(
                f"The episode {backend.id} was not closed. Use `with`, or call close().",
                ResourceWarning,
                stacklevel=2,
            )
        notify(lambda: backend.close(EpisodeState.ABANDONED, "Its owner lost it without closing it."))

    finalizer = weakref.finalize(handle, abandon)
    # At exit the runtime ends all its episodes.
    finalizer.atexit = False
    return finalizer
