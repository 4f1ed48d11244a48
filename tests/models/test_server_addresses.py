"""Addresses and keys: what the check finds out, and what an error says."""

import asyncio
from typing import Any

import pytest
from pydantic import ValidationError

from codegym_mcp.errors import CodegymError, MissingExtraError, ModelAccessError
from codegym_mcp.models import Model, ModelOptions, http_connections
from codegym_mcp.models.error_diagnosis import names_missing_model
from codegym_mcp.models.providers import hide
from tests.conftest import ModelServer
from tests.models.conftest import Clock, Endpoint

HELLO = {"say": {"text": "hello"}}
PAGE = "<!DOCTYPE html>\n<html><body>Welcome</body></html>"


async def request(model: Model) -> str:
    conversation = model.conversation()
    conversation.say("hello")
    return (await model.request(conversation)).text


UNDECIDED: list[dict[str, Any]] = [
    {"status": 404, "body": {"detail": "Not Found"}},
    {
        "status": 404,
        "body": {"error": {"code": 404, "message": "File Not Found", "type": "not_found_error"}},
    },
    {"status": 404, "text": "404 page not found"},
    {"status": 404, "text": "Cannot GET /v1/models/NAME"},
    {"status": 404, "body": {"error": {"message": "Invalid URL (GET /v1/models/NAME)", "code": None}}},
    {"status": 404, "body": {"message": "Route /v1/models/NAME not found"}},
    {"status": 404, "body": {"error": "file not found: local-model"}},
    {"status": 404, "body": {"message": "no route matches GET http://127.0.0.1/v1/models/my.model"}},
    {"status": 404, "body": {"message": "The path '/v1/models/NAME' does not exist"}},
    {"status": 404},
    {"fault": "cut"},
    {"status": 404, "body": {"error": {"message": "No endpoints found that support tool use."}}},
    {"status": 405, "body": {"detail": "Method Not Allowed"}},
    {"status": 501, "body": {"detail": "not implemented"}},
    {"status": 500, "body": {"error": {"message": "boom"}}},
    {"status": 403, "body": {"error": {"message": "not with this key"}}},
    {"status": 401, "body": {"error": {"message": "Missing scopes: api.model.read"}}},
    {"status": 429, "body": {"error": {"message": "slow down"}}},
    {"status": 200, "text": PAGE},
    {"status": 200, "body": {"error": "Unexpected endpoint or method. (GET /v1/models/NAME)"}},
    {"status": 200, "text": ""},
]


@pytest.mark.parametrize("action", UNDECIDED, ids=str)
async def test_a_server_that_cannot_say_whether_the_model_exists_passes_the_check(
    endpoint: Endpoint, action: dict[str, Any]
) -> None:
    async with endpoint.model(HELLO) as model:
        name = model.options.name.partition(":")[2]
        if "text" in action:
            action = {**action, "text": action["text"].replace("NAME", name)}
        endpoint.server.set_check(name, action)
        await model.check()
        assert await request(model) == "hello"


async def test_a_server_that_hangs_up_at_an_unknown_path_passes_the_check(unused_port: int) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if head.startswith(b"POST"):
            body = b'{"choices": [{"message": {"content": "hello"}}]}'
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", unused_port):
        options = ModelOptions(name="openai:small", base_url=f"http://127.0.0.1:{unused_port}/v1")
        async with Model.open(options) as model:
            await model.check()
            assert await request(model) == "hello"


MISSING: list[dict[str, Any]] = [
    {"status": 404, "body": {"error": {"code": "model_not_found", "message": "no"}}},
    {"status": 404, "body": {"error": {"message": "The model `NAME` does not exist.", "code": 404}}},
    {"status": 404, "body": {"object": "error", "message": "The model `NAME` does not exist."}},
    {"status": 404, "body": {"error": {"message": "model 'NAME' not found", "type": "api_error"}}},
]


@pytest.mark.parametrize("action", MISSING, ids=str)
async def test_a_server_that_says_that_the_model_does_not_exist_fails_the_check(
    openai: Endpoint, action: dict[str, Any]
) -> None:
    async with openai.model(HELLO) as model:
        name = model.options.name.partition(":")[2]
        message = str(action["body"].get("error", action["body"])["message"]).replace("NAME", name)
        body = {"error": {**action["body"].get("error", {}), "message": message}}
        openai.server.set_check(name, {"status": 404, "body": body})
        with pytest.raises(ModelAccessError, match="does not know"):
            await model.check()


