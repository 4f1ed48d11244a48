"""Finds the provider of a model, and opens a client for it with its key and address."""

import inspect
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx2

from codegym_mcp.errors import MissingExtraError, ModelAccessError, NotFoundError
from codegym_mcp.loopback_addresses import is_this_machine
from codegym_mcp.models.anthropic_messages import MessagesTransport
from codegym_mcp.models.chat_completions_client import ChatClient, ChatServer
from codegym_mcp.models.corrected_responses import CorrectedResponses
from codegym_mcp.models.google_generations import GenerationsTransport
from codegym_mcp.models.http_connections import check_proxies, open_connections
from codegym_mcp.models.model_request_options import ModelOptions
from codegym_mcp.models.provider_client import ModelClient
from codegym_mcp.models.pydantic_ai_client import ProviderClient
from codegym_mcp.models.pydantic_ai_settings import make_settings, refuse_option
from codegym_mcp.models.responses_output import ResponsesTransport

if TYPE_CHECKING:
    from pydantic_ai.models import Model
    from pydantic_ai.providers import Provider

INSTALL = "pip install 'codegym-mcp[models]'"
NO_KEY = "no-key"
"""The key for packages that refuse to work without one."""
_CHAT = frozenset({"openai", "openai-chat"})
_RESPONSES = "openai-responses"
_MESSAGES, _MESSAGES_URL = "anthropic", "https://api.anthropic.com"
_GOOGLE = "google"
_CORRECTED: dict[str, type[CorrectedResponses]] = {
    _MESSAGES: MessagesTransport,
    _GOOGLE: GenerationsTransport,
    _RESPONSES: ResponsesTransport,
}
"""What corrects the responses of providers whose own packages read them."""
_SERVERS = {
    "vllm": "http://127.0.0.1:8000/v1",
    "sglang": "http://127.0.0.1:30000/v1",
    "llamacpp": "http://127.0.0.1:8080/v1",
    "ollama": "http://127.0.0.1:11434/v1",
    "lmstudio": "http://127.0.0.1:1234/v1",
    "litellm": "http://127.0.0.1:4000/v1",
    "tgi": "http://127.0.0.1:8080/v1",
}
"""Model servers that speak the Chat Completions API, and their usual addresses."""
_CHAT_MODELS = frozenset(
    {"OpenAIChatModel", "OpenRouterModel", "CerebrasModel", "CrusoeModel", "OllamaModel"}
)
"""Models of pydantic-ai behind which a server speaks the Chat Completions API without additions."""


@asynccontextmanager
async def open_client(options: ModelOptions) -> AsyncIterator[ModelClient]:
    """Opens a client until the block ends. Nothing is sent yet.

    `openai:` is OpenAI's Responses API, and with a `base_url` the Chat Completions API, which every
    compatible server has. `openai-responses:` and `openai-chat:` select one of them.

    Raises:
        MissingExtraError: a required package is not installed.
        NotFoundError: the provider is unknown.
        ModelAccessError: the key or the address is missing, or the model does not have one of the options.
    """
    provider, colon, name = options.name.partition(":")
    if provider and not name and (colon or provider in {*_CHAT, *_SERVERS, _RESPONSES, _MESSAGES}):
        raise ModelAccessError(
            f"{options.name!r} names a provider, and no model.",
            hint=f"Write the model behind it: {provider}:MODEL.",
        )
    if not provider or not name:
        raise ModelAccessError(
            f"The model {options.name!r} is named without its provider.",
            hint=f"Write it as provider:model, for example openai:{options.name.strip(':')}.",
        )
    if (provider in _CHAT and options.base_url is not None) or provider in _SERVERS:
        async with ChatClient.open(name, _server(provider, options), options) as client:
            yield client
        return
    try:
        from pydantic_ai.models import create_async_httpx2_client
    except ImportError:
        raise MissingExtraError(f"The model {options.name}", INSTALL) from None
    transport = _open_transport(provider, options)
    async with create_async_httpx2_client(transport=transport) as http:
        try:
            if options.base_url is not None and provider == _RESPONSES:
                model = _open_responses(name, options, http)
            else:
                model = _open_known(provider, options, http)
        except ImportError as error:
            raise MissingExtraError(f"The provider {provider}", _install_command(str(error))) from None
        server = _chat_server(model, options)
        if server is not None:
            make_settings(options, model)
            async with ChatClient.open(name, server, options) as client:
                yield client
            return
        for option in ("tool_format", "max_tokens_field"):
            if getattr(options, option) is not None:
                raise refuse_option(options, option)
        async with model:
            yield ProviderClient(options, model, _key_note(provider, options))


