"""What an error says of a wrong address, another API, a proxy, a certificate or a key."""

import asyncio
import gzip
import json
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from codegym_mcp.errors import ModelAccessError, ModelError
from codegym_mcp.models import Model, ModelOptions, ModelReply
from codegym_mcp.models.connection_hints import diagnose_connection, diagnose_redirect
from tests.models.conftest import Clock, Endpoint

HELLO = {"say": {"text": "hello"}}


EXHAUSTED = {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "quota per minute exceeded"}}


async def request(model: Model) -> ModelReply:
    conversation = model.conversation()
    conversation.say("hello")
    return await model.request(conversation)


FOREIGN: dict[str, tuple[Any, str]] = {
    "a page without a head": ("<div>Welcome</div>", "web page.*--base-url is the address before"),
    "a text": ("Ollama is running", "a text that is no reply.*--base-url is the address before"),
    "other JSON": ({"hello": "world"}, "JSON with no choices.*--base-url is the address before"),
    "a list": ([], "not a JSON object"),
    "an MCP server": ({"jsonrpc": "2.0", "id": None, "error": {"code": -32600}}, "JSON-RPC.*--mcp-url"),
    "Ollama": ({"model": "m", "message": {"content": "hi"}, "done": True}, "Ollama's own API.*ends in /v1"),
    "Ollama, streamed": ('{"message": {}, "done": false}\n{"done": true}\n', "Ollama's own API"),
    "Responses": ({"object": "response", "output": []}, "openai-responses:"),
    "Messages": ({"type": "message", "content": [{"type": "text", "text": "hi"}]}, "anthropic:"),
    "Google": ({"candidates": []}, "google:"),
    "Completions": ({"object": "text_completion", "choices": [{"text": "hi"}]}, "older Completions API"),
}


def respond(body: Any, content_type: str = "text/html", status: int = 200) -> dict[str, Any]:
    if isinstance(body, str):
        return {"status": status, "text": body, "headers": {"content-type": content_type}}
    return {"status": status, "body": body}


@pytest.mark.parametrize(("body", "words"), FOREIGN.values(), ids=FOREIGN.keys())
async def test_another_api_is_recognized_and_given_up(
    openai: Endpoint, clock: Clock, body: Any, words: str
) -> None:
    content_type = "text/html" if str(body).startswith("<") else "text/plain"
    async with openai.model(respond(body, content_type), retries=clock.retries()) as model:
        with pytest.raises(ModelAccessError, match=words):
            await request(model)
    assert len(openai.bodies(model)) == 3


@pytest.mark.parametrize("text", ['{"choices": [{"mess', "[", 'data: {"choi', ": ping\n\n"])
async def test_a_reply_that_is_cut_off_is_a_failure_of_the_provider(
    openai: Endpoint, clock: Clock, text: str
) -> None:
    async with openai.model(respond(text, "text/plain"), retries=clock.retries(), attempts=5) as model:
        with pytest.raises(ModelError, match=r"failed 5 times.*not JSON"):
            await request(model)


async def test_foreign_replies_of_simultaneous_requests_are_not_added_up(
    openai: Endpoint, clock: Clock
) -> None:
    page = respond("<html></html>")
    async with openai.model(page, page, page, page, HELLO, retries=clock.retries()) as model:
        replies = await asyncio.gather(*(request(model) for _ in range(4)))
    assert {reply.text for reply in replies} == {"hello"}


ACCESS = [
    (402, "Insufficient Balance", r"Insufficient Balance\. Check the key, its permissions and the account"),
    (403, "<html><title>Blocked</title></html>", "proxy or a firewall.*No key was sent"),
    (407, "<html><title>Proxy Authentication Required</title></html>", "user and a password"),
    (401, "", "No key was sent"),
]


@pytest.mark.parametrize(("status", "text", "words"), ACCESS, ids=[str(case[0]) for case in ACCESS])
async def test_a_refusal_has_the_hint_for_its_cause(
    endpoint: Endpoint, clock: Clock, status: int, text: str, words: str
) -> None:
    async with endpoint.model(respond(text, "text/plain", status), retries=clock.retries()) as model:
        with pytest.raises(ModelAccessError, match=words) as caught:
            await request(model)
    assert ("No key was sent" in str(caught.value)) is ("No key" in words)


@pytest.mark.parametrize("status", [405, 406, 410, 421])
async def test_an_address_that_takes_no_such_requests_is_given_up_at_once(
    openai: Endpoint, clock: Clock, status: int
) -> None:
    async with openai.model(respond({"error": {"message": "no"}}, status=status)) as model:
        with pytest.raises(ModelAccessError, match="--base-url is the address before"):
            await request(model)
    assert len(openai.bodies(model)) == 1


async def test_a_redirect_of_another_api_is_given_up_at_once(anthropic: Endpoint, clock: Clock) -> None:
    redirect = {"status": 301, "text": "", "headers": {"location": "https://elsewhere.test/"}}
    async with anthropic.model(redirect, retries=clock.retries()) as model:
        with pytest.raises(ModelAccessError, match=r"status 301.*server's own address"):
            await request(model)
    assert clock.waits == []


URL = "http://models.test/v1/chat/completions"


@pytest.mark.parametrize(
    ("target", "hint"),
    [
        ("https://models.test/v1/chat/completions", "Try --base-url https://models.test/v1."),
        ("/api/v1/chat/completions/", "Try --base-url http://models.test/api/v1."),
        ("/v1/chat/completions/", "Give the server's own address"),
        ("/login?next=/v1/chat/completions", "Give the server's own address"),
        ("", "Give the server's own address"),
    ],
)
def test_a_redirect_names_the_address_to_try(target: str, hint: str) -> None:
    assert diagnose_redirect(308, target, URL).hint.startswith(hint)


