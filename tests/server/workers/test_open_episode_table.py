"""The open episodes of all workers, in memory that they share."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from codegym_mcp.errors import LimitError
from codegym_mcp.server.workers.open_episode_table import OpenEpisodeTable, WorkerOpenEpisodes

CLAIMS = "tests.server.workers.claiming"


@pytest.fixture
def table() -> Iterator[OpenEpisodeTable]:
    created = OpenEpisodeTable.create(2, 3)
    yield created
    created.close()


def test_the_limit_holds_for_all_workers_together(table: OpenEpisodeTable) -> None:
    first, second = WorkerOpenEpisodes(table, 0), WorkerOpenEpisodes(table, 1)
    first.claim()
    first.claim()
    second.claim()
    assert table.open_counts() == [2, 1]
    for worker in (first, second):
        with pytest.raises(LimitError, match="3 episodes are open; close one, or raise the limit"):
            worker.claim()
    first.release()
    second.claim()
    assert table.open_counts() == [1, 2]


def test_episodes_that_are_open_already_are_counted_beyond_the_limit(table: OpenEpisodeTable) -> None:
    resumed = WorkerOpenEpisodes(table, 0)
    for _ in range(5):
        resumed.add()
    assert table.open_counts() == [5, 0]


def test_the_episodes_of_a_worker_that_has_ended_are_removed(table: OpenEpisodeTable) -> None:
    first, second = WorkerOpenEpisodes(table, 0), WorkerOpenEpisodes(table, 1)
    first.claim()
    second.claim()
    assert first.claim_for_caller("10.0.0.1", 1)
    table.clear(0)
    assert table.open_counts() == [0, 1]
    assert second.claim_for_caller("10.0.0.1", 1)


def test_the_limit_of_a_caller_holds_for_all_workers_together(table: OpenEpisodeTable) -> None:
    first, second = WorkerOpenEpisodes(table, 0), WorkerOpenEpisodes(table, 1)
    assert first.claim_for_caller("10.0.0.1", 2)
    assert second.claim_for_caller("10.0.0.1", 2)
    assert not first.claim_for_caller("10.0.0.1", 2)
    assert first.claim_for_caller("10.0.0.2", 2)
    second.release_for_caller("10.0.0.1")
    assert first.claim_for_caller("10.0.0.1", 2)


def test_processes_that_claim_at_the_same_time_never_exceed_the_limit() -> None:
    table = OpenEpisodeTable.create(4, 500)
    try:
        processes = [
            subprocess.Popen(
                [sys.executable, "-m", CLAIMS, str(table.descriptor), str(worker)],
                pass_fds=[table.descriptor],
                stdout=subprocess.PIPE,
            )
            for worker in range(4)
        ]
        claimed = [int(process.communicate()[0]) for process in processes]
        assert sum(claimed) == 500
        assert table.open_counts() == claimed
    finally:
        table.close()
