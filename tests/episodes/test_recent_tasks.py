"""What episodes of one task share."""

from codegym_mcp.environment_definition.environment import Environment, Task
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episodes.recent_tasks import RecentTasks
from codegym_mcp.sandbox.process.pool import SandboxPool


async def test_a_group_needs_one_process_for_its_task_and_one_for_its_reference_answer(
    pool: SandboxPool, counter: Environment
) -> None:
    recent, before = RecentTasks(pool), pool.started
    task = await recent.select(counter, None, 2, 7)
    reference = await recent.reference(counter, task, Limits())
    assert pool.started == before + 2
    assert await recent.select(counter, None, 2, 7) == task
    assert await recent.reference(counter, task, Limits()) == reference == task.config["bell"]
    assert pool.started == before + 2


async def test_another_task_environment_or_configuration_shares_nothing(
    pool: SandboxPool, counter: Environment
) -> None:
    recent = RecentTasks(pool)
    first = await recent.select(counter, None, 2, 7)
    assert (await recent.select(counter, None, 2, 8)).id == "d2-s8"
    assert (await recent.select(counter, None, 3, 7)).id == "d3-s7"
    assert (await recent.select(counter, None, 2)).id == "d2-s0"
    moved = Task(id=first.id, config={"start": 1, "bell": first.config["bell"] + 1})
    assert await recent.reference(counter, first, Limits()) == first.config["bell"]
    assert await recent.reference(counter, moved, Limits()) == first.config["bell"] + 1
    other = counter.with_tasks((moved,))
    assert await recent.select(other, first.id) == moved
    before = pool.started
    await recent.select(other, None, 2, 7)
    assert pool.started == before + 1


async def test_only_the_last_tasks_are_kept(pool: SandboxPool, counter: Environment) -> None:
    recent = RecentTasks(pool, kept=2)
    for seed in (1, 2, 3):
        await recent.select(counter, None, 1, seed)
    before = pool.started
    await recent.select(counter, None, 1, 3)
    assert pool.started == before
    await recent.select(counter, None, 1, 1)
    assert pool.started == before + 1
