"""The control plane."""

import time
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.server.request_bodies import MAX_BODY

from .serving import ENVIRONMENTS, WORDS, Server, http_server


@pytest.fixture(scope="module")
async def served(pool: SandboxPool) -> AsyncIterator[Server]:
    """A server of a folder with good, broken and fragile environments, which holds four episodes."""
    async with http_server(pool, paths=(ENVIRONMENTS,), open_limit=4) as server:
        yield server


async def opened(server: Server, **asked: Any) -> dict[str, Any]:
    async with server.control() as control:
        response = await control.post("/episodes", json={"environment": "safe", **asked})
    assert response.status_code == 201, response.text
    answer = response.json()
    assert set(answer) == {"id", "mcp_url", "task"}
    return dict(answer)


async def shown(server: Server, episode_id: str) -> dict[str, Any]:
    async with server.control() as control:
        response = await control.get(f"/episodes/{episode_id}")
    assert response.status_code == 200
    return dict(response.json())


async def closed(server: Server, episode_id: str) -> dict[str, Any]:
    async with server.control() as control:
        response = await control.delete(f"/episodes/{episode_id}")
    assert response.status_code == 200
    return dict(response.json())


async def test_health_needs_no_token(served: Server) -> None:
    async with served.client() as anyone:
        response = await anyone.get("/health")
    assert response.status_code == 200
    assert response.json()["status"] == "ok"
    assert response.json()["open_episodes"] == 0


async def test_the_environments_that_can_be_opened_are_listed(served: Server) -> None:
    async with served.control() as control:
        response = await control.get("/environments")
    assert response.status_code == 200
    fragile, safe = response.json()
    assert fragile["name"] == "fragile"
    assert safe.pop("digest") != fragile["digest"]
    assert safe == {
        "name": "safe",
        "title": "Safe",
        "tags": ["fixture"],
        "tools": ["turn", "look", "force", "kick", "ring", "write", "polish"],
        "tasks": ["blue", "red"],
        "generates": True,
        "license": "MIT",
        "source": "original",
    }


async def test_an_episode_is_opened_played_and_judged(served: Server) -> None:
    answer = await opened(served, task="red")
    assert answer["task"] == {
        "environment": "safe",
        "id": "red",
        "text": "A safe stands before you, its dial at 100. A word is engraved inside.\n\n"
        "Answer with the word.",
        "public": {"start": 100},
    }
    episode = served.episodes.by_id(answer["id"])
    assert answer["mcp_url"] == served.url_of(episode)
    known = {"tags": ["fixture"], "difficulty": None, "oracle_calls": None}
    expected = {"id": episode.id, "environment": "safe", "task": "red", "reason": "", **known}
    still_open = {"state": "open", "outcome": "open", "reward": None, "calls": 0, "verdict": None}
    assert await shown(served, episode.id) == {**expected, **still_open}
    await episode.call("look", {})
    await episode.call("no_such_tool", {})
    assert (await shown(served, episode.id))["calls"] == 2
    await episode.submit(WORDS["red"])
    verdict = {"correct": True, "reward": 1.0, "overlap": None}
    ended = {"state": "submitted", "outcome": "correct", "reward": 1.0, "calls": 2, "verdict": verdict}
    submitted = {**expected, **ended}
    assert await shown(served, episode.id) == submitted
    assert await closed(served, episode.id) == submitted, "an episode that has ended stays as it ended"


async def test_a_wrong_answer_is_not_rewarded(served: Server) -> None:
    episode = served.episodes.by_id((await opened(served))["id"])
    await episode.submit(WORDS["red"])
    assert (await shown(served, episode.id))["verdict"] == {"correct": False, "reward": 0.0, "overlap": None}


async def test_the_same_difficulty_and_seed_are_the_same_task(served: Server) -> None:
    tasks = []
    for _ in range(2):
        answer = await opened(served, difficulty=3, seed=11)
        tasks.append(served.episodes.by_id(answer["id"]).full_task)
        await closed(served, answer["id"])
    assert tasks[0].id == "d3-s11"
    assert tasks[0] == tasks[1]


async def test_the_limit_of_calls_ends_an_episode(served: Server) -> None:
    answer = await opened(served, limits={"calls": 2})
    episode = served.episodes.by_id(answer["id"])
    for _ in range(3):
        await episode.call("look", {})
    info = await shown(served, episode.id)
    assert (info["state"], info["calls"], info["verdict"]) == ("out_of_calls", 2, None)


async def test_an_idle_episode_expires(served: Server) -> None:
    answer = await opened(served, limits={"idle_seconds": 60})
    await served.episodes.expire_idle(time.monotonic() + 30)
    assert (await shown(served, answer["id"]))["state"] == "open"
    await served.episodes.expire_idle(time.monotonic() + 61)
    info = await shown(served, answer["id"])
    assert (info["state"], info["reason"]) == ("expired", "No call was made for 60 seconds.")