async def test_an_address_of_a_web_page_is_given_up_with_a_hint(
    openai_server: ModelServer, clock: Clock
) -> None:
    name = openai_server.script({"status": 200, "text": PAGE, "headers": {"content-type": "text/html"}})
    options = ModelOptions(name=f"openai:{name}", base_url=f"{openai_server.url}/v1")
    async with Model.open(options, retries=clock.retries()) as model:
        with pytest.raises(
            ModelAccessError, match=r"answers with a web page.*--base-url is the address before"
        ):
            await request(model)
    assert len(openai_server.bodies(name)) == 3


async def test_a_web_page_after_a_reply_is_a_failure_of_the_provider(openai: Endpoint, clock: Clock) -> None:
    page = {"status": 200, "text": PAGE}
    async with openai.model(HELLO, page, page, page, page, HELLO, retries=clock.retries()) as model:
        await request(model)
        assert await request(model) == "hello"


async def test_an_address_without_the_api_is_given_up_at_once_with_a_hint(
    openai_server: ModelServer, clock: Clock
) -> None:
    options = ModelOptions(name="openai:climber", base_url=openai_server.url)
    async with Model.open(options, retries=clock.retries()) as model:
        await model.check()
        with pytest.raises(ModelAccessError, match=rf"status 404.*Try {openai_server.url}/v1"):
            await request(model)
    assert clock.waits == []


async def test_a_redirect_is_reported_and_not_followed(openai: Endpoint) -> None:
    redirect = {
        "status": 308,
        "text": "",
        "headers": {"location": "https://elsewhere.test/v1/chat/completions"},
    }
    async with openai.model(redirect) as model:
        with pytest.raises(ModelAccessError, match=r"redirects to https://elsewhere\.test"):
            await request(model)
    assert len(openai.bodies(model)) == 1


@pytest.mark.parametrize("set_key", [True, False])
async def test_a_refusal_without_a_key_says_that_none_was_sent(
    openai: Endpoint, monkeypatch: pytest.MonkeyPatch, set_key: bool
) -> None:
    if set_key:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-private")
    else:
        monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    refused = {"status": 401, "body": {"error": {"message": "no key"}}}
    async with openai.model(refused) as model:
        with pytest.raises(
            ModelAccessError, match=r"No key was sent.*--api-key-env OPENAI_API_KEY"
        ) as caught:
            await request(model)
    assert "Check the key" not in str(caught.value)
    assert "sk-private" not in str(openai.server.requests(model.options.name.partition(":")[2]))


async def test_a_refusal_by_another_api_says_that_no_key_was_sent(
    anthropic: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-private")
    refused = {
        "status": 401,
        "body": {"type": "error", "error": {"type": "authentication_error", "message": "no"}},
    }
    async with anthropic.model(refused) as model:
        with pytest.raises(ModelAccessError, match=r"No key was sent.*--api-key-env ANTHROPIC_API_KEY"):
            await request(model)


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_loopback_is_never_reached_through_a_proxy(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, unused_port: int, variable: str, host: str
) -> None:
    name = endpoint.server.script(HELLO)
    for no_proxy in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(no_proxy, raising=False)
    monkeypatch.setenv(variable, f"http://127.0.0.1:{unused_port}")
    url = endpoint.url.replace("127.0.0.1", host)
    async with Model.open(ModelOptions(name=f"{endpoint.provider}:{name}", base_url=url)) as model:
        await model.check()
        assert await request(model) == "hello"


@pytest.mark.parametrize("provider", ["ollama", "vllm", "lmstudio", "sglang", "llamacpp", "litellm"])
async def test_a_model_server_needs_an_address(monkeypatch: pytest.MonkeyPatch, provider: str) -> None:
    monkeypatch.delenv(f"{provider.upper()}_BASE_URL", raising=False)
    with pytest.raises(
        ModelAccessError, match=r"address of the server.*--base-url http://127\.0\.0\.1:\d+/v1"
    ):
        async with Model.open(ModelOptions(name=f"{provider}:qwen3")):
            pass


async def test_a_model_server_is_found_by_its_environment_variable(
    openai_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VLLM_BASE_URL", f"{openai_server.url}/v1")
    monkeypatch.setenv("VLLM_API_KEY", "sk-vllm")
    name = openai_server.script(HELLO)
    async with Model.open(ModelOptions(name=f"vllm:{name}")) as model:
        assert await request(model) == "hello"
    (received,) = openai_server.requests(name)
    assert received["headers"]["authorization"] == "Bearer sk-vllm"


@pytest.mark.parametrize("end", ["/", "//", "/chat/completions", "/chat/completions/", " "])
async def test_an_address_may_be_written_in_other_ways(openai_server: ModelServer, end: str) -> None:
    name = openai_server.script(HELLO)
    async with Model.open(
        ModelOptions(name=f"openai:{name}", base_url=f"{openai_server.url}/v1{end}")
    ) as model:
        await model.check()
        assert await request(model) == "hello"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:99999/v1",
        "http://127.0.0.1:0/v1",
        "http://127.0.0.1/v1?x=1",
        "http://127.0.0.1/v1#x",
        "http://[::1/v1",
    ],
)
def test_an_address_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        ModelOptions(name="openai:m", base_url=url)


