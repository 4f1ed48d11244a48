"""A model plays behind servers that speak OpenAI's and Anthropic's APIs; outcomes are read from trajectories."""

import json
import time
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest

from codegym_harness.agents.system_prompt import DEFAULT_SYSTEM_PROMPT, render_system_prompt
from codegym_harness.agents.model_agent import (
    ModelAgent,
    ModelAgentOptions,
)
from codegym_harness.episode_sources.sources import Assignment, ForeignEpisodes, LocalEpisodes
from codegym_harness.records.trajectory import Trajectory
from codegym_harness.runs.rollout import roll_out
from codegym_mcp.errors import ModelAccessError
from codegym_mcp.limits import Limits
from codegym_mcp.models import Retries

BELL = Assignment(environment="counter", task="bell-1")


def call(name, arguments, id="c"):
    return {"id": id, "name": name, "arguments": arguments}


def calls(*made, **more):
    return {"say": {"calls": list(made), **more}}


LISTEN = call("listen", {})
SUBMIT = calls(call("submit_answer", {"answer": 1}))
TEXT = {"say": {"text": "The bell is at floor 1."}}


class Endpoint:
    """A provider whose API a test server speaks."""

    def __init__(self, provider, server, path):
        self.provider = provider
        self.server = server
        self.url = server.url + path

    def name(self, *actions):
        return f"{self.provider}:{self.server.script(*actions)}"

    @asynccontextmanager
    async def agent(self, *actions, **options):
        given = ModelAgentOptions(name=self.name(*actions), base_url=self.url, **options)
        async with ModelAgent.open(given, retries=Retries(base_seconds=0.0)) as agent:
            yield agent

    def bodies(self, agent):
        return self.server.bodies(agent.info.model_name.partition(":")[2])


@pytest.fixture
def openai(openai_server):
    return Endpoint("openai", openai_server, "/v1")


@pytest.fixture
def anthropic(anthropic_server):
    return Endpoint("anthropic", anthropic_server, "")


@pytest.fixture(params=["openai", "anthropic"])
def endpoint(request, openai, anthropic):
    """Both APIs: the provider makes no difference."""
    return openai if request.param == "openai" else anthropic


@pytest.fixture
def play(episodes):
    """Plays an episode to its end."""

    async def played(agent, assignment=BELL, *, seconds=60, **limits):
        source = LocalEpisodes(episodes, Limits(**limits))
        trajectory = await roll_out(agent, source, assignment, seconds=seconds)
        assert Trajectory.model_validate_json(trajectory.to_json()) == trajectory
        return trajectory

    return played


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


async def test_an_episode_is_played_and_recorded_as_it_went(endpoint, play):
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


async def test_the_trajectory_is_what_went_over_the_wire(openai, play):
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


async def test_parallel_calls_are_one_step_and_made_in_order(endpoint, play):
    async with endpoint.agent(
        calls(call("move", {"floors": 3}, "a"), call("move", {"floors": -2}, "b"), call("listen", {}, "c")),
        SUBMIT,
    ) as agent:
        trajectory = await play(agent)
    step = trajectory.steps[2]
    assert [each.content for each in step.observation.results] == ["3", "1", '{"floor": 1, "sound": "here"}']
    assert [each.source_call_id for each in step.observation.results] == ["a", "b", "c"]
    assert (trajectory.extra.outcome, trajectory.extra.calls) == ("correct", 3)


async def test_calls_after_the_submission_are_recorded_and_not_executed(endpoint, play):
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


async def test_text_without_a_call_gets_one_reminder_and_then_ends(endpoint, play):
    async with endpoint.agent(TEXT) as agent:
        trajectory = await play(agent)
    assert [step.source for step in trajectory.steps] == ["system", "user", "agent", "user", "agent"]
    reminder = trajectory.steps[3].message
    assert "`submit_answer`" in reminder
    assert reminder in json.dumps(endpoint.bodies(agent)[1], ensure_ascii=False)
    record = trajectory.extra
    assert (record.outcome, record.stop, record.error) == ("no_submission", "text", None)
    assert len(endpoint.bodies(agent)) == 2


async def test_a_reminder_that_is_heard_is_not_the_last(endpoint, play):
    async with endpoint.agent(TEXT, calls(LISTEN), TEXT, SUBMIT) as agent:
        trajectory = await play(agent)
    assert trajectory.extra.outcome == "correct"


async def test_an_empty_reply_is_a_reply_without_a_call(endpoint, play):
    async with endpoint.agent({"say": {"text": ""}}, SUBMIT) as agent:
        trajectory = await play(agent)
    assert trajectory.steps[2].message == ""
    assert trajectory.extra.outcome == "correct"


