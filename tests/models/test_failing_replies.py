"""Providers that fail although the HTTP status says success: never a reply, always tried again."""

import json
from typing import Any

import pytest

from codegym_mcp.errors import ModelError
from codegym_mcp.models import Model, ModelReply
from tests.models.conftest import Clock, Endpoint

HELLO = {"say": {"text": "hello"}}


async def request(model: Model) -> ModelReply:
    conversation = model.conversation()
    conversation.say("hello")
    return await model.request(conversation)


def choice(**members: Any) -> dict[str, Any]:
    return {"message": {"role": "assistant", "content": "partial"}, **members}


EXHAUSTED: dict[str, Any] = {
    "error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "quota per minute exceeded"}
}

FAILURES: list[tuple[dict[str, Any], str]] = [
    ({"choices": [choice(finish_reason="error")]}, "finish reason 'error'"),
    ({"choices": [choice(finish_reason="network_error")]}, "finish reason 'network_error'"),
    (
        {"choices": [choice(finish_reason="insufficient_system_resource")]},
        "finish reason 'insufficient_system_resource'",
    ),
    ({"choices": [choice(finish_reason="abort")]}, "finish reason 'abort'"),
    ({"error": {"message": "upstream is down", "code": 502}}, "upstream is down"),
    ({"error": "upstream is down"}, "upstream is down"),
    ({"error": {"message": "upstream is down"}, "choices": None}, "upstream is down"),
    (
        {"error": {"message": "upstream is down"}, "choices": [choice(finish_reason="stop")]},
        "upstream is down",
    ),
    (
        {"choices": [choice(finish_reason="error", error={"message": "the GPU was lost", "code": 500})]},
        "the GPU was lost",
    ),
    (EXHAUSTED, "quota per minute"),
    ([EXHAUSTED], "quota per minute"),  # type: ignore[list-item]
    ({"choices": []}, "no choices"),
    ({"choices": None}, "no choices"),
    ({"choices": [None]}, "no choices"),
    ({"choices": [{"finish_reason": "stop"}]}, "no message"),
    ({"choices": [{"finish_reason": "stop", "message": None}]}, "no message"),
    ({"object": "error", "message": "worker died", "code": 50001}, "worker died"),
    ({"detail": "worker died"}, "worker died"),
    ({}, "no choices"),
    ([], "not a JSON object"),  # type: ignore[list-item]
]


@pytest.mark.parametrize(("body", "words"), FAILURES, ids=[str(body)[:70] for body, _ in FAILURES])
async def test_a_failure_in_a_successful_response_is_tried_again_in_the_providers_words(
    openai: Endpoint, clock: Clock, body: dict[str, Any], words: str
) -> None:
    failure = {"status": 200, "body": body}
    async with openai.model(failure, HELLO, retries=clock.retries()) as model:
        reply = await request(model)
    assert reply.text == "hello"
    (failed,) = reply.failures
    assert words in failed.error


async def test_a_failure_in_every_response_is_the_providers_fault(openai: Endpoint, clock: Clock) -> None:
    failure = {"status": 200, "body": {"error": {"message": "upstream is down"}}}
    async with openai.model(failure, attempts=3, retries=clock.retries()) as model:
        with pytest.raises(ModelError, match=r"failed 3 times.*upstream is down") as caught:
            await request(model)
    assert caught.value.fault == "provider"


@pytest.mark.parametrize("body", [EXHAUSTED, [EXHAUSTED]], ids=["object", "list"])
async def test_every_response_may_be_an_error_of_google_and_the_address_is_right(
    openai: Endpoint, clock: Clock, body: Any
) -> None:
    async with openai.model({"status": 200, "body": body}, attempts=4, retries=clock.retries()) as model:
        with pytest.raises(ModelError, match=r"failed 4 times.*quota per minute exceeded") as caught:
            await request(model)
    assert caught.value.fault == "provider"


@pytest.mark.parametrize("end", [f"data: {json.dumps([EXHAUSTED])}", json.dumps(EXHAUSTED)])
async def test_an_error_in_a_stream_keeps_its_words(openai: Endpoint, clock: Clock, end: str) -> None:
    begun = {"choices": [{"index": 0, "delta": {"role": "assistant", "content": "par"}}]}
    stream = f"data: {json.dumps(begun)}\n\n{end}\n\n"
    failure = {"status": 200, "headers": {"content-type": "text/event-stream"}, "text": stream}
    async with openai.model(failure, HELLO, retries=clock.retries()) as model:
        reply = await request(model)
    assert reply.text == "hello"
    (failed,) = reply.failures
    assert "quota per minute exceeded" in failed.error


@pytest.mark.parametrize("member", [{"error": None}, {"error": {}}, {"error": ""}])
async def test_an_empty_error_is_no_error(openai: Endpoint, member: dict[str, Any]) -> None:
    body = {"choices": [choice(finish_reason="stop")], **member}
    async with openai.model({"status": 200, "body": body}) as model:
        assert (await request(model)).text == "partial"


@pytest.mark.parametrize("finish", [None, ""])
async def test_a_missing_finish_reason_stays_missing(openai: Endpoint, finish: str | None) -> None:
    body = {"choices": [choice(finish_reason=finish)]}
    async with openai.model({"status": 200, "body": body}) as model:
        reply = await request(model)
    assert (reply.finish, reply.finish_raw, list(reply.failures)) == (None, None, [])


MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [{"type": "text", "text": "partial"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 1, "output_tokens": 1},
}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, "Overloaded"),
        ({"error": {"message": "upstream is down"}}, "upstream is down"),
        ({**MESSAGE, "error": {"type": "api_error", "message": "upstream is down"}}, "upstream is down"),
        ({}, "no message"),
    ],
    ids=str,
)
async def test_a_failure_in_a_successful_response_of_another_api_is_tried_again(
    anthropic: Endpoint, clock: Clock, body: dict[str, Any], words: str
) -> None:
    async with anthropic.model({"status": 200, "body": body}, HELLO, retries=clock.retries()) as model:
        reply = await request(model)
    assert reply.text == "hello"
    (failed,) = reply.failures
    assert words in failed.error
    assert failed.status is None
