"""Models are opened by name, with their keys and addresses, and checked."""

import re
import sys
from typing import Any

import pytest

from codegym_mcp.errors import CeilingError, CodegymError, MissingExtraError, ModelAccessError, NotFoundError
from codegym_mcp.models import Model, ModelOptions
from tests.conftest import ModelServer
from tests.models.conftest import Endpoint

LOCAL = "http://127.0.0.1:9/v1"


async def opened(**options: Any) -> Model:
    async with Model.open(ModelOptions(**options)) as model:
        return model


async def test_an_unknown_provider_is_named_with_those_that_are_close() -> None:
    with pytest.raises(NotFoundError, match=r"no model provider named 'antropic'.*Did you mean anthropic"):
        await opened(name="antropic:claude")


@pytest.mark.parametrize("name", ["gpt-5", "openai:", ":gpt-5"])
async def test_a_name_without_a_provider_is_refused(name: str) -> None:
    with pytest.raises((ModelAccessError, NotFoundError), match="provider"):
        await opened(name=name)


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("openai:gpt-5", "OPENAI_API_KEY"),
        ("openai-chat:gpt-5", "OPENAI_API_KEY"),
        ("anthropic:claude-sonnet-4-5", "ANTHROPIC_API_KEY"),
        ("google:gemini-2.5-pro", "GOOGLE_API_KEY"),
        ("deepseek:deepseek-chat", "DEEPSEEK_API_KEY"),
    ],
)
async def test_a_missing_key_is_reported_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, variable: str
) -> None:
    for unset in (variable, "GEMINI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(unset, raising=False)
    with pytest.raises(ModelAccessError, match=f"{variable} is not set.*--api-key-env"):
        await opened(name=name)


async def test_the_variable_named_for_the_key_must_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MY_KEY", raising=False)
    with pytest.raises(ModelAccessError, match="MY_KEY, named by --api-key-env, is not set"):
        await opened(name="openai:x", base_url=LOCAL, api_key_variable="MY_KEY")


@pytest.mark.parametrize("name", ["openai:x", "anthropic:x"])
async def test_without_the_extra_the_error_names_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setitem(sys.modules, "pydantic_ai.models", None)
    with pytest.raises(MissingExtraError) as caught:
        await opened(name=name)
    assert str(caught.value).endswith("Run: pip install 'codegym-mcp[models]'")


async def test_without_a_providers_package_the_error_names_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "pydantic_ai.providers.groq", raising=False)
    monkeypatch.setitem(sys.modules, "groq", None)
    with pytest.raises(MissingExtraError, match=r'pip install "pydantic-ai-slim\[groq\]"'):
        await opened(name="groq:llama")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"name": "anthropic:x", "base_url": LOCAL, "seed": 1}, "not have the option seed"),
        ({"name": "anthropic:x", "base_url": LOCAL, "logprobs": True}, "not have the option logprobs"),
        ({"name": "anthropic:x", "base_url": LOCAL, "token_ids": True}, "not have the option token ids"),
        (
            {"name": "openai-responses:x", "base_url": LOCAL, "token_ids": True},
            "not have the option token ids",
        ),
    ],
)
async def test_options_that_a_model_would_silently_ignore_are_refused(
    options: dict[str, Any], words: str
) -> None:
    with pytest.raises(ModelAccessError, match=words):
        await opened(**options)


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("openai:gpt-6-luna", "OPENAI_API_KEY"),
        ("openai-chat:gpt-6-luna", "OPENAI_API_KEY"),
        ("anthropic:claude-sonnet-5-5", "ANTHROPIC_API_KEY"),
        ("google:gemini-3.8-flash", "GOOGLE_API_KEY"),
        ("deepseek:deepseek-chat", "DEEPSEEK_API_KEY"),
    ],
)
async def test_models_of_many_providers_need_only_a_key(
    monkeypatch: pytest.MonkeyPatch, name: str, variable: str
) -> None:
    monkeypatch.setenv(variable, "sk-test")
    model = await opened(name=name, temperature=0.5, top_p=0.5, max_tokens=9, tool_choice="required")
    assert model.options.name == name


