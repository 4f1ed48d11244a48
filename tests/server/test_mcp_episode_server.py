"""The same tests over every transport, for clients of both protocol eras."""

import re
from pathlib import Path
from typing import Any

import anyio
import mcp_types as types
import pytest
from mcp import Client, MCPError

from codegym_mcp.episodes.episode_outcome import Verdict
from codegym_mcp.episodes.episode_settings import EpisodeSettings
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.server.mcp_episode_server import EpisodeMcpServer

from .conftest import Begin, combinations
from .serving import WORDS, Server, http_server

DIARY = Path(__file__).parents[1] / "fixtures" / "diary.py"

SHARED = combinations("memory", "http", "http_json")
"""Where one episode can have several clients; over stdio the process is the episode."""

SAFE_TOOLS = ["turn", "look", "force", "kick", "ring", "write", "polish"]

VERDICT = re.compile(r'\\?"(correct|reward|verdict)\\?": ?(true|false|[\d.]+)|is (not )?correct')
"""A verdict as it would stand in a reply; the schema of what a submission returns names the words too."""


async def value(client: Client, tool: str, **arguments: Any) -> Any:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    assert result.structured_content is not None
    return result.structured_content.get("result", result.structured_content)


async def refusal(client: Client, tool: str, **arguments: Any) -> str:
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    assert result.structured_content is None
    return text(result)


def text(result: types.CallToolResult) -> str:
    (content,) = result.content
    assert isinstance(content, types.TextContent)
    return content.text


async def test_two_episodes_interleaved_keep_separate_state(begin: Begin) -> None:
    blue, red = await begin("blue"), await begin("red")
    async with blue.connect() as in_blue, red.connect() as in_red:
        assert await value(in_blue, "turn", clicks=1) == 1
        assert await value(in_red, "turn", clicks=1) == 101
        assert await value(in_blue, "turn", clicks=1) == 2
        assert await value(in_red, "look") == {"dial": 101, "turns": 1}
        await in_blue.call_tool("submit_answer", {"answer": "nothing"})
        assert await value(in_red, "turn", clicks=-1) == 100


@pytest.mark.parametrize("begin", SHARED, indirect=True)
async def test_a_client_that_reconnects_continues_its_episode(begin: Begin) -> None:
    attempt = await begin()
    async with attempt.connect() as client:
        await value(client, "turn", clicks=5)
    async with attempt.connect() as client:
        assert await value(client, "look") == {"dial": 5, "turns": 1}
        await client.call_tool("submit_answer", {"answer": "nothing"})
    async with attempt.connect() as client:
        assert "over" in await refusal(client, "look")


async def test_after_a_submission_every_call_is_refused(begin: Begin) -> None:
    attempt = await begin()
    async with attempt.connect() as client:
        result = await client.call_tool("submit_answer", {"answer": "nothing"})
        assert not result.is_error
        assert result.structured_content == {"received": True}
        recorded = len(attempt.events())
        for tool, arguments in (
            ("look", {}),
            ("turn", {"clicks": 1}),
            ("no_such_tool", {}),
            ("submit_answer", {"answer": WORDS["blue"]}),
        ):
            assert "over (submitted)" in await refusal(client, tool, **arguments)
    assert len(attempt.events()) == recorded


async def test_a_submission_of_the_wrong_type_is_refused_and_ends_nothing(begin: Begin) -> None:
    attempt = await begin()
    async with attempt.connect() as client:
        for arguments in ({"answer": 7}, {"answer": None}, {}, {"answer": "word", "sure": True}):
            assert "Nothing was submitted." in await refusal(client, "submit_answer", **arguments)
        assert await value(client, "turn", clicks=1) == 1
        assert not (await client.call_tool("submit_answer", {"answer": WORDS["blue"]})).is_error
    ended = attempt.events()[-1]
    assert ended.kind == "ended"
    assert ended.verdict == Verdict(correct=True, reward=1.0)


