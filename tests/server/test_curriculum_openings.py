"""Episodes whose difficulty is chosen by the success of earlier ones, over the control plane."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from codegym_mcp.curriculum.curriculum_file import CurriculumFile
from codegym_mcp.episodes.episode import Episode
from codegym_mcp.sandbox.process.pool import SandboxPool

from .serving import Server, http_server

GROUPS = 8
"""The groups that a decision is about, without a rule of one's own."""


@pytest.fixture
async def served(pool: SandboxPool) -> AsyncIterator[Server]:
    async with http_server(pool) as server:
        yield server


async def begin(server: Server, seed: int, **asked: Any) -> Episode:
    body = {"environment": "safe", "difficulty": "adaptive", "seed": seed, **asked}
    async with server.control() as control:
        response = await control.post("/episodes", json=body)
    assert response.status_code == 201, response.text
    return server.episodes.by_id(response.json()["id"])


async def play(server: Server, seed: int, *, right: bool) -> int:
    """Plays an episode and returns its difficulty."""
    episode = await begin(server, seed)
    await episode.submit(episode.full_task.config["word"] if right else "")
    assert episode.full_task.difficulty is not None
    return episode.full_task.difficulty


async def difficulties(server: Server) -> dict[str, int]:
    async with server.control() as control:
        response = await control.get("/curriculum")
    assert response.status_code == 200
    return dict(response.json()["difficulties"])


async def test_the_difficulty_follows_the_verdicts(served: Server) -> None:
    assert await difficulties(served) == {}
    played = [await play(served, seed, right=seed < GROUPS) for seed in range(2 * GROUPS + 1)]
    assert played == [1] * GROUPS + [2] * GROUPS + [1]
    assert await difficulties(served) == {"safe": 1}


async def test_a_group_keeps_its_difficulty_and_open_episodes_do_not_count(served: Server) -> None:
    first = await begin(served, 0)
    for seed in range(1, GROUPS + 1):
        await play(served, seed, right=True)
    assert (await begin(served, GROUPS + 1)).full_task.difficulty == 2
    again = await begin(served, 0)
    assert again.full_task == first.full_task
    assert again.id != first.id


async def test_episodes_that_are_not_scored_do_not_count(served: Server) -> None:
    for seed in range(2 * GROUPS):
        episode = await begin(served, seed)
        await episode.close("The trainer ended.", state=type(episode.state).ABANDONED)
    assert (await begin(served, 99)).full_task.difficulty == 1


async def test_a_closed_episode_counts_as_given_up(served: Server) -> None:
    for seed in range(GROUPS):
        await play(served, seed, right=True)
    assert (await begin(served, 100)).full_task.difficulty == 2
    for seed in range(101, 101 + GROUPS):
        await (await begin(served, seed)).close("The agent stopped.")
    assert (await begin(served, 200)).full_task.difficulty == 1


async def test_a_repeated_request_opens_one_episode_also_after_a_decision(served: Server) -> None:
    first = await begin(served, 0, request_key="one")
    for seed in range(1, GROUPS + 2):
        await play(served, seed, right=True)
    assert (await begin(served, 0, request_key="one")) is first
    body = {"environment": "safe", "difficulty": "adaptive", "seed": 5, "request_key": "one"}
    async with served.control() as control:
        response = await control.post("/episodes", json=body)
    assert response.status_code == 422
    assert "Another episode was opened with this request key" in response.text


async def test_a_repeated_request_counts_once(pool: SandboxPool, tmp_path: Path) -> None:
    kept = tmp_path / "curriculum.json"
    async with http_server(pool, curriculum=kept) as server:
        episode = await begin(server, 0, request_key="one")
        await episode.submit(episode.full_task.config["word"])
        await begin(server, 1)
        assert (await begin(server, 0, request_key="one")) is episode
        await begin(server, 2)
    group = CurriculumFile(path=kept).read().environments["safe"].groups[0]
    assert (group.rewards, group.open) == ([1.0], [])


async def test_a_later_server_with_the_same_folder_continues(pool: SandboxPool, tmp_path: Path) -> None:
    kept, journal = tmp_path / "curriculum.json", tmp_path / "journal.sqlite"
    async with http_server(pool, journal_path=journal, curriculum=kept) as server:
        for seed in range(GROUPS):
            await play(server, seed, right=True)
    async with http_server(pool, journal_path=journal, curriculum=kept) as server:
        assert await difficulties(server) == {"safe": 1}
        assert (await begin(server, GROUPS)).full_task.difficulty == 2
        assert await difficulties(server) == {"safe": 2}


async def test_episodes_that_a_later_server_does_not_know_do_not_count(
    pool: SandboxPool, tmp_path: Path
) -> None:
    kept = tmp_path / "curriculum.json"
    async with http_server(pool, curriculum=kept) as server:
        for seed in range(GROUPS):
            await play(server, seed, right=True)
    async with http_server(pool, curriculum=kept) as server:
        assert (await begin(server, GROUPS)).full_task.difficulty == 1
    groups = CurriculumFile(path=kept).read().environments["safe"].groups
    assert [seed for seed, group in groups.items() if group.open] == [GROUPS]


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({"environment": "safe", "difficulty": "adaptive"}, 422, "seed"),
        ({"environment": "safe", "difficulty": "adaptive", "seed": 1, "task": "red"}, 422, "task"),
        ({"environment": "safe", "difficulty": "adaptive", "seed": "1"}, 422, "seed"),
        ({"environment": "nowhere", "difficulty": "adaptive", "seed": 1}, 404, "nowhere"),
        ({"environment": "safe", "difficulty": "hard"}, 422, "difficulty"),
        ({"environment": "adaptive"}, 404, "adaptive"),
    ],
)
async def test_a_request_that_cannot_be_adaptive_is_refused_and_changes_nothing(
    served: Server, body: dict[str, Any], status: int, told: str
) -> None:
    async with served.control() as control:
        response = await control.post("/episodes", json=body)
    assert (response.status_code, told in response.text) == (status, True), response.text
    assert await difficulties(served) == {}


async def test_the_curriculum_needs_the_token(served: Server) -> None:
    async with served.client() as anyone:
        assert (await anyone.get("/curriculum")).status_code == 401


async def test_a_damaged_file_is_an_error_of_the_request(pool: SandboxPool, tmp_path: Path) -> None:
    kept = tmp_path / "curriculum.json"
    kept.write_text("{")
    async with http_server(pool, curriculum=kept) as server, server.control() as control:
        body = {"environment": "safe", "difficulty": "adaptive", "seed": 1}
        response = await control.post("/episodes", json=body)
        assert response.status_code >= 500
        assert "damaged" in response.text
        assert (await control.post("/episodes", json={"environment": "safe"})).status_code == 201