async def test_malformed_arguments_are_reported_to_the_model_and_counted(openai, play):
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


async def test_malformed_calls_use_up_the_calls_of_the_episode(openai, play):
    async with openai.agent(calls(call("move", '{"floors": 1'))) as agent:
        trajectory = await play(agent, calls=20)
    record = trajectory.extra
    assert (record.outcome, record.stop, record.error) == ("no_submission", "calls", None)
    assert (record.calls, record.malformed_calls) == (0, 21)
    assert len(openai.bodies(agent)) == 21
    assert "all 20 calls are used up" in trajectory.steps[-1].observation.results[0].content


async def test_malformed_and_executed_calls_share_the_budget(openai, play):
    reply = calls(LISTEN, call("move", "up", "m"))
    async with openai.agent(reply) as agent:
        trajectory = await play(agent, calls=5)
    record = trajectory.extra
    assert (record.outcome, record.stop) == ("no_submission", "calls")
    assert (record.calls, record.malformed_calls) == (3, 3)


async def test_an_answer_is_accepted_when_all_calls_are_used_up(openai, play):
    async with openai.agent(calls(call("move", "up", "m"), LISTEN), SUBMIT) as agent:
        trajectory = await play(agent, calls=2)
    assert (trajectory.extra.outcome, trajectory.extra.calls) == ("correct", 1)


async def test_the_model_knows_how_many_calls_it_may_make(endpoint, play):
    async with endpoint.agent(SUBMIT) as agent:
        trajectory = await play(agent, calls=7)
    prompt = trajectory.steps[0].message
    assert "at most 7 calls" in prompt
    assert "`submit_answer`" in prompt
    assert prompt in json.dumps(endpoint.bodies(agent)[0], ensure_ascii=False)


def test_a_prompt_without_a_limit_says_nothing_of_calls():
    assert render_system_prompt(DEFAULT_SYSTEM_PROMPT, "answer", 7).count("7") == 1
    unlimited = render_system_prompt(DEFAULT_SYSTEM_PROMPT, "answer", None)
    assert unlimited.startswith("Solve the task with the tools. When you know the answer")
    assert "{" not in unlimited
    assert render_system_prompt("Play.", "answer", None) == "Play."


@pytest.mark.parametrize("arguments", ['{ "floors" : 1 }', '{"floors": 1}\n', '{"floors":1}', "{ }"])
async def test_later_requests_contain_the_arguments_to_the_letter(openai, play, arguments):
    async with openai.agent(calls(call("move", arguments)), SUBMIT) as agent:
        await play(agent)
    (sent,) = openai.bodies(agent)[1]["messages"][2]["tool_calls"]
    assert sent["function"]["arguments"] == arguments


async def test_a_changed_request_is_recorded(openai, play):
    said = calls(LISTEN, reasoning="Where?")
    refused = {"status": 400, "body": {"error": {"message": "reasoning_content is not permitted"}}}
    async with openai.agent(said, refused, SUBMIT) as agent:
        trajectory = await play(agent)
    assert trajectory.steps[2].metrics.extra.request_changes is None
    assert trajectory.steps[3].metrics.extra.request_changes == [
        "Reasoning was left out of earlier messages."
    ]


async def test_a_retry_is_announced_while_it_waits(openai, play):
    fault = {"status": 500, "body": {"error": {"message": "boom"}}}
    events = []
    async with openai.agent(fault, fault, SUBMIT) as agent:
        agent.model.on_retry = events.append
        await play(agent)
    assert [(event.attempt, event.status, event.error) for event in events] == [
        (1, 500, "status 500: boom"),
        (2, 500, "status 500: boom"),
    ]


async def test_arguments_are_kept_as_the_model_wrote_them(openai, play):
    async with openai.agent(
        calls(call("move", '{ "floors" : 1 }')), calls(call("listen", "")), SUBMIT
    ) as agent:
        trajectory = await play(agent)
    moved, listened = trajectory.steps[2].tool_calls[0], trajectory.steps[3].tool_calls[0]
    assert (moved.arguments, moved.extra.raw_arguments) == ({"floors": 1}, '{ "floors" : 1 }')
    assert (listened.arguments, listened.extra.raw_arguments) == ({}, "")
    assert trajectory.extra.calls == 2


async def test_a_tool_that_does_not_exist_is_refused_and_counted(endpoint, play):
    async with endpoint.agent(calls(call("fly", {"floors": 1})), SUBMIT) as agent:
        trajectory = await play(agent)
    step = trajectory.steps[2]
    assert step.tool_calls[0].extra.invalid == "unknown_tool"
    result = step.observation.results[0]
    assert "no tool named 'fly'" in result.content
    assert (result.extra.is_error, result.extra.by) == (True, "server")
    assert (trajectory.extra.outcome, trajectory.extra.calls) == ("correct", 1)