def _open_transport(provider: str, options: ModelOptions) -> httpx2.AsyncBaseTransport | None:
    """Returns the transport to a provider, or None for the HTTP client's own."""
    url = options.base_url or (_MESSAGES_URL if provider == _MESSAGES else None)
    if url is None or provider == _GOOGLE:
        check_proxies()
    transport = open_connections(url) if url is not None else None
    corrected = _CORRECTED.get(provider)
    return corrected(transport) if transport is not None and corrected is not None else transport


def hide(secrets: frozenset[str], text: str) -> str:
    """Returns the text with `[key]` in place of each secret."""
    for secret in secrets - {NO_KEY}:
        # Packages quote a key that they cannot send, with escapes.
        for form in (secret, repr(secret)[1:-1], secret.strip()):
            text = text.replace(form, "[key]") if form else text
    return text


def _server(provider: str, options: ModelOptions) -> ChatServer:
    """Returns the server at the address in the options or in the server's own environment variable."""
    variable = f"{provider.upper()}_BASE_URL"
    url = options.base_url or os.environ.get(variable, "")
    if not url:
        raise ModelAccessError(
            f"The address of the server for {options.name} is missing.",
            hint=f"Name it with --base-url, for example --base-url {_SERVERS[provider]}.",
        )
    key = _given_key(options)
    if not key and options.base_url is None:
        key = os.environ.get(f"{provider.upper()}_API_KEY", "")
    return ChatServer(url=url, key=key, key_note=_key_note(provider, options), provider=provider)


def _key_note(provider: str, options: ModelOptions) -> str:
    """Returns what to say if a server refuses a request that was sent without a key; empty otherwise."""
    if options.base_url is None or options.api_key_variable is not None:
        return ""
    variable = "OPENAI_API_KEY" if provider in {*_CHAT, _RESPONSES} else f"{provider.upper()}_API_KEY"
    found = f"{variable} is set, but it" if os.environ.get(variable) else variable
    return (
        f"No key was sent: {found} is never sent to a --base-url. If this server needs a key, name the "
        f"environment variable that contains it: --api-key-env {variable}."
    )


def _chat_server(model: "Model", options: ModelOptions) -> ChatServer | None:
    """Returns the server of a model that pydantic-ai knows, if it speaks the Chat Completions API."""
    kind = type(model).__name__
    client = getattr(model, "client", None)
    key = getattr(client, "api_key", None)
    if kind not in _CHAT_MODELS or type(client).__name__ != "AsyncOpenAI" or not isinstance(key, str):
        return None
    if options.reasoning_effort is not None and kind not in ("OpenAIChatModel", "OpenRouterModel"):
        return None
    assert client is not None
    headers = {
        name: value
        for name, value in client.default_headers.items()
        if isinstance(value, str) and not name.lower().startswith(("x-stainless", "authorization"))
    }
    completion = model.profile.get("openai_chat_supports_max_completion_tokens", True)
    return ChatServer(
        url=str(client.base_url),
        key="" if key == NO_KEY else key,
        key_note=_key_note(model.system, options),
        headers=headers,
        max_tokens_field="max_completion_tokens" if completion else "max_tokens",
        provider=model.system,
        nested_effort=kind == "OpenRouterModel",
        system_role=str(model.profile.get("openai_system_prompt_role") or "system"),
    )


