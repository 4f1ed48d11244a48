"""Merges the lists of episodes of several workers or nodes into one."""

from collections.abc import Sequence

from codegym_mcp.control_plane_messages import EpisodePage, EpisodeQuery, ListedEpisode
from codegym_mcp.episodes.journal import Opening


def merge_pages(pages: Sequence[EpisodePage], limit: int) -> EpisodePage:
    """Returns one part of the list of all episodes, the newest first.

    Args:
        pages: the parts of the lists of the workers or nodes, for the same query.
        limit: episodes in the part, at most.
    """
    # Each has not looked beyond its own part yet: the merged part ends where the first one does.
    ends = [position for page in pages if (position := page.position_after) is not None]
    end = max(ends, default=None)
    listed = sorted((each for page in pages for each in page.episodes), key=_opening, reverse=True)
    within = [each for each in listed if end is None or _opening(each) >= end]
    if len(within) > limit:
        within = within[:limit]
        end = _opening(within[-1])
    return EpisodePage(episodes=within, next_cursor=None if end is None else EpisodeQuery.cursor_after(end))


def _opening(episode: ListedEpisode) -> Opening:
    return Opening(episode.opened_at, episode.id)