async def test_arguments_that_do_not_fit_are_refused_by_the_server(endpoint, play):
    async with endpoint.agent(calls(call("move", {"floors": "one"})), SUBMIT) as agent:
        trajectory = await play(agent)
    assert trajectory.steps[2].observation.results[0].extra.is_error
    assert (trajectory.extra.outcome, trajectory.extra.calls) == ("correct", 1)


async def test_an_answer_of_the_wrong_type_can_be_given_again(endpoint, play):
    async with endpoint.agent(calls(call("submit_answer", {"answer": "one"})), SUBMIT) as agent:
        trajectory = await play(agent)
    assert trajectory.extra.outcome == "correct"


async def test_calls_of_the_same_name_have_results_of_their_own(openai, play):
    async with openai.agent(
        calls(call("move", {"floors": 1}, "same"), call("move", {"floors": 1}, "same")), SUBMIT
    ) as agent:
        trajectory = await play(agent)
    step = trajectory.steps[2]
    assert [each.tool_call_id for each in step.tool_calls] == ["same", "same#2"]
    assert [(each.source_call_id, each.content) for each in step.observation.results] == [
        ("same", "1"),
        ("same#2", "2"),
    ]


async def test_a_reply_cut_off_in_a_call_is_reported(openai, play):
    cut = calls(LISTEN, call("move", '{"floors": ', "m"), finish="length")
    async with openai.agent(cut, SUBMIT, max_tokens=10) as agent:
        trajectory = await play(agent)
    listened, moved = trajectory.steps[2].observation.results
    assert not listened.extra.is_error
    assert "maximum number of tokens" in moved.content
    assert trajectory.steps[2].metrics.extra.finish_reason == "length"
    assert (trajectory.extra.outcome, trajectory.extra.malformed_calls) == ("correct", 1)


async def test_text_cut_at_the_limit_ends_like_text_and_says_why(endpoint, play):
    cut = {
        "say": {
            "text": "I think that",
            "finish": {"openai": "length", "anthropic": "max_tokens"}[endpoint.provider],
        }
    }
    async with endpoint.agent(cut, max_tokens=3) as agent:
        trajectory = await play(agent)
    assert (trajectory.extra.outcome, trajectory.extra.stop) == ("no_submission", "max_tokens")


async def test_a_refusal_ends_the_episode(endpoint, play):
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


async def test_a_conversation_that_is_too_long_ends_the_episode(endpoint, play):
    body = {
        "type": "error",
        "error": {"type": "invalid_request_error", "message": "prompt is too long: 9 > 8"},
    }
    async with endpoint.agent(calls(LISTEN), {"status": 400, "body": body}) as agent:
        trajectory = await play(agent)
    record = trajectory.extra
    assert (record.outcome, record.stop, record.error) == ("no_submission", "context_overflow", None)
    assert len(trajectory.steps) == 3


async def test_replies_are_bounded(endpoint, play):
    async with endpoint.agent(calls(LISTEN), turns=3) as agent:
        trajectory = await play(agent)
    assert (trajectory.extra.outcome, trajectory.extra.stop) == ("no_submission", "turns")
    assert trajectory.extra.calls == 3


async def test_running_out_of_calls_ends_the_episode(endpoint, play):
    async with endpoint.agent(calls(call("listen", {}, "a"), call("listen", {}, "b"))) as agent:
        trajectory = await play(agent, calls=3)
    record = trajectory.extra
    assert (record.outcome, record.state, record.limits_met) == ("no_submission", "out_of_calls", ["calls"])


# --- the provider's failures


FAULTS = [
    {"status": 429, "headers": {"Retry-After": "0"}},
    {"status": 500, "body": {"error": {"message": "boom"}}},
    {"fault": "cut"},
    {"fault": "garbage"},
    {"fault": "empty"},
]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
async def test_a_provider_that_recovers_leaves_a_note(endpoint, play, fault):
    async with endpoint.agent(calls(LISTEN), fault, fault, SUBMIT) as agent:
        trajectory = await play(agent)
    assert trajectory.extra.outcome == "correct"
    assert trajectory.steps[2].metrics.extra.failed_attempts is None
    failed = trajectory.steps[3].metrics.extra.failed_attempts
    assert [each.status for each in failed] == [fault.get("status")] * 2
    assert trajectory.extra.calls == 1


