"""The gateway: an agent opens and plays episodes by handle."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from pydantic_core import from_json

from codegym_mcp.sandbox.process.pool import SandboxPool
from tests.episodes.stateful_environments import STATE_ALONE

from .conftest import MODES
from .serving import ENVIRONMENTS, WORDS, Server, http_server

COUNTER = Path(__file__).parents[1] / "fixtures" / "counter.py"


@pytest.fixture(scope="module")
async def served(pool: SandboxPool) -> AsyncIterator[Server]:
    """A server of a folder with good, broken and fragile environments, which holds four episodes."""
    async with http_server(pool, paths=(ENVIRONMENTS,), open_limit=4) as server:
        yield server


@asynccontextmanager
async def gateway(server: Server, mode: str = "auto") -> AsyncIterator[Client]:
    async with server.client() as plain:
        streams = streamable_http_client(f"{server.url}/mcp", http_client=plain)
        async with Client(streams, mode=mode, read_timeout_seconds=30) as client:
            yield client


async def done(client: Client, tool: str, **arguments: Any) -> Any:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    return result.structured_content


async def refusal(client: Client, tool: str, **arguments: Any) -> str:
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    return str(result.content[0].text)  # type: ignore[union-attr]


async def give_up(server: Server, *handles: str) -> None:
    for handle in handles:
        await server.episodes.by_token(handle).close("The test is over.")


@pytest.mark.parametrize("mode", MODES)
async def test_an_agent_lists_starts_calls_and_submits(served: Server, mode: str) -> None:
    async with gateway(served, mode) as client:
        listed = (await done(client, "list_environments"))["environments"]
        assert [environment["name"] for environment in listed] == ["fragile", "safe"]
        assert listed[1] == {
            "name": "safe",
            "title": "Safe",
            "tags": ["fixture"],
            "tasks": ["blue", "red"],
            "generates": True,
        }
        started = await done(client, "start_episode", environment="safe", task="red")
        assert started["task"].startswith("A safe stands before you, its dial at 100.")
        assert "`submit_answer`" in started["task"]
        assert started["answer"]["type"] == "string"
        assert [tool["name"] for tool in started["tools"]][:2] == ["turn", "look"]
        assert started["tools"][0]["arguments"]["required"] == ["clicks"]
        handle = started["episode"]
        turned = await done(client, "call_tool", episode=handle, name="turn", arguments={"clicks": 2})
        assert turned == {"result": 102}
        assert await done(client, "call_tool", episode=handle, name="look") == {"dial": 102, "turns": 1}
        assert "door" in await refusal(client, "call_tool", episode=handle, name="force")
        assert "Nothing was submitted" in await refusal(client, "submit_answer", episode=handle, answer=3)
        assert await done(client, "submit_answer", episode=handle, answer=WORDS["red"]) == {"received": True}
        assert "over" in await refusal(client, "call_tool", episode=handle, name="look")
        assert "over" in await refusal(client, "submit_answer", episode=handle, answer=WORDS["red"])
    verdict = served.episodes.by_token(handle).verdict
    assert verdict is not None
    assert verdict.correct


async def test_the_text_of_a_result_is_the_same_as_its_data(served: Server) -> None:
    async with gateway(served) as client:
        result = await client.call_tool("list_environments", {})
    assert from_json(result.content[0].text) == result.structured_content  # type: ignore[union-attr]


async def test_a_task_is_chosen_by_id_by_difficulty_or_not_at_all(served: Server) -> None:
    async with gateway(served) as client:
        first = await done(client, "start_episode", environment="safe")
        made = await done(client, "start_episode", environment="safe", difficulty=4, seed=7)
        again = await done(client, "start_episode", environment="safe", difficulty=4, seed=7)
    tasks = [served.episodes.by_token(started["episode"]).full_task for started in (first, made, again)]
    assert [task.id for task in tasks] == ["blue", "d4-s7", "d4-s7"]
    assert tasks[1] == tasks[2]
    await give_up(served, first["episode"], made["episode"], again["episode"])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"environment": "saef"}, "There is no environment named 'saef'. Did you mean safe?"),
        ({"environment": "safe", "task": "green"}, "There is no task named 'green'. Known: blue, red."),
        ({"environment": "safe", "difficulty": 6}, "The difficulty is a number from 1 to 5."),
        ({"environment": "safe", "difficulty": True}, "difficulty should be"),
        ({"environment": "safe", "task": "red", "difficulty": 2}, "not both"),
        ({"environment": "safe", "seed": 2}, "A seed needs a difficulty"),
        ({"environment": "safe", "colour": "red"}, "colour is not a parameter"),
        ({"environment": "fragile", "difficulty": 1}, "has no generator"),
        ({}, "environment is required"),
    ],
)
async def test_an_episode_that_cannot_be_opened_is_refused_with_the_reason(
    served: Server, arguments: dict[str, Any], told: str
) -> None:
    async with gateway(served) as client:
        assert told in await refusal(client, "start_episode", **arguments)
    assert served.episodes.open_count == 0


@pytest.mark.parametrize("name", ["broken", "fragile"])
async def test_the_fault_of_an_environment_is_hidden_from_the_agent(
    served: Server, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with gateway(served) as client:
        assert (
            await refusal(client, "start_episode", environment=name)
            == "This task cannot be opened here. Choose another."
        )
    assert "An agent could not open an episode" in caplog.text
    assert served.episodes.open_count == 0


@pytest.mark.parametrize("handle", ["", "no-such-handle", "../episodes"])
async def test_a_wrong_handle_is_refused_and_not_repeated(served: Server, handle: str) -> None:
    async with gateway(served) as client:
        for tool, arguments in (("call_tool", {"name": "look"}), ("submit_answer", {"answer": "word"})):
            told = await refusal(client, tool, episode=handle, **arguments)
            assert told.startswith("There is no episode with this handle.")
            assert not handle or handle not in told


async def test_the_id_of_an_episode_is_no_handle(served: Server) -> None:
    async with gateway(served) as client:
        handle = (await done(client, "start_episode", environment="safe"))["episode"]
        episode = served.episodes.by_token(handle)
        assert "no episode with this handle" in await refusal(
            client, "call_tool", episode=episode.id, name="look"
        )
    await give_up(served, handle)


async def test_an_unknown_tool_is_refused_with_the_known_tools(served: Server) -> None:
    async with gateway(served) as client:
        assert "Known: list_environments, start_episode" in await refusal(client, "turn", clicks=1)
        listed = [tool.name for tool in (await client.list_tools()).tools]
    assert listed == ["list_environments", "start_episode", "call_tool", "submit_answer"]


async def test_no_more_episodes_are_open_than_the_limit_allows(served: Server) -> None:
    async with gateway(served) as client:
        handles = [(await done(client, "start_episode", environment="safe"))["episode"] for _ in range(4)]
        assert "as many open episodes as it allows" in await refusal(
            client, "start_episode", environment="safe"
        )
        await done(client, "submit_answer", episode=handles[0], answer="")
        handles.append((await done(client, "start_episode", environment="safe"))["episode"])
    await give_up(served, *handles)


async def test_the_verdict_is_returned_only_if_the_server_reveals_it(pool: SandboxPool) -> None:
    async with http_server(pool, reveal=True) as server, gateway(server) as client:
        for answer, words in ((WORDS["blue"], "It is correct."), ("another", "It is not correct.")):
            handle = (await done(client, "start_episode", environment="safe", task="blue"))["episode"]
            result = await client.call_tool("submit_answer", {"episode": handle, "answer": answer})
            assert words in result.content[0].text  # type: ignore[union-attr]
            assert result.structured_content is not None
            assert result.structured_content["correct"] is (answer == WORDS["blue"])


async def test_an_agent_cannot_ask_for_the_verdict(served: Server) -> None:
    async with gateway(served) as client:
        assert "reveal is not a parameter" in await refusal(
            client, "start_episode", environment="safe", reveal=True
        )


async def test_without_a_gateway_its_address_is_unknown(pool: SandboxPool) -> None:
    async with http_server(pool, gateway=False) as server, server.client() as plain:
        response = await plain.post("/mcp", json={})
    assert response.status_code == 404
    assert response.json()["error"]["message"] == "Not Found."


# --- values that clients send in another form


async def test_every_parameter_has_a_type(served: Server) -> None:
    async with gateway(served) as client:
        tools = {tool.name: tool.input_schema for tool in (await client.list_tools()).tools}
    for schema in tools.values():
        for parameter in schema["properties"].values():
            assert "type" in parameter or all("type" in choice for choice in parameter["anyOf"])
    answer = {choice["type"] for choice in tools["submit_answer"]["properties"]["answer"]["anyOf"]}
    assert {"string", "number", "boolean", "array", "object", "null"} <= answer


@pytest.mark.parametrize("answer", [6, "6", " 6 "])
async def test_a_number_that_was_sent_as_text_is_an_answer(pool: SandboxPool, answer: Any) -> None:
    async with http_server(pool, paths=(COUNTER,)) as server, gateway(server) as client:
        started = await done(client, "start_episode", environment="counter", difficulty=1)
        assert started["answer"]["type"] == "integer"
        submitted = await done(client, "submit_answer", episode=started["episode"], answer=answer)
        assert submitted == {"received": True}
        (_, submission, _) = await server.episodes.by_token(started["episode"]).events()
    assert list(submission.arguments.values()) == [6]  # type: ignore[union-attr]


@pytest.mark.parametrize("answer", ["7", "[1]", "null", "true"])
async def test_a_text_that_looks_like_json_stays_a_text_where_the_answer_is_a_text(
    served: Server, answer: str
) -> None:
    async with gateway(served) as client:
        handle = (await done(client, "start_episode", environment="safe"))["episode"]
        await done(client, "submit_answer", episode=handle, answer=answer)
    *_, submitted, _ = await served.episodes.by_token(handle).events()
    assert submitted.arguments == {"answer": answer}  # type: ignore[union-attr]


async def test_arguments_that_were_sent_as_json_text_are_read(served: Server) -> None:
    async with gateway(served) as client:
        arguments = {"environment": "safe", "difficulty": "4", "seed": "7", "task": None}
        handle = (await done(client, "start_episode", **arguments))["episode"]
        assert served.episodes.by_token(handle).full_task.id == "d4-s7"
        turned = await client.call_tool(
            "call_tool", {"episode": handle, "name": "turn", "arguments": '{"clicks": 2}'}
        )
        assert not turned.is_error
        for wrong in ("clicks", "[2]", "7"):
            told = await refusal(client, "call_tool", episode=handle, name="turn", arguments=wrong)
            assert "arguments should be" in told
    await give_up(served, handle)


async def test_a_number_in_quotes_is_refused_with_the_way_to_send_it(served: Server) -> None:
    async with gateway(served) as client:
        handle = (await done(client, "start_episode", environment="safe"))["episode"]
        told = await refusal(client, "call_tool", episode=handle, name="turn", arguments={"clicks": "5"})
        assert "send the value itself, without quotes: 5" in told
        told = await refusal(client, "submit_answer", episode=handle, answer=42)
        assert 'in quotes: "42"' in told
    await give_up(served, handle)


# --- who may use it


async def test_the_gateway_has_a_token_of_its_own(pool: SandboxPool) -> None:
    async with http_server(pool, gateway_token="for-agents") as server:
        call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
        accept = {"accept": "application/json, text/event-stream"}
        for authorization, status in (
            ("", 401),
            ("Bearer wrong", 401),
            (f"Bearer {server.token}", 401),
            ("Bearer for-agents", 200),
        ):
            async with server.client(authorization=authorization) as plain:
                response = await plain.post("/mcp", json=call, headers=accept)
            assert response.status_code == status
        assert "The gateway needs its token." not in response.text
        async with server.client(authorization="Bearer for-agents") as agent:
            assert (await agent.get("/episodes")).status_code == 401
        async with server.client() as agent:
            episode = await server.open()
            response = await agent.post(server.url_of(episode), json=call, headers=accept)
            assert response.status_code == 200, "the address of an episode needs no token"


async def test_one_caller_may_open_so_many_episodes(pool: SandboxPool) -> None:
    async with http_server(pool, gateway_episodes=2) as server, gateway(server) as client:
        handles = [(await done(client, "start_episode", environment="safe"))["episode"] for _ in range(2)]
        told = await refusal(client, "start_episode", environment="safe")
        assert told == "2 episodes of yours are open. Submit the answer of one of them first."
        await server.open()
        await done(client, "submit_answer", episode=handles[0], answer="")
        await done(client, "start_episode", environment="safe")


async def test_openings_at_the_same_time_count_before_they_are_complete(pool: SandboxPool) -> None:
    started: list[Any] = []

    async def start(client: Client) -> None:
        started.append(await client.call_tool("start_episode", {"environment": "safe"}))

    async with (
        http_server(pool, gateway_episodes=2) as server,
        gateway(server) as client,
        anyio.create_task_group() as tasks,
    ):
        for _ in range(6):
            tasks.start_soon(start, client)
    assert sorted(bool(each.is_error) for each in started) == [False, False, True, True, True, True]


async def test_a_submission_without_an_answer_is_judged_by_what_was_done(
    pool: SandboxPool, tmp_path: Path
) -> None:
    (tmp_path / "lamps.py").write_text(STATE_ALONE, encoding="utf-8")
    async with http_server(pool, paths=(tmp_path,)) as server, gateway(server) as client:
        started = await done(client, "start_episode", environment="lamps", difficulty=1, seed=3)
        assert started["answer"] == {"type": "null"}
        assert "takes no answer" in started["task"]
        episode = server.episodes.by_token(started["episode"])
        for lamp in episode.full_task.config["broken"]:
            await done(
                client,
                "call_tool",
                episode=started["episode"],
                name="switch",
                arguments={"lamp": lamp},
            )
        assert await done(client, "submit_answer", episode=started["episode"]) == {"received": True}
    assert episode.reward == 1.0
