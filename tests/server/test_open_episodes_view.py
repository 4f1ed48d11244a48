"""The viewer's page in a server: the owner sees every call, the agent's side sees nothing."""

from typing import Any

import httpx2
import pytest

from codegym_mcp.episode_protocol import CallStatus
from codegym_mcp.server.open_episodes_view import RUN

from .serving import Server


async def ask(server: Server, name: str, **parameters: Any) -> Any:
    async with server.control() as client:
        response = await client.get(f"/view/api/{name}", params={"run": RUN, **parameters})
        assert response.status_code == 200, response.text
        return response.json()


async def test_an_open_episode_is_shown_call_by_call(http: Server) -> None:
    episode = await http.open("red")
    before = await ask(http, "episode", episode=episode.id)
    assert (before["live"], [step["source"] for step in before["steps"]]) == (True, ["user"])
    assert before["steps"][0]["message"]["text"] == episode.task.text
    listed = await ask(http, "episodes", outcome="open")
    result = await episode.call("no_such_tool", {})
    assert result.status is CallStatus.INVALID
    after = await ask(http, "episode", episode=episode.id, first=1)
    (step,) = after["steps"]
    assert (step["calls"][0]["name"], step["calls"][0]["result"]["text"]) == ("no_such_tool", result.text)
    assert after["failures"] == [2]
    changed = await ask(http, "episodes", outcome="open")
    assert changed["progress"]["version"] != listed["progress"]["version"]
    assert episode.id in [row["id"] for row in changed["rows"]]
    await episode.submit("wrong")
    ended = await ask(http, "episode", episode=episode.id)
    assert (ended["live"], ended["row"]["outcome"]) == (False, "incorrect")
    assert ended["steps"][-1]["calls"][0]["name"] == http.environment.submission.name
    text = await ask(http, "text", episode=episode.id, part="arguments", step=3)
    assert "wrong" in text["text"]


async def test_lists_are_filtered_and_counted(http: Server) -> None:
    episode = await http.open("blue")
    await episode.submit("wrong")
    rows = (await ask(http, "episodes", outcome="incorrect", failures=True))["rows"]
    assert episode.id in [row["id"] for row in rows]
    assert (await ask(http, "episodes", environment="nothing"))["total"] == 0
    by_calls = await ask(http, "episodes", sort="calls", descending=True)
    calls = [row["calls"] for row in by_calls["rows"]]
    assert calls == sorted(calls, reverse=True)
    facets = await ask(http, "facets")
    assert "incorrect" in [each["value"] for each in facets["outcome"]]
    async with http.control() as client:
        (run,) = (await client.get("/view/api/runs")).json()
    assert run["live"]


async def test_other_attempts_and_the_oracle_stand_beside(http: Server) -> None:
    first, second = await http.open("blue"), await http.open("blue")
    others = await ask(http, "attempts", episode=first.id)
    assert second.id in [each["id"] for each in others["attempts"]]
    async with http.control() as client:
        played = await client.post("/view/api/oracle", params={"run": RUN, "episode": first.id})
    assert played.status_code == 200
    assert played.json()["run"] == "oracle"
    assert first.calls == 0


@pytest.mark.parametrize("name", ["runs", "episodes", "facets", "episode", "text", "attempts"])
async def test_the_agents_side_never_reaches_the_data(http: Server, name: str) -> None:
    episode = await http.open("blue")
    query = {"run": RUN, "episode": episode.id}
    async with http.client() as client:
        for headers in ({}, {"authorization": f"Bearer {episode.token}"}, {"authorization": "Bearer wrong"}):
            response = await client.get(f"/view/api/{name}", params=query, headers=headers)
            assert response.status_code == 401
        below = await client.get(f"/episodes/{episode.token}/mcp/view/api/{name}", params=query)
        assert below.status_code == 404
        # A token in the address is worth nothing: addresses are logged.
        response = await client.get(f"/view/api/{name}", params={**query, "token": http.token})
        assert response.status_code == 401


async def test_the_page_itself_holds_nothing_and_is_sent_to_everybody(http: Server) -> None:
    async with http.client() as client:
        page = await client.get("/view")
        script = await client.get("/view/assets/main.js")
    assert (page.status_code, script.status_code) == (200, 200)
    assert http.token not in page.text


async def test_an_episode_whose_events_are_gone_says_so(http: Server) -> None:
    async with http.control() as client:
        response: httpx2.Response = await client.get(
            "/view/api/episode", params={"run": RUN, "episode": "gone"}
        )
    assert response.status_code == 404
