"""Which worker a request goes to."""

from collections.abc import Iterator

import pytest

from codegym_mcp.episodes.episode_shards import id_of_key, shard_of
from codegym_mcp.server.workers.episode_owner import Owner
from codegym_mcp.server.workers.new_episode_placement import EpisodePlacement
from codegym_mcp.server.workers.open_episode_table import OpenEpisodeTable

WORKERS = 4


@pytest.fixture
def table() -> Iterator[OpenEpisodeTable]:
    created = OpenEpisodeTable.create(WORKERS, 1000)
    yield created
    created.close()


def test_an_episode_is_found_by_its_id(table: OpenEpisodeTable) -> None:
    placement = EpisodePlacement(table)
    for number in range(20):
        episode = id_of_key(str(number))
        assert (
            placement.worker_of(episode, own=0) == placement.worker_of(episode) == shard_of(episode, WORKERS)
        )


def test_new_episodes_go_to_the_workers_in_turn_before_any_is_counted(table: OpenEpisodeTable) -> None:
    placement = EpisodePlacement(table)
    chosen = [placement.worker_of(Owner.NEW_EPISODE) for _ in range(4 * WORKERS)]
    assert [chosen.count(worker) for worker in range(WORKERS)] == [4] * WORKERS


@pytest.mark.parametrize("own", [None, 0])
def test_a_worker_with_more_episodes_than_others_gets_none(table: OpenEpisodeTable, own: int | None) -> None:
    placement = EpisodePlacement(table)
    table.add(0, 30)
    for _ in range(30):
        worker = placement.worker_of(Owner.NEW_EPISODE, own=own)
        assert worker != 0
        table.add(worker, 1)


def test_a_worker_serves_what_any_can_serve_itself(table: OpenEpisodeTable) -> None:
    placement = EpisodePlacement(table)
    table.add(2, 100)
    assert placement.worker_of(Owner.ANY_WORKER, own=2) == 2
    assert placement.worker_of(Owner.NEW_EPISODE, own=3) == 3


def test_a_worker_that_does_not_exist_stands_for_any(table: OpenEpisodeTable) -> None:
    placement = EpisodePlacement(table)
    assert placement.worker_of(WORKERS - 1) == WORKERS - 1
    for worker in (WORKERS, -1):
        assert placement.worker_of(worker, own=1) == 1