async def test_blanks_around_a_key_are_not_part_of_it(
    openai_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINE", " sk-mine\n")
    name = openai_server.script(HELLO)
    url = f"{openai_server.url}/v1"
    async with Model.open(
        ModelOptions(name=f"openai:{name}", base_url=url, api_key_variable="MINE")
    ) as model:
        assert await request(model) == "hello"
    assert openai_server.requests(name)[0]["headers"]["authorization"] == "Bearer sk-mine"


@pytest.mark.parametrize("key", ["sk-mine\nsk-yours", "sk-mine\r\nx: y", "sk\u2013mine", "sk-mine\x7f"])
async def test_a_key_that_no_header_can_hold_is_refused_without_being_shown(
    monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("MINE", key)
    options = ModelOptions(name="openai:m", base_url="http://127.0.0.1:9/v1", api_key_variable="MINE")
    with pytest.raises(ModelAccessError, match="a key is one line") as caught:
        async with Model.open(options):
            pass
    assert "mine" not in str(caught.value)


@pytest.mark.parametrize("key", ["sk-mine\n", "sk-mine\r\nx: y"])
def test_a_key_is_hidden_also_where_it_is_quoted(key: str) -> None:
    assert "mine" not in hide(frozenset({key}), f"Illegal header value {f'Bearer {key}'.encode()!r}")


@pytest.mark.parametrize(
    ("proxy", "error", "words"),
    [
        ("socks5://127.0.0.1:9", MissingExtraError, r"httpx2\[socks\]"),
        ("socks5h://127.0.0.1:9", MissingExtraError, r"httpx2\[socks\]"),
        ("gopher://127.0.0.1:9", ModelAccessError, "'gopher'"),
        ("://x", ModelAccessError, "cannot be used"),
    ],
)
async def test_a_proxy_that_cannot_be_used_is_named(
    monkeypatch: pytest.MonkeyPatch, proxy: str, error: type[CodegymError], words: str
) -> None:
    monkeypatch.setattr(http_connections, "find_spec", lambda _: None)
    monkeypatch.setenv("http_proxy", proxy)
    with pytest.raises(error, match=words):
        async with Model.open(ModelOptions(name="openai:m", base_url="http://models.invalid/v1")):
            pass


@pytest.mark.parametrize(
    ("message", "missing"),
    [
        ("models/qwen is not found for API version v1main, or is not supported for generateContent", True),
        ("No endpoints found for qwen.", True),
        ("model 'qwen' not found", True),
        ("Not found: /v1/models/qwen", False),
        ("Not found: v1/models/qwen", False),
        ("Not found: openai/v1/models/qwen", False),
        ("http://127.0.0.1:8080/v1/models/qwen not found", False),
    ],
)
def test_a_model_is_missing_where_more_than_a_path_names_it(message: str, missing: bool) -> None:
    assert names_missing_model(message, "qwen", frozenset()) is missing
