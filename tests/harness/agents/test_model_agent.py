"""A model plays episodes by the rules of a model agent, and its trajectory is true."""

import json

from codegym_harness.episode_sources.episode_source import Assignment
from codegym_harness.episode_sources.in_process_episodes import InProcessEpisodes
from codegym_harness.episode_sources.mcp_episodes import ThirdPartyEpisodes
from codegym_harness.processes.server_process import ServerProcess
from codegym_harness.rollouts.rollout import roll_out
from codegym_mcp.episodes.episode_manager import EpisodeManager
from tests.harness.agents.model_episodes import BELL, LISTEN, SUBMIT, TEXT, AgentEndpoint, Play, call, calls


def outline(trajectory):
    """Returns the messages, calls and results of a trajectory."""
    lines = []
    for step in trajectory.steps:
        results = step.observation.results if step.observation is not None else []
        lines.append(
            (
                step.source,
                step.message,
                [(each.function_name, each.arguments) for each in step.tool_calls or []],
                [each.content for each in results],
            )
        )
    return lines


async def test_an_episode_is_played_and_recorded(endpoint: AgentEndpoint, play: Play) -> None:
    async with endpoint.agent(
        calls(LISTEN, text="First I listen.", reasoning="Where am I?", usage=[50, 7, 20]),
        calls(call("move", {"floors": 1}, "m1")),
        SUBMIT,
        system_prompt="Submit with {submission}.",
    ) as agent:
        trajectory = await play(agent)
    system, task, listened, moved, _ = trajectory.steps
    assert [step.step_id for step in trajectory.steps] == [1, 2, 3, 4, 5]
    assert (system.source, system.message) == ("system", "Submit with submit_answer.")
    assert task.source == "user"
    assert task.message.startswith("A lift stands at floor 0.")
    assert (listened.message, listened.reasoning_content) == ("First I listen.", "Where am I?")
    assert outline(trajectory)[2:] == [
        ("agent", "First I listen.", [("listen", {})], ['{"floor": 0, "sound": "above"}']),
        ("agent", "", [("move", {"floors": 1})], ["1"]),
        (
            "agent",
            "",
            [("submit_answer", {"answer": 1})],
            ["Your answer was received. The episode is over."],
        ),
    ]
    assert moved.tool_calls[0].tool_call_id == moved.observation.results[0].source_call_id == "m1"
    assert moved.tool_calls[0].extra is None
    assert listened.model_name.endswith("-0001")
    metrics = listened.metrics
    assert (metrics.prompt_tokens, metrics.completion_tokens, metrics.cached_tokens) == (50, 7, 20)
    assert metrics.cost_usd is None
    assert metrics.extra.seconds > 0
    assert metrics.extra.finish_reason == "tool_call"
    assert metrics.extra.provider_finish_reason in ("tool_calls", "tool_use")
    assert metrics.extra.failed_attempts is None
    record = trajectory.extra
    assert (record.outcome, record.calls, record.stop, record.error) == ("correct", 2, None, None)
    assert trajectory.agent.model_name == agent.info.model_name
    assert [each["function"]["name"] for each in trajectory.agent.tool_definitions] == [
        "move",
        "listen",
        "submit_answer",
    ]
    final = trajectory.final_metrics
    assert (final.total_prompt_tokens, final.total_completion_tokens, final.total_cached_tokens) == (
        250,
        27,
        20,
    )
    assert (final.total_steps, final.total_cost_usd) == (5, None)


async def test_the_trajectory_restores_the_requests(openai: AgentEndpoint, play: Play) -> None:
    async with openai.agent(
        calls(LISTEN, call("move", {"floors": 99}, "m"), text="Hm. 🛗", reasoning="So."), TEXT, SUBMIT
    ) as agent:
        trajectory = await play(agent)
    assert openai.bodies(agent)[-1]["messages"] == wire(trajectory.steps[:-1])
    assert openai.bodies(agent)[-1]["tools"] == trajectory.agent.tool_definitions


def wire(steps):
    """A trajectory as the messages of OpenAI's chat completions."""
    messages = []
    for step in steps:
        if step.source != "agent":
            messages.append({"role": step.source, "content": step.message})
            continue
        message = {"role": "assistant", "content": step.message}
        if step.reasoning_content is not None:
            message["reasoning_content"] = step.reasoning_content
        if step.tool_calls:
            message["tool_calls"] = [
                {
                    "id": each.tool_call_id,
                    "type": "function",
                    "function": {
                        "name": each.function_name,
                        "arguments": json.dumps(each.arguments, separators=(",", ":")),
                    },
                }
                for each in step.tool_calls
            ]
        messages.append(message)
        for result in step.observation.results if step.observation is not None else []:
            messages.append(
                {"role": "tool", "tool_call_id": result.source_call_id, "content": result.content}
            )
    return messages


async def test_parallel_calls_are_one_step_and_executed_in_order(endpoint: AgentEndpoint, play: Play) -> None:
    async with endpoint.agent(
        calls(call("move", {"floors": 3}, "a"), call("move", {"floors": -2}, "b"), call("listen", {}, "c")),
        SUBMIT,
    ) as agent:
        trajectory = await play(agent)
    step = trajectory.steps[2]
    assert [each.content for each in step.observation.results] == ["3", "1", '{"floor": 1, "sound": "here"}']
    assert [each.source_call_id for each in step.observation.results] == ["a", "b", "c"]
    assert (trajectory.extra.outcome, trajectory.extra.calls) == ("correct", 3)


