"""Calls of a model that are malformed, unknown, too many or too late, and how they are recorded."""

import json
from typing import Any

import pytest

from codegym_harness.agents.system_prompt import DEFAULT_SYSTEM_PROMPT, render_system_prompt
from codegym_harness.records.episode_result import EpisodeResult
from tests.harness.agents.model_episodes import LISTEN, SUBMIT, AgentEndpoint, Play, call, calls


async def test_calls_after_the_submission_are_recorded_and_not_executed(
    endpoint: AgentEndpoint, play: Play
) -> None:
    async with endpoint.agent(
        calls(call("submit_answer", {"answer": 1}, "a"), call("move", {"floors": 1}, "b"))
    ) as agent:
        trajectory = await play(agent)
    _, declined = trajectory.steps[2].observation.results
    assert declined.content == "This call was not executed: the episode is over."
    _, call_after = trajectory.steps[2].tool_calls
    assert call_after.arguments == {"floors": 1}
    assert call_after.extra.invalid == "after_end"
    assert (declined.extra.is_error, declined.extra.by) == (True, "agent")
    assert (trajectory.extra.outcome, trajectory.extra.calls) == ("correct", 0)


async def test_malformed_arguments_are_reported_to_the_model_and_counted(
    openai: AgentEndpoint, play: Play
) -> None:
    broken = ['{"floors": 1', "[1]", "up", '{"floors": NaN}', '{"floors": 1e999}']
    made = [call("move", raw, f"c{number}") for number, raw in enumerate(broken)]
    async with openai.agent(calls(*made), SUBMIT) as agent:
        trajectory = await play(agent)
    step = trajectory.steps[2]
    assert [each.extra.raw_arguments for each in step.tool_calls] == broken
    assert {each.extra.invalid for each in step.tool_calls} == {"malformed_arguments"}
    assert [each.arguments for each in step.tool_calls] == [{}] * 5
    assert [each.extra.sent_arguments for each in step.tool_calls] == ["{}"] * 5
    for raw, result in zip(broken, step.observation.results, strict=True):
        assert "not a JSON object" in result.content
        assert raw in result.content
        assert (result.extra.is_error, result.extra.by) == (True, "agent")
    heard = [each for each in openai.bodies(agent)[1]["messages"] if each["role"] == "tool"]
    assert [each["content"] for each in heard] == [each.content for each in step.observation.results]
    record = trajectory.extra
    assert (record.outcome, record.calls, record.malformed_calls) == ("correct", 0, 5)
    sent = openai.bodies(agent)[1]["messages"][2]["tool_calls"]
    assert [each["function"]["arguments"] for each in sent] == ["{}"] * 5


async def test_malformed_calls_use_up_the_calls_of_the_episode(openai: AgentEndpoint, play: Play) -> None:
    async with openai.agent(calls(call("move", '{"floors": 1'))) as agent:
        trajectory = await play(agent, calls=20)
    record = trajectory.extra
    assert (record.outcome, record.stop, record.error) == ("no_submission", "calls", None)
    assert (record.calls, record.malformed_calls) == (0, 21)
    assert len(openai.bodies(agent)) == 21
    assert "all 20 calls are used up" in trajectory.steps[-1].observation.results[0].content


async def test_malformed_and_executed_calls_share_the_budget(openai: AgentEndpoint, play: Play) -> None:
    reply = calls(LISTEN, call("move", "up", "m"))
    async with openai.agent(reply) as agent:
        trajectory = await play(agent, calls=5)
    record = trajectory.extra
    assert (record.outcome, record.stop) == ("no_submission", "calls")
    assert (record.calls, record.malformed_calls) == (3, 3)
    result = EpisodeResult.of(trajectory)
    assert (result.malformed_calls, result.invalid_calls, result.invalid_submissions) == (3, 3, 0)


async def test_an_answer_is_accepted_when_all_calls_are_used_up(openai: AgentEndpoint, play: Play) -> None:
    async with openai.agent(calls(call("move", "up", "m"), LISTEN), SUBMIT) as agent:
        trajectory = await play(agent, calls=2)
    assert (trajectory.extra.outcome, trajectory.extra.calls) == ("correct", 1)


async def test_the_model_knows_how_many_calls_it_may_make(endpoint: AgentEndpoint, play: Play) -> None:
    async with endpoint.agent(SUBMIT) as agent:
        trajectory = await play(agent, calls=7)
    prompt = trajectory.steps[0].message
    assert "at most 7 calls" in prompt
    assert "`submit_answer`" in prompt
    assert prompt in json.dumps(endpoint.bodies(agent)[0], ensure_ascii=False)


def test_a_prompt_without_a_limit_says_nothing_of_calls() -> None:
    assert render_system_prompt(DEFAULT_SYSTEM_PROMPT, "answer", 7).count("7") == 1
    unlimited = render_system_prompt(DEFAULT_SYSTEM_PROMPT, "answer", None)
    assert unlimited.startswith("Solve the task with the tools. When you know the answer")
    assert "{" not in unlimited
    assert render_system_prompt("Play.", "answer", None) == "Play."