async def test_reasoning_effort_is_refused_by_a_model_without_reasoning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    with pytest.raises(ModelAccessError, match="not have the option reasoning effort"):
        await opened(name="openai-chat:gpt-4o", reasoning_effort="low")


async def test_a_limit_of_cost_needs_a_known_price(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    await opened(name="openai:gpt-4o", max_cost=1)
    with pytest.raises(CeilingError, match=r"price of this model is not known.*--max-total-tokens"):
        await opened(name="openai:mine", base_url=LOCAL, max_cost=1)


async def test_the_check_reports_a_server_that_cannot_be_reached(unused_port: int) -> None:
    options = ModelOptions(name="openai:x", base_url=f"http://127.0.0.1:{unused_port}/v1")
    async with Model.open(options) as model:
        with pytest.raises(ModelAccessError, match=f"cannot be reached at http://127.0.0.1:{unused_port}/v1"):
            await model.check()


async def test_the_check_reports_a_model_that_does_not_exist(endpoint: Endpoint) -> None:
    provider, url = endpoint.provider, endpoint.url
    async with Model.open(ModelOptions(name=f"{provider}:nowhere", base_url=url)) as model:
        with pytest.raises(ModelAccessError, match=f"does not know {provider}:nowhere"):
            await model.check()
    async with Model.open(ModelOptions(name=f"{provider}:climber", base_url=url)) as model:
        await model.check()


async def test_the_check_reports_a_refused_key_without_repeating_it(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider, url = endpoint.provider, endpoint.url
    monkeypatch.setenv("SOME_KEY", "sk-bad-key")
    options = ModelOptions(name=f"{provider}:climber", base_url=url, api_key_variable="SOME_KEY")
    async with Model.open(options) as model:
        with pytest.raises(ModelAccessError, match="Check the key") as caught:
            await model.check()
    assert "sk-bad-key" not in str(caught.value)


async def test_a_providers_own_key_is_never_sent_to_another_server(
    openai_server: ModelServer, anthropic_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "VLLM_API_KEY"):
        monkeypatch.setenv(name, "sk-private")
    for provider, server, path in (
        ("openai", openai_server, "/v1"),
        ("openai-chat", openai_server, "/v1"),
        ("vllm", openai_server, "/v1"),
        ("anthropic", anthropic_server, ""),
    ):
        model_name = server.script({"say": {"text": "hello"}})
        options = ModelOptions(name=f"{provider}:{model_name}", base_url=server.url + path)
        async with Model.open(options) as model:
            conversation = model.conversation()
            conversation.say("hello")
            await model.request(conversation)
        (request,) = server.requests(model_name)
        assert "sk-private" not in str(request)


async def test_the_key_of_the_named_variable_is_sent(
    openai_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINE", "sk-mine")
    name = openai_server.script({"say": {"text": "hello"}})
    options = ModelOptions(name=f"openai:{name}", base_url=f"{openai_server.url}/v1", api_key_variable="MINE")
    async with Model.open(options) as model:
        conversation = model.conversation()
        conversation.say("hello")
        await model.request(conversation)
    assert openai_server.requests(name)[0]["headers"]["authorization"] == "Bearer sk-mine"


@pytest.mark.parametrize("name", ["openai:gpt-5", "google:gemini-2.5-pro", "mistral:mistral-large-latest"])
@pytest.mark.parametrize(
    ("proxy", "words"),
    [("socks5://127.0.0.1:9", "pip install 'httpx2[socks]'"), ("socks4://127.0.0.1:9", "'socks4'")],
)
async def test_a_proxy_that_a_providers_package_could_not_use_is_named(
    name: str, proxy: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("all_proxy", proxy)
    # As if the package for SOCKS were not installed, which it may be.
    monkeypatch.setattr("codegym_mcp.models.http_connections.find_spec", lambda _: None)
    monkeypatch.setenv("A_KEY", "key")
    with pytest.raises(CodegymError, match=re.escape(words)):
        await opened(name=name, api_key_variable="A_KEY")