async def test_the_tools_are_listed_with_their_schemas_and_annotations(begin: Begin) -> None:
    attempt = await begin()
    async with attempt.connect() as client:
        listed = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert list(listed) == ["read_task", *SAFE_TOOLS, "submit_answer"]
    turn, look = listed["turn"], listed["look"]
    assert turn.title == "Turn"
    assert turn.description == "Turn the dial and return where it stands."
    assert turn.input_schema["required"] == ["clicks"]
    assert turn.input_schema["additionalProperties"] is False
    assert turn.input_schema["properties"]["clicks"] == {
        "type": "integer",
        "description": "how many clicks to the right, negative to the left.",
    }
    assert turn.output_schema is not None
    assert turn.output_schema["properties"] == {"result": {"type": "integer"}}
    assert look.output_schema is not None
    assert set(look.output_schema["properties"]) == {"dial", "turns"}
    assert turn.annotations is not None
    assert look.annotations is not None
    assert (turn.annotations.read_only_hint, look.annotations.read_only_hint) == (False, True)
    assert look.annotations.idempotent_hint is True
    assert {tool.annotations.open_world_hint for tool in listed.values() if tool.annotations} == {False}
    assert listed["submit_answer"].input_schema["properties"]["answer"]["type"] == "string"
    receipt = listed["submit_answer"].output_schema
    assert receipt is not None
    assert set(receipt["properties"]) == {"received"}, "the verdict is never in it"
    assert listed["read_task"].meta == {"codegym-mcp/task-tool": True}


async def test_an_unknown_cursor_is_an_invalid_parameter(begin: Begin) -> None:
    attempt = await begin()
    async with attempt.connect() as client:
        for listing in (
            client.list_tools(cursor="next"),
            client.list_prompts(cursor=""),
            client.list_resources(cursor="next"),
            client.list_resource_templates(cursor="next"),
        ):
            with pytest.raises(MCPError, match="cursor is unknown") as refused:
                await listing
            assert refused.value.code == types.INVALID_PARAMS


async def test_the_task_is_in_the_instructions_the_prompt_and_the_resource(begin: Begin) -> None:
    attempt = await begin("red", calls=9)
    async with attempt.connect() as client:
        instructions = client.instructions
        if instructions is None:
            # A client that is pinned to a version does not ask by itself.
            instructions = (await client.session.send_discover(client.protocol_version))["instructions"]
        prompts = await client.list_prompts()
        prompt = await client.get_prompt("task")
        resources = await client.list_resources()
        resource = await client.read_resource("codegym://task")
        templates = await client.list_resource_templates()
    assert instructions is not None
    assert instructions.startswith("A safe stands before you, its dial at 100.")
    assert "at most 9 calls" in instructions
    assert "`submit_answer`" in instructions
    assert [listed.name for listed in prompts.prompts] == ["task"]
    (message,) = prompt.messages
    assert isinstance(message.content, types.TextContent)
    assert message.content.text == instructions
    assert [str(listed.uri) for listed in resources.resources] == ["codegym://task"]
    assert templates.resource_templates == []
    (content,) = resource.contents
    assert isinstance(content, types.TextResourceContents)
    assert types.TextResourceContents.model_validate(content).mime_type == "application/json"
    assert '"id":"red"' in content.text
    assert '"public":{"start":100}' in content.text
    assert '"submission":"submit_answer"' in content.text


async def test_reading_the_task_and_the_lists_is_not_a_call(begin: Begin) -> None:
    attempt = await begin(calls=1)
    async with attempt.connect() as client:
        for _ in range(3):
            await client.list_tools(cache_mode="bypass")
            await client.list_prompts(cache_mode="bypass")
            await client.get_prompt("task")
            await client.list_resources(cache_mode="bypass")
            await client.read_resource("codegym://task", cache_mode="bypass")
            assert (await value(client, "read_task")).startswith("A safe stands before you")
        assert "is not a parameter" in await refusal(client, "read_task", page=1)
        for asked in (client.get_prompt("another"), client.read_resource("codegym://another")):
            with pytest.raises(MCPError, match=r"There is no .*another.*Known"):
                await asked
        assert [event.kind for event in attempt.events()] == ["opened"]
        assert await value(client, "turn", clicks=1) == 1
        assert attempt.calls() == 1
        assert "used up" in await refusal(client, "turn", clicks=1)


async def test_no_reply_contains_the_answer_or_the_verdict(begin: Begin) -> None:
    attempt = await begin()
    async with attempt.connect() as client:
        await client.list_tools()
        await client.get_prompt("task")
        await client.read_resource("codegym://task")
        await value(client, "turn", clicks=1)
        await value(client, "look")
        assert await refusal(client, "force") == "the door does not give way"
        # It fails with an error whose text is the answer.
        assert "failed inside" in await refusal(client, "kick")
        assert "had no effect" in await refusal(client, "ring", times=20_000)
        assert "is required" in await refusal(client, "turn")
        assert "should be" in await refusal(client, "turn", clicks="one")
        assert "no tool named" in await refusal(client, "pick")
        await refusal(client, "submit_answer", answer=1)
        await client.call_tool("submit_answer", {"answer": WORDS["blue"]})
        await refusal(client, "look")
    assert attempt.events()[-1].verdict == Verdict(correct=True, reward=1.0)
    assert len(attempt.replies) >= 14
    for reply in attempt.replies:
        assert not VERDICT.search(reply), reply
        assert not [word for word in WORDS.values() if word in reply], reply


