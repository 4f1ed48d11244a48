"""The interface between the viewer's page and what it shows: run directories, or the episodes of a server."""

from abc import ABC, abstractmethod

from codegym_mcp.episode_viewer.episode_views import (
    EpisodeList,
    EpisodeListQuery,
    EpisodeQuery,
    EpisodeView,
    Facets,
    OtherAttempts,
    RunView,
    TextQuery,
    TextSlice,
)


class ViewSource(ABC):
    """Runs and their episodes. Every method raises NotFoundError if the run or the episode does not exist."""

    @abstractmethod
    async def runs(self) -> list[RunView]:
        """Returns the runs."""

    @abstractmethod
    async def episodes(self, query: EpisodeListQuery) -> EpisodeList:
        """Returns a part of the list of episodes of a run."""

    @abstractmethod
    async def facets(self, run: str) -> Facets:
        """Returns the values of the filters of a run."""

    @abstractmethod
    async def episode(self, query: EpisodeQuery) -> EpisodeView:
        """Returns an episode with a part of its steps."""

    @abstractmethod
    async def text(self, query: TextQuery) -> TextSlice:
        """Returns a part of a text of an episode."""

    @abstractmethod
    async def other_attempts(self, query: EpisodeQuery) -> OtherAttempts:
        """Returns the other episodes of the task of an episode."""

    @abstractmethod
    async def oracle(self, query: EpisodeQuery) -> EpisodeView:
        """Returns how the oracle plays the task of an episode.

        Raises:
            CodegymError: the oracle cannot play it.
        """
