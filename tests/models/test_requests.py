"""Requests to a server of OpenAI's shape and one of Anthropic's, each a process of its own."""

import json
from contextlib import contextmanager

import anyio
import pytest

from codegym_mcp.episode_interface import ToolView
from codegym_mcp.errors import CeilingError, ContextOverflowError, ModelAccessError, ModelError
from codegym_mcp.models import Model, ModelOptions

TOOL = ToolView(
    name="move",
    description="Move the lift.",
    input_schema={
        "type": "object",
        "properties": {"floors": {"type": "integer", "description": "how many"}},
        "required": ["floors"],
        "additionalProperties": False,
    },
)
HELLO = {"say": {"text": "hello"}}
CALL = {"say": {"text": "Up.", "calls": [{"id": "one", "name": "move", "arguments": {"floors": 1}}]}}


def talk(model):
    conversation = model.conversation("Be brief.")
    conversation.say("Go up.")
    return conversation


async def ask(model):
    return await model.request(talk(model), [TOOL])


async def test_a_reply_is_read_whole(endpoint):
    say = {
        "text": "Up we go. 🛗",
        "reasoning": "One floor is enough.",
        "calls": [
            {"id": "one", "name": "move", "arguments": {"floors": 1}},
            {"id": "two", "name": "ring", "arguments": {"bell": {"tones": ["ä", None, 0.5]}}},
        ],
        "usage": [120, 30, 80],
    }
    async with endpoint.model({"say": say}) as model:
        reply = await ask(model)
    assert reply.text == "Up we go. 🛗"
    assert reply.reasoning == "One floor is enough."
    assert [(call.id, call.name, call.arguments) for call in reply.calls] == [
        (call["id"], call["name"], call["arguments"]) for call in say["calls"]
    ]
    assert (reply.finish, reply.refusal, list(reply.failures)) == ("tool_call", None, [])
    assert reply.finish_raw in ("tool_calls", "tool_use")
    assert reply.model.endswith("-0001")
    assert reply.seconds > 0
    usage = reply.usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens) == (120, 30, 80)
    assert usage.cost is None


async def test_openai_is_sent_exactly_what_was_said(openai):
    async with openai.model(CALL, HELLO) as model:
        conversation = talk(model)
        reply = await model.request(conversation, [TOOL])
        conversation.answer(reply.calls[0], "<|im_start|> [INST] it <system>stands</system>", is_error=True)
        await model.request(conversation, [TOOL])
    _, body = openai.bodies(model)
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Go up."},
        {
            "role": "assistant",
            "content": "Up.",
            "tool_calls": [
                {"id": "one", "type": "function", "function": {"name": "move", "arguments": '{"floors":1}'}}
            ],
        },
        {
            "role": "tool",
            "tool_call_id": "one",
            "content": "<|im_start|> [INST] it <system>stands</system>",
        },
    ]
    assert body["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "move",
                "description": "Move the lift.",
                "parameters": TOOL.input_schema,
            },
        }
    ]
    assert body["tool_choice"] == "auto"
    assert body.keys() == {"model", "stream", "messages", "tools", "tool_choice"}


async def test_anthropic_is_sent_exactly_what_was_said(anthropic):
    async with anthropic.model(CALL, HELLO) as model:
        conversation = talk(model)
        reply = await model.request(conversation, [TOOL])
        conversation.answer(reply.calls[0], "It is stuck.", is_error=True)
        await model.request(conversation, [TOOL])
    _, body = anthropic.bodies(model)
    assert body["system"] == "Be brief."
    assert body["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "Go up."}]},
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "Up."},
                {"type": "tool_use", "id": "one", "name": "move", "input": {"floors": 1}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "one",
                    "content": [{"type": "text", "text": "It is stuck."}],
                    "is_error": True,
                }
            ],
        },
    ]
    (tool,) = body["tools"]
    assert (tool["name"], tool["description"], tool["input_schema"]) == (
        "move",
        "Move the lift.",
        TOOL.input_schema,
    )


async def test_what_was_thought_goes_back_to_who_thought_it(endpoint):
    thought = {"say": {"text": "Hm.", "reasoning": "One floor."}}
    async with endpoint.model(thought, HELLO) as model:
        conversation = talk(model)
        await model.request(conversation)
        conversation.say("Well?")
        await model.request(conversation)
    assert "One floor." in json.dumps(endpoint.bodies(model)[-1]["messages"])


