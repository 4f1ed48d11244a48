"""Limits on simultaneous requests, on tokens and on cost."""

from contextlib import contextmanager

import anyio
import pytest

from codegym_mcp.errors import CeilingError
from codegym_mcp.models import Model, ModelConversation, ModelOptions, ModelReply
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


async def test_the_number_of_requests_at_the_same_time_is_limited(openai: Endpoint) -> None:
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


async def test_waits_are_outside_the_attempt_context(openai: Endpoint, clock: Clock) -> None:
    during = []

    @contextmanager
    def attempt():
        during.append(len(clock.waits))
        yield

    slow = {"status": 429, "headers": {"Retry-After": "7"}}
    async with openai.model(slow, HELLO, retries=clock.retries()) as model:
        await model.request(talk(model), attempt=attempt)
    assert during == [0, 1]


async def test_the_number_of_tokens_is_limited(openai: Endpoint) -> None:
    async with openai.model({"say": {"text": "x", "usage": [40, 10, 0]}}, max_total_tokens=100) as model:
        await ask(model)
        await ask(model)
        with pytest.raises(
            CeilingError, match=r"used 100 tokens; the limit is 100.*--max-total-tokens"
        ) as caught:
            await ask(model)
    assert (caught.value.ceiling, caught.value.value) == ("tokens", 100)
    assert len(openai.bodies(model)) == 2


async def test_earlier_usage_counts(openai: Endpoint) -> None:
    async with openai.model(HELLO, max_total_tokens=100) as model:
        model.spending.count(100, 0.0)
        with pytest.raises(CeilingError):
            await ask(model)


async def test_a_limit_that_cannot_be_enforced_is_an_error(openai: Endpoint) -> None:
    async with openai.model({"say": {"text": "x", "usage": None}}, max_total_tokens=100) as model:
        with pytest.raises(CeilingError, match="does not report its token usage"):
            await ask(model)


async def test_the_cost_is_limited(anthropic_server: ModelServer) -> None:
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