async def test_a_closed_episode_refuses_calls(served: Server) -> None:
    answer = await opened(served)
    assert (await closed(served, answer["id"]))["state"] == "closed"
    info = await closed(served, answer["id"])
    assert (info["state"], info["verdict"], info["reason"]) == ("closed", None, "It was closed.")
    result = await served.episodes.by_id(answer["id"]).call("look", {})
    assert result.is_error
    assert result.over


async def test_an_episode_that_cannot_be_judged_has_failed_and_is_not_scored(served: Server) -> None:
    answer = await opened(served, environment="fragile", task="unjudged")
    result = await served.episodes.by_id(answer["id"]).submit(1)
    assert result.text == "Your answer was received. The episode is over."
    info = await shown(served, answer["id"])
    assert (info["state"], info["verdict"]) == ("failed", None)
    assert info["reason"].startswith("No verdict: ")


async def test_the_verdict_is_revealed_where_it_was_asked_for(served: Server) -> None:
    answer = await opened(served, reveal=True)
    result = await served.episodes.by_id(answer["id"]).submit("another")
    assert result.structured == {"received": True, "correct": False, "reward": 0.0}


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer wrong", "Basic {token}", "{token}", "Bearer {token}x", "Bearer ünï"],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/environments"),
        ("POST", "/episodes"),
        ("GET", "/episodes/x"),
        ("DELETE", "/episodes/x"),
        ("GET", "/episodes/x/events"),
    ],
)
async def test_nothing_is_answered_without_the_token(
    served: Server, authorization: str | None, method: str, path: str
) -> None:
    headers = {}
    if authorization is not None:
        headers["authorization"] = authorization.format(token=served.token).encode("latin-1")
    async with served.client() as anyone:
        response = await anyone.request(method, path, headers=headers)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.json() == {
        "error": {
            "message": "The control plane needs its token.",
            "hint": "Send it as 'Authorization: Bearer …'.",
        }
    }


async def test_the_scheme_of_the_token_is_read_in_any_case(served: Server) -> None:
    async with served.client(authorization=f"bearer {served.token}") as control:
        assert (await control.get("/environments")).status_code == 200


@pytest.mark.parametrize(
    ("asked", "status", "told"),
    [
        ({"environment": "saef"}, 404, "There is no environment named 'saef'."),
        ({"environment": "safe", "task": "green"}, 404, "There is no task named 'green'."),
        ({"environment": "safe", "task": "red", "difficulty": 1}, 422, "not both"),
        ({"environment": "safe", "task": "red", "seed": 1}, 422, "not both"),
        ({"environment": "safe", "seed": 1}, 422, "a seed needs a difficulty"),
        ({"environment": "fragile", "difficulty": 1}, 422, "has no generator"),
        ({"environment": "broken"}, 422, "broken.py:10: the tool peek has no docstring"),
        ({"environment": "fragile"}, 500, "KeyError"),
        ({}, 422, "wrong at environment: Field required"),
        ({"environment": 7}, 422, "wrong at environment"),
        ({"environment": "safe", "colour": "red"}, 422, "wrong at colour: Extra inputs"),
        ({"environment": "safe", "difficulty": 0}, 422, "wrong at difficulty"),
        ({"environment": "safe", "difficulty": 6}, 422, "wrong at difficulty"),
        ({"environment": "safe", "difficulty": True}, 422, "wrong at difficulty"),
        ({"environment": "safe", "difficulty": 1, "seed": "a"}, 422, "wrong at seed"),
        ({"environment": "safe", "reveal": "yes"}, 422, "wrong at reveal"),
        ({"environment": "safe", "limits": {"calls": 0}}, 422, "wrong at limits.calls"),
        ({"environment": "safe", "limits": {"calls": "9"}}, 422, "wrong at limits.calls"),
        ({"environment": "safe", "limits": {"wishes": 3}}, 422, "wrong at limits.wishes"),
        ([], 422, "wrong at the body"),
    ],
)
async def test_a_wrong_request_is_refused_with_the_reason(
    served: Server, asked: Any, status: int, told: str
) -> None:
    async with served.control() as control:
        response = await control.post("/episodes", json=asked)
    assert response.status_code == status
    error = response.json()["error"]
    assert told in error["message"]
    assert served.episodes.open_count == 0


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b'{"environment": "safe"} and more', b"null"])
async def test_a_body_that_is_no_json_object_is_refused(served: Server, body: bytes) -> None:
    async with served.control() as control:
        response = await control.post("/episodes", content=body)
    assert response.status_code == 422
    assert "The request is wrong at the body" in response.json()["error"]["message"]


@pytest.mark.parametrize("announced", [True, False])
async def test_a_body_that_is_too_large_is_refused(served: Server, announced: bool) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(2):
            yield b" " * MAX_BODY

    async with served.control() as control:
        response = await control.post("/episodes", content=b" " * 2 * MAX_BODY if announced else parts())
    assert response.status_code == 413
    assert str(MAX_BODY) in response.json()["error"]["message"]