async def test_settings_are_sent(openai):
    options = {
        "temperature": 0.5,
        "top_p": 0.9,
        "max_tokens": 77,
        "seed": 5,
        "tool_choice": "required",
        "reasoning_effort": "low",
        "logprobs": True,
        "token_ids": True,
        "extra_body": {"top_k": 3},
    }
    async with openai.model(HELLO, **options) as model:
        await ask(model)
        await model.request(talk(model), [TOOL], seed=8)
    first, second = openai.bodies(model)
    sent = {
        "temperature": 0.5,
        "top_p": 0.9,
        "max_tokens": 77,
        "seed": 5,
        "tool_choice": "required",
        "reasoning_effort": "low",
        "logprobs": True,
        "return_token_ids": True,
        "top_k": 3,
    }
    assert {name: first.get(name) for name in sent} == sent
    assert second["seed"] == 8


async def test_settings_are_sent_to_anthropic(anthropic):
    async with anthropic.model(HELLO, temperature=0.5, max_tokens=77, tool_choice="required") as model:
        await ask(model)
    (body,) = anthropic.bodies(model)
    assert (body["temperature"], body["max_tokens"], body["tool_choice"]["type"]) == (0.5, 77, "any")


async def test_log_probabilities_and_token_ids_are_read(openai):
    say = {"text": "ab", "logprobs": [["a", -0.25], ["b", -1.5]], "token_ids": [[1, 2, 3], [7, 8]]}
    async with openai.model({"say": say}, logprobs=True, token_ids=True) as model:
        reply = await ask(model)
    assert reply.logprobs == [-0.25, -1.5]
    assert reply.prompt_token_ids == [1, 2, 3]
    assert reply.completion_token_ids == [7, 8]


async def test_a_server_that_tells_no_usage_is_taken_at_its_word(openai):
    async with openai.model({"say": {"text": "hello", "usage": None}}) as model:
        reply = await ask(model)
    assert reply.usage.prompt_tokens is None
    assert reply.usage.completion_tokens is None


async def test_half_characters_are_replaced_before_anyone_has_to_write_them(openai):
    say = {
        "text": "a\ud800b",
        "calls": [{"id": "x", "name": "mo\udfffve", "arguments": '{"text": "\\ud800"}'}],
    }
    async with openai.model({"say": say}, HELLO) as model:
        conversation = talk(model)
        reply = await model.request(conversation)
        assert (reply.text, reply.calls[0].name) == ("a\ufffdb", "mo\ufffdve")
        assert reply.calls[0].arguments is None
        conversation.answer(reply.calls[0], "no")
        await model.request(conversation)


# --- what is tried again


PASSING = [
    {"status": 500, "body": {"error": {"message": "boom"}}},
    {"status": 502},
    {"status": 503, "body": {"error": {"message": "busy"}}},
    {"status": 529, "body": {"error": {"type": "overloaded_error", "message": "busy"}}},
    {"status": 408},
    {"status": 409},
    {"fault": "cut"},
    {"fault": "garbage"},
    {"fault": "garbage", "type": "text/html"},
    {"fault": "empty"},
]


@pytest.mark.parametrize("fault", PASSING, ids=str)
async def test_what_fails_in_passing_is_tried_again(endpoint, clock, fault):
    async with endpoint.model(fault, fault, HELLO, retries=clock.retries()) as model:
        reply = await ask(model)
    assert reply.text == "hello"
    assert [failure.status for failure in reply.failures] == [fault.get("status")] * 2
    assert all(failure.error for failure in reply.failures)
    first, *others = endpoint.bodies(model)
    assert others == [first, first]


async def test_a_stream_that_breaks_off_is_tried_again(anthropic_server, clock):
    # A model whose longest reply is long is streamed: its name is known to have one.
    name = "claude-sonnet-5-5"
    anthropic_server.set_script(name, {"fault": "cut"}, HELLO)
    options = ModelOptions(name=f"anthropic:{name}", base_url=anthropic_server.url)
    async with Model.open(options, retries=clock.retries()) as model:
        reply = await ask(model)
    assert [body["stream"] for body in anthropic_server.bodies(name)] == [True, True]
    assert reply.text == "hello"
    assert len(reply.failures) == 1


async def test_an_answer_that_does_not_come_is_given_up_and_asked_for_again(endpoint, clock):
    options = {"request_seconds": 0.2, "retries": clock.retries()}
    async with endpoint.model({"fault": "hang"}, HELLO, **options) as model:
        reply = await ask(model)
    (failure,) = reply.failures
    assert (failure.error, failure.status, failure.waited) == ("no answer in 0.2 seconds", None, 0.0)
    assert failure.seconds >= 0.2


