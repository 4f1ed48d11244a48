"""Requests are repeated after transient failures, and only then."""

from typing import Any

import anyio
import pytest

from codegym_mcp.errors import ContextOverflowError, ModelAccessError, ModelError
from codegym_mcp.models import Model, ModelConversation, ModelOptions, ModelReply
from codegym_mcp.models.error_diagnosis import retry_after
from tests.conftest import ModelServer
from tests.models.conftest import Clock, Endpoint

HELLO = {"say": {"text": "hello"}}


def talk(model: Model) -> ModelConversation:
    """Starts a conversation."""
    conversation = model.conversation("Be brief.")
    conversation.say("Go up.")
    return conversation


async def ask(model: Model) -> ModelReply:
    """Makes one request."""
    return await model.request(talk(model))


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
async def test_transient_failures_are_retried(
    endpoint: Endpoint, clock: Clock, fault: dict[str, Any]
) -> None:
    async with endpoint.model(fault, fault, HELLO, retries=clock.retries()) as model:
        reply = await ask(model)
    assert reply.text == "hello"
    assert [failure.status for failure in reply.failures] == [fault.get("status")] * 2
    assert all(failure.error for failure in reply.failures)
    first, *others = endpoint.bodies(model)
    assert others == [first, first]


async def test_a_stream_that_breaks_off_is_retried(anthropic_server: ModelServer, clock: Clock) -> None:
    # A model whose longest reply is long is streamed: its name is known to have one.
    name = "claude-sonnet-5-5"
    anthropic_server.set_script(name, {"fault": "cut"}, HELLO)
    options = ModelOptions(name=f"anthropic:{name}", base_url=anthropic_server.url)
    async with Model.open(options, retries=clock.retries()) as model:
        reply = await ask(model)
    assert [body["stream"] for body in anthropic_server.bodies(name)] == [True, True]
    assert reply.text == "hello"
    assert len(reply.failures) == 1


async def test_a_request_without_an_answer_times_out_and_is_retried(endpoint: Endpoint, clock: Clock) -> None:
    options = {"request_seconds": 1.5, "retries": clock.retries()}
    async with endpoint.model({"fault": "hang"}, HELLO, **options) as model:
        reply = await ask(model)
    (failure,) = reply.failures
    assert (failure.error, failure.status, failure.waited) == ("no answer in 1.5 seconds", None, 0.0)
    assert failure.seconds >= 1.5


async def test_the_number_of_attempts_is_limited(endpoint: Endpoint, clock: Clock) -> None:
    fault = {"status": 500, "body": {"error": {"message": "boom"}}}
    async with endpoint.model(fault, attempts=3, retries=clock.retries()) as model:
        with pytest.raises(
            ModelError, match="failed 3 times, the last time with: status 500: boom"
        ) as caught:
            await ask(model)
    assert (caught.value.fault, caught.value.status) == ("provider", 500)
    assert len(endpoint.bodies(model)) == 3


async def test_a_refused_connection_is_retried(unused_port: int, clock: Clock) -> None:
    options = ModelOptions(name="openai:x", base_url=f"http://127.0.0.1:{unused_port}/v1", attempts=3)
    async with Model.open(options, retries=clock.retries(base_seconds=1.0)) as model:
        with pytest.raises(ModelError, match="failed 3 times") as caught:
            await ask(model)
    assert caught.value.fault == "provider"
    first, second = clock.waits
    assert 0.5 <= first <= 1 <= second <= 2


async def test_the_wait_that_the_provider_asks_for_is_kept(endpoint: Endpoint, clock: Clock) -> None:
    slow = {"status": 429, "headers": {"Retry-After": "7"}, "body": {"error": {"message": "slow"}}}
    slower = {"status": 429, "headers": {"retry-after-ms": "12500"}}
    async with endpoint.model(slow, slower, HELLO, retries=clock.retries()) as model:
        reply = await ask(model)
    assert clock.waits == [7, 12.5]
    assert [failure.waited for failure in reply.failures] == [7, 12.5]
    assert [failure.status for failure in reply.failures] == [429, 429]


async def test_other_requests_wait_too_when_the_provider_asks_for_it(
    endpoint: Endpoint, clock: Clock
) -> None:
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


async def test_a_wait_that_is_too_long_is_not_begun(openai: Endpoint, clock: Clock) -> None:
    slow = {"status": 429, "headers": {"Retry-After": "3600"}}
    async with openai.model(slow, HELLO, retries=clock.retries()) as model:
        with pytest.raises(ModelError, match="failed once"):
            await ask(model)
    assert clock.waits == []