@pytest.mark.parametrize("fault", FAULTS, ids=str)
async def test_a_provider_that_does_not_recover_is_not_the_agents_failure(endpoint, play, fault):
    async with endpoint.agent(calls(LISTEN), fault, attempts=2) as agent:
        trajectory = await play(agent)
    record = trajectory.extra
    assert (record.outcome, record.verdict, record.stop) == ("failed", None, None)
    assert (record.error.fault, record.error.kind, record.error.traceback) == ("provider", "ModelError", None)
    assert "failed 2 times" in record.error.message
    assert len(trajectory.steps) == 3


async def test_an_answer_that_never_comes_is_the_providers_failure(endpoint, play):
    async with endpoint.agent({"fault": "hang"}, attempts=2, request_seconds=0.2) as agent:
        trajectory = await play(agent)
    assert (trajectory.extra.outcome, trajectory.extra.error.fault) == ("failed", "provider")
    assert "no answer in 0.2 seconds" in trajectory.extra.error.message


async def test_a_request_that_the_provider_refuses_is_our_failure(endpoint, play):
    body = {"error": {"type": "invalid_request_error", "message": "no such setting"}}
    async with endpoint.agent({"status": 400, "body": body}) as agent:
        trajectory = await play(agent)
    assert (trajectory.extra.outcome, trajectory.extra.error.fault) == ("failed", "ours")


async def test_a_verdict_stands_whatever_the_provider_does(endpoint, play):
    async with endpoint.agent(SUBMIT, {"status": 500}) as agent:
        trajectory = await play(agent)
    assert (trajectory.extra.outcome, trajectory.extra.error) == ("correct", None)


async def test_a_key_that_is_refused_halts_the_run(endpoint, play):
    async with endpoint.agent({"status": 401, "body": {"error": {"message": "no"}}}) as agent:
        with pytest.raises(ModelAccessError):
            await play(agent)


async def test_what_the_provider_makes_the_model_wait_is_not_taken_off_its_time(openai, play, monkeypatch):
    waited = 0.0
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + waited)
    monkeypatch.setattr("codegym_harness.deadline.time", clock)

    async def wait(_):
        nonlocal waited
        waited += 1000.0

    fault = {"status": 500}
    options = ModelAgentOptions(name=openai.name(fault, fault, SUBMIT), base_url=openai.url)
    async with ModelAgent.open(options, retries=Retries(sleep=wait)) as agent:
        trajectory = await play(agent, seconds=60)
    assert waited == 2000.0
    assert (trajectory.extra.outcome, trajectory.extra.limits_met) == ("correct", [])


async def test_a_model_that_takes_too_long_meets_the_deadline(openai, play):
    async with openai.agent({"fault": "hang"}) as agent:
        trajectory = await play(agent, seconds=0.2)
    record = trajectory.extra
    assert (record.outcome, record.limits_met, record.error) == ("no_submission", ["deadline_seconds"], None)


async def test_each_epoch_has_a_seed_of_its_own(openai, play):
    async with openai.agent(SUBMIT, seed=10) as agent:
        for epoch in (1, 2):
            await play(agent, BELL.model_copy(update={"epoch": epoch}))
    assert [body["seed"] for body in openai.bodies(agent)] == [10, 11]


async def test_log_probabilities_and_token_ids_stand_in_the_trajectory(openai, play):
    say = {
        "logprobs": [["a", -0.5]],
        "token_ids": [[1, 2], [7]],
        "calls": [call("submit_answer", {"answer": 1})],
    }
    async with openai.agent({"say": say}, logprobs=True, token_ids=True) as agent:
        trajectory = await play(agent)
    metrics = trajectory.steps[-1].metrics
    assert (metrics.logprobs, metrics.prompt_token_ids, metrics.completion_token_ids) == ([-0.5], [1, 2], [7])


async def test_another_servers_tools_are_played_until_the_model_has_nothing_more_to_do(
    openai, episodes, server
):
    async with LocalEpisodes(episodes).open(BELL) as episode:
        url = f"{server.url}/episodes/{episodes.by_id(episode.id).token}/mcp"
        async with openai.agent(calls(LISTEN), TEXT) as agent:
            trajectory = await roll_out(agent, ForeignEpisodes(url), Assignment(environment="mcp"))
    assert (trajectory.extra.outcome, trajectory.extra.stop) == ("unscored", "text")
    assert len(openai.bodies(agent)) == 2


async def test_options_stand_in_the_trajectory(openai, play):
    async with openai.agent(SUBMIT, temperature=0.5) as agent:
        trajectory = await play(agent)
    assert trajectory.agent.extra == {"options": {"base_url": openai.url, "temperature": 0.5}}