async def test_replies_to_a_right_and_a_wrong_answer_are_the_same(begin: Begin) -> None:
    replies = []
    for task, answer in (("blue", WORDS["blue"]), ("red", WORDS["blue"])):
        attempt = await begin(task)
        async with attempt.connect() as client:
            replies.append(await client.call_tool("submit_answer", {"answer": answer}))
        assert attempt.events()[-1].verdict.correct is (task == "blue")
    assert replies[0] == replies[1]


async def test_concurrent_calls_of_one_client_are_made_one_after_the_other(begin: Begin) -> None:
    attempt = await begin()
    seen: list[int] = []

    async def turn() -> None:
        seen.append(await value(client, "turn", clicks=1))

    async with attempt.connect() as client, anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(turn)
    assert sorted(seen) == list(range(1, 11))
    turns = [event for event in attempt.events() if event.kind == "call"]
    assert [turn.result.structured["result"] for turn in turns] == list(range(1, 11))


@pytest.mark.parametrize("begin", SHARED, indirect=True)
async def test_two_clients_at_once_are_served_one_after_the_other(begin: Begin) -> None:
    attempt = await begin()
    seen: list[int] = []

    async def play() -> None:
        async with attempt.connect() as client:
            for _ in range(5):
                seen.append(await value(client, "turn", clicks=1))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(play)
        tasks.start_soon(play)
    assert sorted(seen) == list(range(1, 11))
    assert len(attempt.events()) == 11


async def test_arguments_that_are_no_object_are_refused(begin: Begin) -> None:
    attempt = await begin()
    async with attempt.connect() as client:
        request = types.CallToolRequest.model_construct(
            method="tools/call",
            params=types.CallToolRequestParams.model_construct(name="look", arguments=["clicks", 1]),  # type: ignore[arg-type]
        )
        with pytest.warns(UserWarning, match="serializ"), pytest.raises(MCPError) as refused:
            await client.session.send_request(request, types.CallToolResult)
        assert refused.value.code == types.INVALID_PARAMS
        assert await value(client, "turn", clicks=1) == 1
    assert attempt.calls() == 1


async def test_text_of_every_kind_arrives_as_it_was_sent(begin: Begin) -> None:
    attempt = await begin()
    async with attempt.connect() as client:
        for sent in ("", "two\nlines\r\n", "snö 雪 ☃ 𝄞", '{"quoted": "\\u0000"}\x00\x7f', "data: event: "):
            assert await value(client, "write", text=sent) == sent


async def test_an_unknown_method_is_refused(begin: Begin) -> None:
    attempt = await begin()
    async with attempt.connect() as client:
        with pytest.raises(MCPError) as refused:
            await client.complete(types.PromptReference(name="task"), {"name": "x", "value": "y"})
        assert refused.value.code == types.METHOD_NOT_FOUND
        assert await value(client, "turn", clicks=1) == 1


async def test_with_reveal_the_submission_declares_the_verdict(http: Server) -> None:
    episode = await http.open(reveal=True)
    hidden = await http.open()
    for each, properties in ((episode, {"received", "correct", "reward", "overlap"}), (hidden, {"received"})):
        assert set((each.submission.output_schema or {})["properties"]) == properties
        async with Client(EpisodeMcpServer.of(each).server, read_timeout_seconds=30) as client:
            listed = {tool.name: tool.output_schema for tool in (await client.list_tools()).tools}
            assert set((listed["submit_answer"] or {})["properties"]) == properties
            result = await client.call_tool("submit_answer", {"answer": "another"})
            # Only collections overlap, and the answer is a text.
            assert set(result.structured_content or {}) == properties - {"overlap"}


async def test_beside_an_own_tool_named_read_task_the_task_is_told_by_another(pool: SandboxPool) -> None:
    async with http_server(pool, paths=(DIARY,)) as server:
        episode = await server.episodes.open_task("diary", difficulty=1, settings=EpisodeSettings())
        async with Client(EpisodeMcpServer.of(episode).server, read_timeout_seconds=30) as client:
            listed = [tool.name for tool in (await client.list_tools()).tools]
            assert listed == ["read_task_2", "read_task", "submit_answer"]
            assert "at most" in await value(client, "read_task_2")
            assert (await value(client, "read_task", page=1)).startswith("word ")
        assert episode.calls == 1
