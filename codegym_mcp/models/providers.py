"""Finds the provider of a model, and opens it with the key and the address that it needs."""

import inspect
import os
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from codegym_mcp.errors import MissingExtraError, ModelAccessError, NotFoundError
from codegym_mcp.models.http_connections import connections_to
from codegym_mcp.models.model_options import ModelOptions

if TYPE_CHECKING:
    from httpx2 import AsyncClient
    from pydantic_ai.models import Model
    from pydantic_ai.providers import Provider

INSTALL = "pip install 'codegym-mcp[models]'"
NO_KEY = "no-key"
"""What is sent as the key to a server that has not been given one."""
_CHAT = frozenset({"openai", "openai-chat"})
_RESPONSES = "openai-responses"


@asynccontextmanager
async def open_model(options: ModelOptions) -> "AsyncIterator[Model]":
    """The model of pydantic-ai until the block is left; nothing has been sent yet.

    `openai:` is OpenAI's Responses API, and with a `base_url` the Chat Completions API, which every
    compatible server has; `openai-responses:` and `openai-chat:` say which one is meant.

    Raises:
        MissingExtraError: what it needs is not installed.
        NotFoundError: there is no such provider.
        ModelAccessError: the key is missing, or the provider does not take an address or a key.
    """
    try:
        from pydantic_ai.models import create_async_httpx2_client
    except ImportError:
        raise MissingExtraError(f"The model {options.name}", INSTALL) from None
    provider, colon, name = options.name.partition(":")
    if not colon or not name:
        raise ModelAccessError(
            f"The model {options.name!r} is named without its provider.",
            hint=f"Write it as provider:model, for example openai:{options.name.strip(':')}.",
        )
    transport = connections_to(options.base_url) if options.base_url is not None else None
    async with create_async_httpx2_client(transport=transport) as http:
        try:
            if options.base_url is not None and provider in {*_CHAT, _RESPONSES}:
                model = _compatible(name, options, http, responses=provider == _RESPONSES)
            else:
                model = _known(provider, options)
        except ImportError as error:
            raise MissingExtraError(f"The provider {provider}", _install_command(str(error))) from None
        async with model:
            yield model


def secrets_of(model: "Model") -> frozenset[str]:
    """What the model's client proves itself with; kept out of everything that is written."""
    client = getattr(model, "client", None)
    secrets = (getattr(client, name, None) for name in ("api_key", "auth_token"))
    return frozenset(secret for secret in secrets if isinstance(secret, str) and secret) - {NO_KEY}


def hide(secrets: Iterable[str], text: str) -> str:
    """The text without any of the secrets."""
    for secret in secrets:
        text = text.replace(secret, "[key]")
    return text


def _compatible(name: str, options: ModelOptions, http: "AsyncClient", *, responses: bool) -> "Model":
    """A model behind any server of OpenAI's shape."""
    from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
    from pydantic_ai.profiles.openai import OpenAIModelProfile
    from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

    from codegym_mcp.models.openai_client import PlainAsyncOpenAI

    provider = OpenAICompatibleProvider(
        "openai-compatible",
        openai_client=PlainAsyncOpenAI(
            base_url=options.base_url, api_key=_given_key(options) or NO_KEY, http_client=http
        ),
        # Nothing is known of the server: it gets the schemas as they are, and `max_tokens`, which all know.
        profile=OpenAIModelProfile(
            json_schema_transformer=None, openai_chat_supports_max_completion_tokens=False
        ),
    )
    return (OpenAIResponsesModel if responses else OpenAIChatModel)(name, provider=provider)


def _known(provider_name: str, options: ModelOptions) -> "Model":
    """A model of a provider that pydantic-ai knows."""
    from pydantic_ai.models import infer_model, known_model_names
    from pydantic_ai.providers import infer_provider_class

    try:
        kind = infer_provider_class(provider_name)
    except ValueError:
        known = {known.partition(":")[0] for known in known_model_names()} - {"test"}
        raise NotFoundError("model provider", provider_name, known) from None
    provider = _open_provider(provider_name, kind, options)
    return infer_model(options.name, provider_factory=lambda _: provider)


def _open_provider(name: str, kind: "type[Provider[Any]]", options: ModelOptions) -> "Provider[Any]":
    from pydantic_ai.exceptions import UserError
    from pydantic_ai.providers import infer_provider

    arguments: dict[str, str] = {}
    if options.base_url is not None:
        arguments = {"base_url": options.base_url, "api_key": NO_KEY}
    if options.api_key_variable is not None:
        arguments["api_key"] = _given_key(options)
    refused = arguments.keys() - inspect.signature(kind.__init__).parameters.keys()
    if refused:
        what = "an address of its own" if "base_url" in refused else "a key"
        raise ModelAccessError(f"The provider {name} does not take {what}.")
    try:
        return kind(**arguments) if arguments else infer_provider(name)
    except UserError as error:
        variable = re.search(r"\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b", error.message)
        if variable is None:
            raise ModelAccessError(f"The provider {name} cannot be used: {error.message}") from None
        raise ModelAccessError(
            f"The provider {name} needs a key, and {variable[0]} is not set.",
            hint=f"Set {variable[0]}, or name the variable that holds the key with --api-key-env.",
        ) from None


def _given_key(options: ModelOptions) -> str:
    variable = options.api_key_variable
    if variable is None:
        return ""
    key = os.environ.get(variable, "")
    if not key:
        raise ModelAccessError(
            f"The variable {variable}, which should hold the key, is not set.", hint=f"Set {variable}."
        )
    return key


def _install_command(message: str) -> str:
    """The command that pydantic-ai tells when a provider's own package is missing."""
    command = re.search(r"pip install [\"'][^\"']+[\"']", message)
    return command[0] if command else INSTALL