async def test_a_failure_marked_as_permanent_is_not_retried(openai: Endpoint, clock: Clock) -> None:
    final = {"status": 500, "headers": {"x-should-retry": "false"}, "body": {"error": {"message": "no"}}}
    async with openai.model(final, HELLO, retries=clock.retries()) as model:
        with pytest.raises(ModelError) as caught:
            await ask(model)
    assert caught.value.fault == "provider"


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
async def test_a_conversation_that_is_too_long_is_reported_as_such(
    endpoint: Endpoint, body: dict[str, Any]
) -> None:
    async with endpoint.model({"status": 400, "body": body}) as model:
        with pytest.raises(ContextOverflowError):
            await ask(model)
    assert len(endpoint.bodies(model)) == 1


async def test_a_rejected_request_is_not_repeated(endpoint: Endpoint) -> None:
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
async def test_failures_that_every_request_would_meet_halt_the_run(
    openai: Endpoint, monkeypatch: pytest.MonkeyPatch, status: int, body: dict[str, Any]
) -> None:
    monkeypatch.setenv("MINE", "sk-mine")
    async with openai.model({"status": status, "body": body}, api_key_variable="MINE") as model:
        with pytest.raises(ModelAccessError) as caught:
            await ask(model)
    assert "sk-mine" not in str(caught.value)
    assert len(openai.bodies(model)) == 1


async def test_a_404_or_403_after_a_reply_does_not_halt_the_run(openai: Endpoint, clock: Clock) -> None:
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
async def test_a_refusal_is_a_reply(openai: Endpoint, say: dict[str, Any]) -> None:
    async with openai.model({"say": say}) as model:
        reply = await ask(model)
    assert (reply.refusal, reply.finish) == ("I will not.", "content_filter")


async def test_a_stop_by_the_providers_filter_is_a_refusal(anthropic: Endpoint, openai: Endpoint) -> None:
    async with anthropic.model({"say": {"text": "I", "finish": "refusal"}}) as model:
        assert (await ask(model)).refusal == "The provider's filter stopped the reply."
    flagged = {"error": {"code": "content_policy_violation", "message": "This prompt was flagged."}}
    async with openai.model({"status": 400, "body": flagged}) as model:
        reply = await ask(model)
    assert reply.refusal == "status 400: This prompt was flagged."


async def test_an_error_page_is_reported_by_its_title(openai: Endpoint, clock: Clock) -> None:
    page = "<html><head><title>502 Bad\nGateway</title></head><body>" + "x" * 5000 + "</body></html>"
    async with openai.model({"status": 502, "text": page}, HELLO, retries=clock.retries()) as model:
        reply = await ask(model)
    assert [failure.error for failure in reply.failures] == ["status 502: a web page (502 Bad Gateway)"]


async def test_a_model_that_does_not_exist_halts_the_run_whatever_the_wording(openai: Endpoint) -> None:
    body = {"error": "model not found, try pulling it first"}
    async with openai.model({"status": 404, "body": body}) as model:
        with pytest.raises(ModelAccessError, match="does not know"):
            await ask(model)


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        ({"error": {"message": "Rate limit reached. Please try again in 1.5s. Visit the page."}}, 1.5),
        ({"error": {"message": "Please try again in 20ms."}}, 0.02),
        ({"error": {"message": "Please try again in 7m12.5s."}}, 432.5),
        ({"error": {"message": "Please retry after 12 seconds."}}, 12),
        ({"error": {"message": "Please try again in 2 minutes."}}, 120),
        ({"detail": [{"msg": "try again in 3 s"}]}, 3),
        ([{"error": {"code": 429, "details": [{"retryDelay": "13s"}]}}], 13),
        ({"error": {"message": "slow down", "retry_after": 4}}, 4),
        ({"error": {"message": "Please try again later."}}, None),
        ({"error": {"message": "try again in a while", "retry_after": None}}, None),
        ("try again in 2s", 2),
        (None, None),
    ],
    ids=str,
)
def test_a_wait_is_also_read_from_the_body(body: object, seconds: float | None) -> None:
    assert retry_after({}, body) == seconds
    assert retry_after({"retry-after": "7"}, body) == 7


async def test_a_proxy_that_asks_for_a_password_halts_the_run(openai: Endpoint) -> None:
    async with openai.model({"status": 407, "text": "Proxy Authentication Required"}) as model:
        conversation = model.conversation()
        conversation.say("hello")
        with pytest.raises(ModelAccessError, match="407"):
            await model.request(conversation)