@pytest.mark.parametrize(("method", "of_it"), [("GET", ""), ("DELETE", ""), ("GET", "/events")])
async def test_an_unknown_episode_is_not_found(served: Server, method: str, of_it: str) -> None:
    async with served.control() as control:
        response = await control.request(method, f"/episodes/0123456789abcdef{of_it}")
    assert response.status_code == 404
    assert response.json()["error"]["message"] == "There is no episode named '0123456789abcdef'."


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/environments", {"GET", "HEAD"}),
        ("PUT", "/episodes", {"GET", "HEAD", "POST"}),
        ("PATCH", "/episodes/x", {"GET", "HEAD", "DELETE"}),
        ("DELETE", "/episodes/x/events", {"GET", "HEAD"}),
        ("DELETE", "/health", {"GET", "HEAD"}),
    ],
)
async def test_an_unknown_method_is_refused_with_the_allowed_methods(
    served: Server, method: str, path: str, allowed: set[str]
) -> None:
    async with served.control() as control:
        response = await control.request(method, path)
    assert response.status_code == 405
    assert set(response.headers["allow"].split(", ")) == allowed
    assert response.json()["error"]["message"] == "Method Not Allowed."


async def test_an_unknown_address_is_not_found(served: Server) -> None:
    async with served.control() as control:
        response = await control.get("/no/such/place")
    assert response.status_code == 404
    assert response.json() == {"error": {"message": "Not Found.", "hint": ""}}


async def test_no_more_episodes_are_open_than_the_limit_allows(served: Server) -> None:
    ids = [(await opened(served))["id"] for _ in range(4)]
    async with served.control() as control:
        response = await control.post("/episodes", json={"environment": "safe"})
        assert response.status_code == 429
        assert response.json()["error"]["message"].startswith("4 episodes are open;")
    await closed(served, ids.pop())
    ids.append((await opened(served))["id"])
    for episode_id in ids:
        await closed(served, episode_id)


async def test_the_id_of_an_episode_gives_no_access(served: Server) -> None:
    answer = await opened(served)
    async with served.client() as anyone:
        response = await anyone.post(f"/episodes/{answer['id']}/mcp", json={})
    assert response.status_code == 404
    assert response.json()["error"]["message"] == "There is no such episode."
    await closed(served, answer["id"])


async def test_the_token_and_the_answer_are_in_no_response_except_the_address(served: Server) -> None:
    async with served.control() as control:
        said = [(await control.get("/environments")).text, (await control.get("/health")).text]
        response = await control.post("/episodes", json={"environment": "safe"})
        token = response.json()["mcp_url"].split("/")[-2]
        path = f"/episodes/{response.json()['id']}"
        assert len(token) >= 32
        assert response.text.count(token) == 1
        assert WORDS["blue"] not in response.text
        said.append((await control.get(path)).text)
        await served.episodes.by_token(token).submit(WORDS["blue"])
        said += [(await control.get(path)).text, (await control.delete(path)).text]
        said.append((await control.get(f"/episodes/{token}")).text)
    assert not [text for text in said[:-1] if token in text or WORDS["blue"] in text]
    assert "There is no episode" in said[-1]


async def test_the_calls_of_an_episode_are_listed_with_the_results_that_the_agent_received(
    served: Server,
) -> None:
    episode = served.episodes.by_id((await opened(served, task="red"))["id"])
    turned = await episode.call("turn", {"clicks": 2})
    refused = await episode.call("no_such_tool", {"a": [None, "ü"]})
    unfit = await episode.call("submit_answer", {"answer": 7})
    answered = await episode.submit(WORDS["red"])
    await episode.call("look", {})
    async with served.control() as control:
        response = await control.get(f"/episodes/{episode.id}/events")
    assert response.status_code == 200
    events = response.json()
    assert [(event["name"], event["arguments"]) for event in events] == [
        ("turn", {"clicks": 2}),
        ("no_such_tool", {"a": [None, "ü"]}),
        ("submit_answer", {"answer": 7}),
        ("submit_answer", {"answer": WORDS["red"]}),
    ]
    told = [turned, refused, unfit, answered]
    assert [event["result"] for event in events] == [result.model_dump() for result in told]
    assert sorted(event["at"] for event in events) == [event["at"] for event in events]
    assert episode.token not in response.text


async def test_events_are_listed_after_the_call_in_progress(served: Server) -> None:
    episode = served.episodes.by_id((await opened(served))["id"])
    events: list[Any] = []

    async def list_events() -> None:
        async with served.control() as control:
            events.extend((await control.get(f"/episodes/{episode.id}/events")).json())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(episode.call, "polish", {"strokes": 100_000})
        while not episode.calls:
            await anyio.lowlevel.checkpoint()
        tasks.start_soon(list_events)
    assert [event["name"] for event in events] == ["polish"]
    await closed(served, episode.id)
