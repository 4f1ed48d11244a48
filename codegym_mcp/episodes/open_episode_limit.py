"""How many episodes may be open at a time."""

from typing import Protocol

from codegym_mcp.errors import LimitError

DEFAULT_OPEN_EPISODES = 1000


class OpenEpisodeLimit(Protocol):
    """Counts open episodes, of this process or of several."""

    def claim(self) -> None:
        """Counts an episode that is about to be opened.

        Raises:
            LimitError: as many episodes are open as may be; nothing was counted.
        """

    def add(self) -> None:
        """Counts an episode that is open already, whatever the limit is."""

    def release(self) -> None:
        """Notes that an episode has ended."""


class ProcessOpenEpisodes:
    """Counts the open episodes of this process. It is an `OpenEpisodeLimit`."""

    def __init__(self, limit: int = DEFAULT_OPEN_EPISODES) -> None:
        self._limit = limit
        self._count = 0

    def claim(self) -> None:
        """Counts an episode that is about to be opened; see `OpenEpisodeLimit.claim`."""
        if self._count >= self._limit:
            raise open_episodes_error(self._limit)
        self._count += 1

    def add(self) -> None:
        """Counts an episode that is open already."""
        self._count += 1

    def release(self) -> None:
        """Notes that an episode has ended."""
        self._count -= 1


def open_episodes_error(limit: int) -> LimitError:
    """Returns the error for an episode that is one too many."""
    return LimitError("open_episodes", limit, f"{limit} episodes are open; close one, or raise the limit.")