def _open_responses(name: str, options: ModelOptions, http: httpx2.AsyncClient) -> "Model":
    """Opens a model behind a server that speaks OpenAI's Responses API."""
    from openai import AsyncOpenAI
    from pydantic_ai.models.openai import OpenAIResponsesModel
    from pydantic_ai.profiles.openai import OpenAIModelProfile
    from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

    provider = OpenAICompatibleProvider(
        "openai-compatible",
        openai_client=AsyncOpenAI(
            base_url=options.base_url, api_key=_given_key(options) or NO_KEY, http_client=http
        ),
        # Nothing is known of the server: schemas are sent unchanged.
        profile=OpenAIModelProfile(json_schema_transformer=None),
    )
    return OpenAIResponsesModel(name, provider=provider)


def _open_known(provider_name: str, options: ModelOptions, http: httpx2.AsyncClient) -> "Model":
    """Opens a model of a provider that pydantic-ai knows."""
    from pydantic_ai.models import infer_model, known_model_names
    from pydantic_ai.providers import infer_provider_class

    try:
        kind = infer_provider_class(provider_name)
    except ValueError:
        known = {known.partition(":")[0] for known in known_model_names()} - {"test"}
        raise NotFoundError("model provider", provider_name, known | _SERVERS.keys()) from None
    provider = _open_provider(provider_name, kind, options, http)
    return infer_model(options.name, provider_factory=lambda _: provider)


def _open_provider(
    name: str, kind: "type[Provider[Any]]", options: ModelOptions, http: httpx2.AsyncClient
) -> "Provider[Any]":
    from pydantic_ai.exceptions import UserError
    from pydantic_ai.providers import infer_provider

    parameters = inspect.signature(kind.__init__).parameters
    arguments: dict[str, Any] = {}
    if options.base_url is not None:
        arguments = {"base_url": options.base_url, "api_key": NO_KEY}
    if options.api_key_variable is not None:
        arguments["api_key"] = _given_key(options)
    refused = arguments.keys() - parameters.keys()
    if refused:
        what = "a --base-url" if "base_url" in refused else "an --api-key-env"
        raise ModelAccessError(f"The provider {name} does not have {what}.", hint="Leave the option out.")
    local = options.base_url is not None and is_this_machine(urlsplit(options.base_url).hostname or "")
    if (local or name == _MESSAGES) and "http_client" in parameters:
        # The packages' own clients would use a proxy of the environment also for loopback.
        arguments["http_client"] = http
    try:
        return kind(**arguments) if arguments else infer_provider(name)
    except UserError as error:
        raise _missing_setting(name, error.message) from None


def _missing_setting(provider: str, message: str) -> ModelAccessError:
    variable = re.search(r"\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b", message)
    if variable is None:
        return ModelAccessError(f"The provider {provider} cannot be used: {message}")
    if variable[0].endswith(("_BASE_URL", "_ENDPOINT", "_HOST")):
        return ModelAccessError(
            f"The provider {provider} needs the address of its server, and {variable[0]} is not set.",
            hint=f"Name it with --base-url, or set {variable[0]}.",
        )
    return ModelAccessError(
        f"The provider {provider} needs a key, and {variable[0]} is not set.",
        hint=f"Set {variable[0]}, or name the variable that contains the key with --api-key-env.",
    )


def _given_key(options: ModelOptions) -> str:
    """Returns the key in the variable that the options name, or an empty text if they name none."""
    variable = options.api_key_variable
    if variable is None:
        return ""
    key = os.environ.get(variable, "")
    if not key:
        raise ModelAccessError(
            f"The environment variable {variable}, named by --api-key-env, is not set or empty.",
            hint=f"Set {variable} to the key.",
        )
    return key


def _install_command(message: str) -> str:
    """Returns the command in pydantic-ai's error for a provider's package that is not installed."""
    command = re.search(r"pip install [\"'][^\"']+[\"']", message)
    return command[0] if command else INSTALL
