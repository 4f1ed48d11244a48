"""Sessions of the Open Reward Standard whose difficulty follows the success of the last groups."""

from collections.abc import AsyncIterator

import pytest

from codegym_mcp.environment_definition.task_splits import TRAINING_TASKS
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.server.trainer_protocols.ors_sessions import OrsSessions
from codegym_mcp.server.trainer_protocols.ors_tasks import ADAPTIVE_SPLIT, AdaptiveSplit
from codegym_mcp.server.trainer_protocols.trainer_endpoints import TrainerRequestError
from codegym_mcp.server.trainer_protocols.trainer_protocol import TrainerProtocol
from tests.server.serving import ENVIRONMENTS, Server, http_server
from tests.server.trainer_protocols.test_ors import Session

GROUPS = 8
"""The groups that a decision is about, without a rule of one's own."""


@pytest.fixture
async def served(pool: SandboxPool) -> AsyncIterator[Server]:
    paths = (ENVIRONMENTS / "safe.py", ENVIRONMENTS / "fragile.py")
    async with http_server(pool, paths=paths, protocols=frozenset({TrainerProtocol.ORS})) as server:
        yield server


async def begin(server: Server, seed: int) -> Session:
    session = Session(server)
    created = await session.create({"env_name": "safe", "split": ADAPTIVE_SPLIT, "index": seed})
    assert created.status_code == 200, created.text
    return session


async def play(server: Server, seed: int, *, right: bool) -> int | None:
    """Plays an episode and returns its difficulty."""
    session = await begin(server, seed)
    task = session.episode.full_task
    await session.call("submit_answer", {"answer": task.config["word"] if right else ""})
    await session.request("POST", "/delete")
    return task.difficulty


async def test_the_difficulty_follows_the_verdicts_of_the_sessions(served: Server) -> None:
    played = [await play(served, seed, right=seed < GROUPS) for seed in range(2 * GROUPS + 1)]
    assert played == [1] * GROUPS + [2] * GROUPS + [1]
    async with served.control() as control:
        assert (await control.get("/curriculum")).json() == {"difficulties": {"safe": 1}}


async def test_the_sessions_of_a_group_have_one_difficulty(served: Server) -> None:
    first = await begin(served, 0)
    for seed in range(1, GROUPS + 1):
        await play(served, seed, right=True)
    assert (await begin(served, GROUPS + 1)).episode.full_task.difficulty == 2
    assert (await begin(served, 0)).episode.full_task == first.episode.full_task


async def test_sessions_that_are_deleted_without_a_submission_do_not_count(served: Server) -> None:
    for seed in range(GROUPS):
        await (await begin(served, seed)).request("POST", "/delete")
    played = [await play(served, GROUPS + seed, right=True) for seed in range(GROUPS + 1)]
    assert played == [1] * GROUPS + [2]


async def test_a_session_is_created_once_also_if_the_difficulty_has_changed(served: Server) -> None:
    session = await begin(served, 0)
    for seed in range(1, GROUPS + 1):
        await play(served, seed, right=True)
    await begin(served, GROUPS + 1)
    asked = {"env_name": "safe", "split": ADAPTIVE_SPLIT, "index": 0}
    assert (await session.request("POST", "/create", asked)).json() == {"sid": session.sid}
    other = await session.request("POST", "/create", {**asked, "index": 1})
    assert (other.status_code, "another task" in other.text) == (400, True)


async def test_the_split_is_listed_where_tasks_can_be_generated(served: Server) -> None:
    client = Session(served)
    listed = {split["name"]: split["type"] for split in (await client.request("GET", "/safe/splits")).json()}
    assert listed[ADAPTIVE_SPLIT] == "train"
    counted = await client.request("POST", "/safe/num_tasks", {"split": ADAPTIVE_SPLIT})
    assert counted.json() == {"num_tasks": TRAINING_TASKS}
    shown = await client.request("POST", "/safe/task", {"split": ADAPTIVE_SPLIT, "index": 7})
    task = {"environment": "safe", "difficulty": "adaptive", "seed": 7}
    assert shown.json() == {"task": task, "env_name": "safe"}
    ranged = await client.request(
        "POST", "/safe/task_range", {"split": ADAPTIVE_SPLIT, "start": 7, "stop": 8}
    )
    assert ranged.json()["tasks"] == [task]
    assert (await client.create({"task_spec": task})).status_code == 200
    assert client.episode.full_task.id.endswith("7")


async def test_what_has_no_group_or_no_generator_is_refused_with_the_reason(served: Server) -> None:
    client = Session(served)
    unnamed = await client.create({"task_spec": {"environment": "safe", "difficulty": "adaptive"}})
    assert (unnamed.status_code, "needs a seed" in unnamed.text) == (422, True)
    beyond = await client.create({"env_name": "safe", "split": ADAPTIVE_SPLIT, "index": TRAINING_TASKS})
    assert (beyond.status_code, f"no task {TRAINING_TASKS}" in beyond.text) == (400, True)


async def test_without_a_curriculum_the_session_is_refused_and_the_others_are_not(served: Server) -> None:
    sessions = OrsSessions(served.episodes)
    with pytest.raises(TrainerRequestError, match="--data") as refused:
        await sessions.create("a", AdaptiveSplit("safe")[0])
    assert refused.value.status == 422