@pytest.mark.parametrize("arguments", ['{ "floors" : 1 }', '{"floors": 1}\n', '{"floors":1}', "{ }"])
async def test_later_requests_contain_the_arguments_to_the_letter(
    openai: AgentEndpoint, play: Play, arguments: Any
) -> None:
    async with openai.agent(calls(call("move", arguments)), SUBMIT) as agent:
        await play(agent)
    (sent,) = openai.bodies(agent)[1]["messages"][2]["tool_calls"]
    assert sent["function"]["arguments"] == arguments


async def test_a_changed_request_is_recorded(openai: AgentEndpoint, play: Play) -> None:
    said = calls(LISTEN, reasoning="Where?")
    refused = {"status": 400, "body": {"error": {"message": "reasoning_content is not permitted"}}}
    async with openai.agent(said, refused, SUBMIT) as agent:
        trajectory = await play(agent)
    assert trajectory.steps[2].metrics.extra.request_changes is None
    assert trajectory.steps[3].metrics.extra.request_changes == [
        "Reasoning was left out of earlier messages."
    ]


async def test_arguments_are_kept_as_the_model_wrote_them(openai: AgentEndpoint, play: Play) -> None:
    async with openai.agent(
        calls(call("move", '{ "floors" : 1 }')), calls(call("listen", "")), SUBMIT
    ) as agent:
        trajectory = await play(agent)
    moved, listened = trajectory.steps[2].tool_calls[0], trajectory.steps[3].tool_calls[0]
    assert (moved.arguments, moved.extra.raw_arguments) == ({"floors": 1}, '{ "floors" : 1 }')
    assert (listened.arguments, listened.extra.raw_arguments) == ({}, "")
    assert trajectory.extra.calls == 2


async def test_a_tool_that_does_not_exist_is_refused_and_counted(endpoint: AgentEndpoint, play: Play) -> None:
    async with endpoint.agent(calls(call("fly", {"floors": 1})), SUBMIT) as agent:
        trajectory = await play(agent)
    step = trajectory.steps[2]
    assert step.tool_calls[0].extra.invalid == "unknown_tool"
    result = step.observation.results[0]
    assert "no tool named 'fly'" in result.content
    assert (result.extra.is_error, result.extra.by) == (True, "server")
    assert (trajectory.extra.outcome, trajectory.extra.calls) == ("correct", 1)


async def test_arguments_that_do_not_fit_are_refused_by_the_server(
    endpoint: AgentEndpoint, play: Play
) -> None:
    async with endpoint.agent(calls(call("move", {"floors": "one"})), SUBMIT) as agent:
        trajectory = await play(agent)
    assert trajectory.steps[2].observation.results[0].extra.is_error
    assert (trajectory.extra.outcome, trajectory.extra.calls) == ("correct", 1)


async def test_an_answer_of_the_wrong_type_can_be_corrected(endpoint: AgentEndpoint, play: Play) -> None:
    async with endpoint.agent(calls(call("submit_answer", {"answer": "one"})), SUBMIT) as agent:
        trajectory = await play(agent)
    assert trajectory.extra.outcome == "correct"


async def test_calls_with_the_same_id_have_results_of_their_own(openai: AgentEndpoint, play: Play) -> None:
    async with openai.agent(
        calls(call("move", {"floors": 1}, "same"), call("move", {"floors": 1}, "same")), SUBMIT
    ) as agent:
        trajectory = await play(agent)
    step = trajectory.steps[2]
    assert [each.tool_call_id for each in step.tool_calls] == ["same", "same_2"]
    assert [(each.source_call_id, each.content) for each in step.observation.results] == [
        ("same", "1"),
        ("same_2", "2"),
    ]


async def test_a_reply_cut_off_in_a_call_is_reported(openai: AgentEndpoint, play: Play) -> None:
    cut = calls(LISTEN, call("move", '{"floors": ', "m"), finish="length")
    async with openai.agent(cut, SUBMIT, max_tokens=10) as agent:
        trajectory = await play(agent)
    listened, moved = trajectory.steps[2].observation.results
    assert not listened.extra.is_error
    assert "maximum number of tokens" in moved.content
    assert trajectory.steps[2].metrics.extra.finish_reason == "length"
    assert (trajectory.extra.outcome, trajectory.extra.malformed_calls) == ("correct", 1)


async def test_running_out_of_calls_ends_the_episode(endpoint: AgentEndpoint, play: Play) -> None:
    async with endpoint.agent(calls(call("listen", {}, "a"), call("listen", {}, "b"))) as agent:
        trajectory = await play(agent, calls=3)
    record = trajectory.extra
    assert (record.outcome, record.state, record.limits_met) == ("no_submission", "out_of_calls", ["calls"])
