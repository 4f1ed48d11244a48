from codegym_harness.episode_sources.episode_source import Assignment
from codegym_harness.episode_sources.in_process_episodes import InProcessEpisodes
from codegym_harness.rollouts.oracle_call_counts import OracleCallCounter
from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episodes.episode_manager import EpisodeManager
from codegym_mcp.sandbox.process.pool import SandboxPool


async def test_the_calls_of_the_oracle_are_counted_once_per_task(
    pool: SandboxPool, catalog: Catalog, episodes: EpisodeManager
) -> None:
    opened: list[str] = []

    class CountingSource(InProcessEpisodes):
        def open(self, assignment: Assignment):  # type: ignore[no-untyped-def]
            opened.append(assignment.key)
            return super().open(assignment)

    counter = OracleCallCounter(pool, catalog, CountingSource(episodes))
    bell = Assignment(environment="counter", task="bell-2")
    assert [await counter.count(bell), await counter.count(bell.model_copy(update={"epoch": 2}))] == [5, 5]
    assert opened == ["counter/bell-2/1"]


async def test_a_task_that_the_oracle_does_not_solve_has_no_count(
    pool: SandboxPool, catalog: Catalog, episodes: EpisodeManager
) -> None:
    counter = OracleCallCounter(pool, catalog, InProcessEpisodes(episodes, Limits(calls=2)))
    assert await counter.count(Assignment(environment="counter", task="bell-4")) is None
    assert await counter.count(Assignment(environment="counter", task="bell-9")) is None