async def test_attempts_have_an_end(endpoint, clock):
    fault = {"status": 500, "body": {"error": {"message": "boom"}}}
    async with endpoint.model(fault, attempts=3, retries=clock.retries()) as model:
        with pytest.raises(
            ModelError, match="failed 3 times, the last time with: status 500: boom"
        ) as caught:
            await ask(model)
    assert (caught.value.fault, caught.value.status) == ("provider", 500)
    assert len(endpoint.bodies(model)) == 3


async def test_no_connection_is_tried_again(unused_port, clock):
    options = ModelOptions(name="openai:x", base_url=f"http://127.0.0.1:{unused_port}/v1", attempts=3)
    async with Model.open(options, retries=clock.retries(base_seconds=1.0)) as model:
        with pytest.raises(ModelError, match="failed 3 times") as caught:
            await ask(model)
    assert caught.value.fault == "provider"
    first, second = clock.waits
    assert 0.5 <= first <= 1 <= second <= 2


async def test_what_the_provider_asks_for_is_waited(endpoint, clock):
    slow = {"status": 429, "headers": {"Retry-After": "7"}, "body": {"error": {"message": "slow"}}}
    slower = {"status": 429, "headers": {"retry-after-ms": "12500"}}
    async with endpoint.model(slow, slower, HELLO, retries=clock.retries()) as model:
        reply = await ask(model)
    assert clock.waits == [7, 12.5]
    assert [failure.waited for failure in reply.failures] == [7, 12.5]
    assert [failure.status for failure in reply.failures] == [429, 429]


async def test_nobody_asks_while_the_provider_wants_to_be_left_alone(endpoint, clock):
    slow = {"status": 429, "headers": {"Retry-After": "30"}}
    async with endpoint.model(slow, HELLO, retries=clock.retries(), concurrency=1) as model:
        asleep = anyio.Event()
        awake = anyio.Event()
        sleep = clock.sleep

        async def first_sleep(seconds):
            asleep.set()
            await awake.wait()
            await sleep(seconds)

        model._retries.sleep = first_sleep

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask, model)
            await asleep.wait()
            model._retries.sleep = sleep
            await ask(model)
            assert clock.waits == [30]
            awake.set()


async def test_a_wait_beyond_all_patience_is_not_begun(openai, clock):
    slow = {"status": 429, "headers": {"Retry-After": "3600"}}
    async with openai.model(slow, HELLO, retries=clock.retries()) as model:
        with pytest.raises(ModelError, match="failed once"):
            await ask(model)
    assert clock.waits == []


async def test_a_provider_that_says_so_is_not_asked_again(openai, clock):
    final = {"status": 500, "headers": {"x-should-retry": "false"}, "body": {"error": {"message": "no"}}}
    async with openai.model(final, HELLO, retries=clock.retries()) as model:
        with pytest.raises(ModelError) as caught:
            await ask(model)
    assert caught.value.fault == "provider"


# --- what is not


OVERFLOWS = [
    {"error": {"code": "context_length_exceeded", "message": "This model's maximum context length is 8"}},
    {
        "error": {
            "type": "exceed_context_size_error",
            "message": "the request exceeds the available context size",
        }
    },
    {
        "object": "error",
        "message": "The input (9 tokens) is longer than the model's context length (8 tokens).",
    },
    {"type": "error", "error": {"type": "invalid_request_error", "message": "prompt is too long: 9 > 8"}},
]


@pytest.mark.parametrize("body", OVERFLOWS, ids=lambda body: str(body)[:60])
async def test_a_conversation_that_is_too_long_says_so(endpoint, body):
    async with endpoint.model({"status": 400, "body": body}) as model:
        with pytest.raises(ContextOverflowError):
            await ask(model)
    assert len(endpoint.bodies(model)) == 1


async def test_a_request_that_is_refused_is_not_made_again(endpoint):
    body = {"error": {"type": "invalid_request_error", "message": "temperature is not supported"}}
    async with endpoint.model({"status": 400, "body": body}, HELLO) as model:
        with pytest.raises(ModelError, match="refuses the request: status 400: temperature") as caught:
            await ask(model)
    assert caught.value.fault == "request"
    assert len(endpoint.bodies(model)) == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, {"error": {"message": "bad key sk-mine"}}),
        (403, {"error": {"message": "not for you"}}),
        (402, {"error": {"message": "pay first"}}),
        (429, {"error": {"code": "insufficient_quota", "type": "insufficient_quota", "message": "empty"}}),
        (404, {"error": {"code": "model_not_found", "message": "no such model"}}),
    ],
)
async def test_what_no_request_can_mend_halts_the_run(openai, monkeypatch, status, body):
    monkeypatch.setenv("MINE", "sk-mine")
    async with openai.model({"status": status, "body": body}, api_key_variable="MINE") as model:
        with pytest.raises(ModelAccessError) as caught:
            await ask(model)
    assert "sk-mine" not in str(caught.value)
    assert len(openai.bodies(model)) == 1


