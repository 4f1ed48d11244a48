from typing import Any

import pytest

from codegym_mcp.environment_definition.environment import Environment, Task
from codegym_mcp.episodes.episode_task import select_task
from codegym_mcp.errors import NotFoundError, TaskError
from codegym_mcp.sandbox.process.pool import SandboxPool
from tests.conftest import FIXTURES

COUNTER = (FIXTURES / "counter.py").read_text()


def task(bell: int = 3) -> Task:
    return Task(id=f"bell-{bell}", config={"start": 1, "bell": bell})


async def test_a_task_is_selected_by_its_id_or_generated_from_difficulty_and_seed(
    pool: SandboxPool, counter: Environment
) -> None:
    fixed = counter.with_tasks((task(3), task(4)))
    assert await select_task(pool, fixed, "bell-4") == task(4)
    assert await select_task(pool, fixed, None) == task(3)
    made = await select_task(pool, fixed, None, difficulty=2, seed=7)
    assert made.id == "d2-s7"
    assert await select_task(pool, fixed, None, difficulty=2, seed=7) == made
    assert (await select_task(pool, fixed, None, difficulty=2)).id == "d2-s0"
    assert (await select_task(pool, counter, None)).id == "d1-s0"


async def test_an_unknown_or_ambiguous_task_is_an_error(pool: SandboxPool, counter: Environment) -> None:
    with pytest.raises(NotFoundError, match=r"Did you mean bell-3\?"):
        await select_task(pool, counter.with_tasks((task(3),)), "bell-33")
    with pytest.raises(TaskError, match="not both"):
        await select_task(pool, counter, "bell-3", difficulty=1)
    with pytest.raises(TaskError, match="not both"):
        await select_task(pool, counter, "bell-3", seed=1)
    with pytest.raises(TaskError, match="needs a difficulty"):
        await select_task(pool, counter, None, seed=1)
    with pytest.raises(TaskError, match="from 1 to 5"):
        await select_task(pool, counter, None, difficulty=6)


async def test_an_environment_without_tasks_and_generator_is_an_error(
    pool: SandboxPool, declare: Any
) -> None:
    bare = declare(COUNTER[: COUNTER.index("def generate")], name="bare")
    with pytest.raises(TaskError, match=r"bare has neither tasks nor a generator. Put tasks .* bare\.jsonl"):
        await select_task(pool, bare, None)
    with pytest.raises(TaskError, match="has no generator"):
        await select_task(pool, bare, None, difficulty=1)
