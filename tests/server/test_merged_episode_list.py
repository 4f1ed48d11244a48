"""One list of the episodes of all workers."""

from hypothesis import given
from hypothesis import strategies as st

from codegym_mcp.control_plane_messages import EpisodePage, EpisodeQuery, ListedEpisode
from codegym_mcp.episodes.episode_outcome import EpisodeOutcome, EpisodeState
from codegym_mcp.episodes.episode_shards import shard_of
from codegym_mcp.episodes.journal import Opening
from codegym_mcp.server.merged_episode_list import merge_pages


def listed(opening: Opening) -> ListedEpisode:
    return ListedEpisode(
        id=opening.episode,
        opened_at=opening.at,
        environment="safe",
        task="blue",
        state=EpisodeState.OPEN,
        outcome=EpisodeOutcome.OPEN,
        reward=None,
        calls=0,
        verdict=None,
        reason="",
        tags=[],
        difficulty=None,
        oracle_calls=None,
    )


def page_of(openings: list[Opening], matching: set[str], query: EpisodeQuery, scanned: int) -> EpisodePage:
    """Returns a worker's part of the list, which looks at so many episodes at most."""
    before = query.position
    seen = [each for each in sorted(openings, reverse=True) if before is None or each < before][:scanned]
    page = EpisodePage()
    for opening in seen:
        if opening.episode in matching:
            page.episodes.append(listed(opening))
            if len(page.episodes) == query.limit:
                page.next_cursor = EpisodeQuery.cursor_after(opening)
                return page
    if len(seen) == scanned:
        page.next_cursor = EpisodeQuery.cursor_after(seen[-1])
    return page


@given(
    times=st.lists(st.integers(0, 9), max_size=40),
    workers=st.integers(1, 4),
    limit=st.integers(1, 7),
    scanned=st.integers(1, 9),
    filtered=st.sets(st.integers(0, 39)),
)
def test_the_parts_together_are_the_list_of_all_episodes_the_newest_first(
    times: list[int], workers: int, limit: int, scanned: int, filtered: set[int]
) -> None:
    openings = [Opening(float(at), f"{number:016x}") for number, at in enumerate(times)]
    matching = {each.episode for number, each in enumerate(openings) if number not in filtered}
    parts: list[list[Opening]] = [[] for _ in range(workers)]
    for opening in openings:
        parts[shard_of(opening.episode, workers)].append(opening)
    found: list[str] = []
    query = EpisodeQuery(limit=limit)
    for _ in range(100):
        merged = merge_pages([page_of(part, matching, query, scanned) for part in parts], limit)
        assert len(merged.episodes) <= limit
        found += [each.id for each in merged.episodes]
        if merged.next_cursor is None:
            break
        query = EpisodeQuery(limit=limit, cursor=merged.next_cursor)
    assert found == [each.episode for each in sorted(openings, reverse=True) if each.episode in matching]
