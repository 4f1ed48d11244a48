"""Requests are sent to the model once."""

import anyio
import pytest

from codegym_mcp.models import Model, ModelOptions
from codegym_mcp.synthesis import prompt_rendering
from codegym_mcp.synthesis.cached_model import CachedModel
from codegym_mcp.synthesis.synthesis_store import SynthesisStore


@pytest.fixture
def store(tmp_path):
    with SynthesisStore.open(tmp_path / "answers.sqlite") as opened:
        yield opened


def options(server, name, **more):
    return ModelOptions(name=f"openai:{name}", base_url=f"{server.url}/v1", attempts=1, **more)


async def test_concurrent_equal_requests_are_sent_once(openai_server, store) -> None:
    name = openai_server.script({"say": {"text": "first"}}, {"say": {"text": "second"}})
    async with Model.open(options(openai_server, name)) as model:
        cached = CachedModel(model, store)
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(cached.request, ("hello",), 0)
        assert (await cached.request(("hello",), 0)).text == "first"
        assert cached.stored_text(("hello",), 0) == "first"
        assert (await cached.request(("hello",), 1)).text == "second"
    assert len(openai_server.requests(name)) == 2


async def test_a_dialogue_is_sent_with_its_roles(openai_server, store) -> None:
    name = openai_server.script({"say": {"text": "again"}})
    async with Model.open(options(openai_server, name, seed=7)) as model:
        answer = await CachedModel(model, store).request(("write", "written", "mend it"), 3)
    (body,) = openai_server.bodies(name)
    assert [(message["role"], message["content"]) for message in body["messages"]] == [
        ("system", prompt_rendering.render_system()),
        ("user", "write"),
        ("assistant", "written"),
        ("user", "mend it"),
    ]
    assert body["seed"] == 10
    assert (answer.text, answer.costs.requests, answer.costs.tokens) == ("again", 1, 110)


async def test_other_models_and_sampling_options_have_other_keys(openai_server, store) -> None:
    name = openai_server.script({"say": {"text": "hot"}})
    keys = set()
    for more in ({}, {"temperature": 0.5}, {"max_tokens": 9}, {"seed": 1}):
        async with Model.open(options(openai_server, name, **more)) as model:
            keys.add(CachedModel(model, store).key(("hello",), 0))
    async with Model.open(options(openai_server, name, concurrency=3, request_seconds=5)) as model:
        keys.add(CachedModel(model, store).key(("hello",), 0))
    assert len(keys) == 4