@pytest.mark.parametrize(
    ("text", "proxy", "words"),
    [
        ("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate", "", "SSL_CERT_FILE"),
        ("[SSL: WRONG_VERSION_NUMBER] wrong version number", "", "Write http://"),
        ("[SSL: RECORD_LAYER_FAILURE] record layer failure", "", "Write http://"),
        ("All connection attempts failed", "", "Is it running"),
        ("All connection attempts failed", "http://proxy:3128", "NO_PROXY"),
        ("407 Proxy Authentication Required", "http://proxy:3128", "user and a password"),
    ],
)
def test_a_connection_that_fails_has_the_hint_for_its_cause(text: str, proxy: str, words: str) -> None:
    diagnosis = diagnose_connection(text, "https://models.test", proxy)
    assert words in diagnosis.hint
    assert proxy in diagnosis.text


@asynccontextmanager
async def raw_server(answer: bytes):
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(answer)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


def plain(url: str) -> AbstractAsyncContextManager[Model]:
    return Model.open(ModelOptions(name="openai:m", base_url=f"{url}/v1"))


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
async def test_a_server_of_another_protocol_is_reported_by_the_check(provider: str) -> None:
    settings_frame = b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0d\0\x04\0\x10\0\0\0\x06\0\0 \0"
    async with raw_server(settings_frame) as address:
        options = ModelOptions(name=f"{provider}:m", base_url=f"http://{address}/v1")
        async with Model.open(options) as model:
            with pytest.raises(ModelAccessError, match=r"does not speak HTTP/1\.1.*gRPC"):
                await model.check()


async def test_a_server_without_tls_is_reported_by_the_check() -> None:
    async with (
        raw_server(b"HTTP/1.1 400 Bad Request\r\n\r\n") as address,
        plain(f"https://{address}") as model,
    ):
        with pytest.raises(ModelAccessError, match="Write http:// in --base-url"):
            await model.check()


BODY = {"choices": [{"message": {"role": "assistant", "content": "Zo\u00eb"}, "finish_reason": "stop"}]}
TEXT = json.dumps(BODY, ensure_ascii=False)
ENCODED = {
    "utf-8 with a mark": (TEXT.encode("utf-8-sig"), "content-type: application/json"),
    "utf-16": (TEXT.encode("utf-16"), "content-type: application/json"),
    "utf-16 without a mark": (TEXT.encode("utf-16-le"), "content-type: application/json"),
    "latin-1": (TEXT.encode("latin-1"), "content-type: application/json; charset=iso-8859-1"),
    "gzip": (gzip.compress(TEXT.encode()), "content-encoding: gzip"),
    "an event without a space and an end": (
        f"\ufeff: ping\r\n\r\nevent: x\r\ndata:{TEXT}\r\n\r\n".encode(),
        "content-type: text/event-stream",
    ),
}


@pytest.mark.parametrize(("content", "header"), ENCODED.values(), ids=ENCODED.keys())
async def test_a_reply_in_another_encoding_is_read(content: bytes, header: str) -> None:
    head = f"HTTP/1.1 200 OK\r\n{header}\r\ncontent-length: {len(content)}\r\nconnection: close\r\n\r\n"
    async with raw_server(head.encode() + content) as address, plain(f"http://{address}") as model:
        assert (await request(model)).text == "Zo\u00eb"


async def test_a_wait_that_is_too_long_is_in_the_error(openai: Endpoint, clock: Clock) -> None:
    slow = {"status": 429, "body": {"error": {"message": "slow"}}, "headers": {"retry-after": "7200"}}
    async with openai.model(slow, retries=clock.retries()) as model:
        with pytest.raises(ModelError, match="asks to wait 7200 seconds"):
            await request(model)


@pytest.mark.parametrize("body", [{"hello": 1}, {}, {"candidates": []}, {"candidates": None}])
async def test_a_google_response_without_a_reply_is_the_providers_failure(
    body: dict[str, Any], monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    monkeypatch.setenv("A_KEY", "key")
    content = json.dumps(body).encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(content)}\r\n\r\n"
    async with raw_server(head.encode() + content) as address:
        options = ModelOptions(
            name="google:m", base_url=f"http://{address}", api_key_variable="A_KEY", attempts=2
        )
        async with Model.open(options, retries=clock.retries()) as model:
            with pytest.raises(ModelError, match="failed 2 times") as caught:
                await request(model)
    assert caught.value.fault == "provider"


@pytest.mark.parametrize("body", [EXHAUSTED, [EXHAUSTED]], ids=["object", "list"])
async def test_an_error_in_a_successful_response_of_googles_api_keeps_its_words(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, body: Any
) -> None:
    content = json.dumps(body).encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(content)}\r\n\r\n"
    monkeypatch.setenv("A_KEY", "key")
    async with raw_server(head.encode() + content) as address:
        options = ModelOptions(
            name="google:m", base_url=f"http://{address}", api_key_variable="A_KEY", attempts=2
        )
        async with Model.open(options, retries=clock.retries()) as model:
            with pytest.raises(ModelError, match=r"failed 2 times.*quota per minute exceeded") as caught:
                await request(model)
    assert caught.value.fault == "provider"


@pytest.mark.parametrize("body", [[], "text", 1, None, {"status": "queued"}])
async def test_a_messages_response_without_a_message_is_the_providers_failure(
    anthropic: Endpoint, clock: Clock, body: Any
) -> None:
    for status in (200, 202):
        async with anthropic.model(
            {"status": status, "body": body}, retries=clock.retries(), attempts=2
        ) as model:
            with pytest.raises(
                ModelError, match=r"the response (?:contains no message|is not a JSON object)"
            ):
                await request(model)