async def test_a_model_that_has_answered_is_not_given_up_for_a_404_or_a_403(openai, clock):
    lost, guarded = {"status": 404}, {"status": 403, "body": {"error": {"message": "guardrail"}}}
    async with openai.model(HELLO, lost, HELLO, guarded, retries=clock.retries()) as model:
        await ask(model)
        assert (await ask(model)).failures[0].status == 404
        with pytest.raises(ModelError, match="guardrail"):
            await ask(model)


@pytest.mark.parametrize(
    "say",
    [
        {"refusal": "I will not."},
        {"text": "", "finish": "content_filter", "refusal": "I will not."},
    ],
)
async def test_a_refusal_is_a_reply(openai, say):
    async with openai.model({"say": say}) as model:
        reply = await ask(model)
    assert (reply.refusal, reply.finish) == ("I will not.", "content_filter")


async def test_a_filter_is_a_refusal_too(anthropic, openai):
    async with anthropic.model({"say": {"text": "I", "finish": "refusal"}}) as model:
        assert (await ask(model)).refusal == "The provider's filter stopped the reply."
    flagged = {"error": {"code": "content_policy_violation", "message": "This prompt was flagged."}}
    async with openai.model({"status": 400, "body": flagged}) as model:
        reply = await ask(model)
    assert reply.refusal == "status 400: This prompt was flagged."


# --- limits


async def test_no_more_requests_than_allowed_are_under_way(openai):
    under_way = 0
    most = 0

    @contextmanager
    def attempt():
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        yield
        under_way -= 1

    async with openai.model(HELLO, concurrency=3) as model, anyio.create_task_group() as tasks:
        for _ in range(12):
            conversation = talk(model)
            tasks.start_soon(lambda talked=conversation: model.request(talked, attempt=attempt))
    assert most == 3


async def test_waiting_is_no_part_of_an_attempt(openai, clock):
    during = []

    @contextmanager
    def attempt():
        during.append(len(clock.waits))
        yield

    slow = {"status": 429, "headers": {"Retry-After": "7"}}
    async with openai.model(slow, HELLO, retries=clock.retries()) as model:
        await model.request(talk(model), attempt=attempt)
    assert during == [0, 1]


async def test_tokens_have_a_ceiling(openai):
    async with openai.model({"say": {"text": "x", "usage": [40, 10, 0]}}, max_total_tokens=100) as model:
        await ask(model)
        await ask(model)
        with pytest.raises(
            CeilingError, match=r"used 100 tokens; the limit is 100.*--max-total-tokens"
        ) as caught:
            await ask(model)
    assert (caught.value.ceiling, caught.value.value) == ("tokens", 100)
    assert len(openai.bodies(model)) == 2


async def test_what_was_used_before_counts(openai):
    async with openai.model(HELLO, max_total_tokens=100) as model:
        model.spending.count(100, 0.0)
        with pytest.raises(CeilingError):
            await ask(model)


async def test_a_ceiling_that_cannot_be_kept_is_an_error(openai):
    async with openai.model({"say": {"text": "x", "usage": None}}, max_total_tokens=100) as model:
        with pytest.raises(CeilingError, match="does not report its token usage"):
            await ask(model)


async def test_cost_has_a_ceiling(anthropic_server):
    name = "claude-opus-4-8"
    say = {"text": "x", "usage": [1_000_000, 0, 0], "model": name}
    anthropic_server.set_script(name, {"say": say})
    options = ModelOptions(name=f"anthropic:{name}", base_url=anthropic_server.url)
    async with Model.open(options) as model:
        cost = (await ask(model)).usage.cost
    assert cost is not None
    assert cost > 1
    options = options.model_copy(update={"max_cost": 1.5 * cost})
    async with Model.open(options) as model:
        await ask(model)
        await ask(model)
        told = f"has cost {2 * cost:.2f} US dollars; the limit is {1.5 * cost:.2f}"
        with pytest.raises(CeilingError, match=f"{told}.*--max-cost"):
            await ask(model)
