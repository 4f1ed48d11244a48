"""The member that limits the tokens of a reply: max_tokens or max_completion_tokens, as the server needs it."""

from typing import Any

import pytest

from codegym_mcp.errors import ModelError
from codegym_mcp.models import Model, ModelOptions, ModelReply
from codegym_mcp.models.chat_completions_client import ChatClient, ChatServer
from tests.models.conftest import Clock, Endpoint

HELLO = {"say": {"text": "hello"}}
UNSUPPORTED = {
    "status": 400,
    "body": {
        "error": {
            "message": "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
            "'max_completion_tokens' instead.",
            "code": "unsupported_parameter",
        }
    },
}


async def request(model: Model) -> ModelReply:
    conversation = model.conversation()
    conversation.say("hello")
    return await model.request(conversation)


def limits(body: dict[str, Any]) -> dict[str, Any]:
    return {name: body[name] for name in ("max_tokens", "max_completion_tokens") if name in body}


async def test_a_server_that_wants_the_other_member_receives_it(openai: Endpoint) -> None:
    async with openai.model(UNSUPPORTED, HELLO, HELLO, max_tokens=9) as model:
        reply = await request(model)
        await request(model)
    assert [limits(body) for body in openai.bodies(model)] == [
        {"max_tokens": 9},
        {"max_completion_tokens": 9},
        {"max_completion_tokens": 9},
    ]
    assert len(reply.changes) == 1
    assert "max_completion_tokens" in reply.changes[0]


OTHER_WORDINGS = {
    "OpenAI, in param": (400, {"error": {"message": "Unsupported parameter.", "param": "max_tokens"}}),
    "Mistral": (
        422,
        {
            "detail": [
                {
                    "type": "extra_forbidden",
                    "loc": ["body", "max_tokens"],
                    "msg": "Extra inputs are not permitted",
                }
            ]
        },
    ),
    "vLLM": (
        400,
        {
            "object": "error",
            "message": "[{'type': 'extra_forbidden', 'loc': ('body', 'max_tokens'), 'msg': 'Extra inputs are not "
            "permitted', 'input': 9}]",
            "type": "BadRequestError",
            "param": None,
            "code": 400,
        },
    ),
    "Groq": (
        400,
        {"error": {"message": "property 'max_tokens' is unsupported", "type": "invalid_request_error"}},
    ),
    "Cohere": (422, {"message": "unknown field: parameter 'max_tokens' is not a valid field"}),
    "Gemini": (
        400,
        [
            {
                "error": {
                    "code": 400,
                    "message": 'Invalid JSON payload received. Unknown name "max_tokens": Cannot find field.',
                }
            }
        ],
    ),
    "Azure": (400, {"error": {"message": "Unrecognized request argument supplied: max_tokens"}}),
    "a wrapper": (500, {"detail": "create() got an unexpected keyword argument 'max_tokens'"}),
    "a text": (400, "max_tokens is deprecated"),
}


@pytest.mark.parametrize(("status", "body"), OTHER_WORDINGS.values(), ids=OTHER_WORDINGS)
async def test_the_member_is_changed_whatever_the_wording(openai: Endpoint, status: int, body: Any) -> None:
    refused = {"status": status, **({"text": body} if isinstance(body, str) else {"body": body})}
    async with openai.model(refused, HELLO, max_tokens=9) as model:
        reply = await request(model)
    assert [limits(body) for body in openai.bodies(model)] == [
        {"max_tokens": 9},
        {"max_completion_tokens": 9},
    ]
    assert len(reply.changes) == 1


@pytest.mark.parametrize("status", [400, 422])
async def test_a_limit_that_the_server_refuses_in_both_members_is_an_error_with_a_hint(
    openai: Endpoint, status: int
) -> None:
    refused = {"status": status, "body": {"error": {"message": "max_tokens must be less than 4096"}}}
    async with openai.model(refused, max_tokens=9000) as model:
        with pytest.raises(ModelError, match="another --max-tokens, or the member that contains it"):
            await request(model)


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
async def test_the_member_can_be_chosen(openai: Endpoint, field: Any) -> None:
    async with openai.model(HELLO, max_tokens=9, max_tokens_field=field) as model:
        await request(model)
    assert limits(openai.bodies(model)[0]) == {field: 9}


async def test_a_chosen_member_that_the_server_refuses_is_an_error_with_a_hint(openai: Endpoint) -> None:
    async with openai.model(UNSUPPORTED, max_tokens=9, max_tokens_field="max_tokens") as model:
        with pytest.raises(ModelError, match="--max-tokens-field"):
            await request(model)
    assert len(openai.bodies(model)) == 1


async def test_without_a_limit_neither_member_is_sent(openai: Endpoint) -> None:
    async with openai.model(HELLO) as model:
        await request(model)
    assert limits(openai.bodies(model)[0]) == {}


async def test_a_limit_that_is_too_high_is_not_an_overflow(openai: Endpoint, clock: Clock) -> None:
    refused = {
        "status": 400,
        "body": {"error": {"message": "max_tokens is too large: 9000. This model supports at most 4096"}},
    }
    async with openai.model(refused, max_tokens=9000, retries=clock.retries()) as model:
        with pytest.raises(ModelError, match="max_tokens is too large") as caught:
            await request(model)
    assert caught.value.fault == "request"


async def test_openai_itself_receives_max_completion_tokens(openai: Endpoint) -> None:
    name = openai.server.script(HELLO)
    server = ChatServer(url=openai.url, key="sk", max_tokens_field="max_completion_tokens")
    options = ModelOptions(name=f"openai-chat:{name}", max_tokens=9)
    async with ChatClient.open(name, server, options) as client:
        await client.request([], [], None)
    assert limits(openai.server.bodies(name)[0]) == {"max_completion_tokens": 9}