async def test_a_text_without_a_call_receives_one_reminder_and_then_ends_the_episode(
    endpoint: AgentEndpoint, play: Play
) -> None:
    async with endpoint.agent(TEXT) as agent:
        trajectory = await play(agent)
    assert [step.source for step in trajectory.steps] == ["system", "user", "agent", "user", "agent"]
    reminder = trajectory.steps[3].message
    assert "`submit_answer`" in reminder
    assert reminder in json.dumps(endpoint.bodies(agent)[1], ensure_ascii=False)
    record = trajectory.extra
    assert (record.outcome, record.stop, record.error) == ("no_submission", "text", None)
    assert len(endpoint.bodies(agent)) == 2


async def test_a_call_after_a_reminder_permits_another_reminder(endpoint: AgentEndpoint, play: Play) -> None:
    async with endpoint.agent(TEXT, calls(LISTEN), TEXT, SUBMIT) as agent:
        trajectory = await play(agent)
    assert trajectory.extra.outcome == "correct"


async def test_an_empty_reply_is_a_reply_without_a_call(endpoint: AgentEndpoint, play: Play) -> None:
    async with endpoint.agent({"say": {"text": ""}}, SUBMIT) as agent:
        trajectory = await play(agent)
    assert trajectory.steps[2].message == ""
    assert trajectory.extra.outcome == "correct"


async def test_a_text_cut_off_at_the_limit_ends_the_episode_with_its_own_reason(
    endpoint: AgentEndpoint, play: Play
) -> None:
    cut = {
        "say": {
            "text": "I think that",
            "finish": {"openai": "length", "anthropic": "max_tokens"}[endpoint.provider],
        }
    }
    async with endpoint.agent(cut, max_tokens=3) as agent:
        trajectory = await play(agent)
    assert (trajectory.extra.outcome, trajectory.extra.stop) == ("no_submission", "max_tokens")


async def test_a_refusal_ends_the_episode(endpoint: AgentEndpoint, play: Play) -> None:
    refusal = {
        "openai": {"refusal": "I will not ring bells."},
        "anthropic": {"text": "I will not ring bells.", "finish": "refusal"},
    }[endpoint.provider]
    async with endpoint.agent({"say": refusal}) as agent:
        trajectory = await play(agent)
    last = trajectory.steps[-1]
    assert last.message == "I will not ring bells."
    assert last.metrics.extra.finish_reason == "content_filter"
    assert (trajectory.extra.outcome, trajectory.extra.stop) == ("no_submission", "refusal")
    assert len(endpoint.bodies(agent)) == 1


async def test_a_conversation_that_is_too_long_ends_the_episode(endpoint: AgentEndpoint, play: Play) -> None:
    body = {
        "type": "error",
        "error": {"type": "invalid_request_error", "message": "prompt is too long: 9 > 8"},
    }
    async with endpoint.agent(calls(LISTEN), {"status": 400, "body": body}) as agent:
        trajectory = await play(agent)
    record = trajectory.extra
    assert (record.outcome, record.stop, record.error) == ("no_submission", "context_overflow", None)
    assert len(trajectory.steps) == 3


async def test_the_number_of_replies_is_limited(endpoint: AgentEndpoint, play: Play) -> None:
    async with endpoint.agent(calls(LISTEN), turns=3) as agent:
        trajectory = await play(agent)
    assert (trajectory.extra.outcome, trajectory.extra.stop) == ("no_submission", "turns")
    assert trajectory.extra.calls == 3


async def test_each_epoch_has_its_own_seed(openai: AgentEndpoint, play: Play) -> None:
    async with openai.agent(SUBMIT, seed=10) as agent:
        for epoch in (1, 2):
            await play(agent, BELL.model_copy(update={"epoch": epoch}))
    assert [body["seed"] for body in openai.bodies(agent)] == [10, 11]


async def test_log_probabilities_and_token_ids_are_recorded(openai: AgentEndpoint, play: Play) -> None:
    say = {
        "logprobs": [["a", -0.5]],
        "token_ids": [[1, 2], [7]],
        "calls": [call("submit_answer", {"answer": 1})],
    }
    async with openai.agent({"say": say}, logprobs=True, token_ids=True) as agent:
        trajectory = await play(agent)
    metrics = trajectory.steps[-1].metrics
    assert (metrics.logprobs, metrics.prompt_token_ids, metrics.completion_token_ids) == ([-0.5], [1, 2], [7])


async def test_tools_of_another_server_are_played_until_the_model_calls_none(
    openai: AgentEndpoint, episodes: EpisodeManager, server: ServerProcess
) -> None:
    async with InProcessEpisodes(episodes).open(BELL) as episode:
        url = f"{server.url}/episodes/{episodes.by_id(episode.id).token}/mcp"
        async with openai.agent(calls(LISTEN), TEXT) as agent:
            trajectory = await roll_out(agent, ThirdPartyEpisodes(url), Assignment(environment="mcp"))
    assert (trajectory.extra.outcome, trajectory.extra.stop) == ("unscored", "text")
    assert len(openai.bodies(agent)) == 2


async def test_options_are_recorded(openai: AgentEndpoint, play: Play) -> None:
    async with openai.agent(SUBMIT, temperature=0.5) as agent:
        trajectory = await play(agent)
    assert trajectory.agent.extra == {"options": {"base_url": openai.url, "temperature": 0.5}}
