"""A client for the providers that pydantic-ai knows and that do not speak the Chat Completions API."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import anyio

from codegym_mcp.episode_protocol import ToolView
from codegym_mcp.models.chat_response import is_failure
from codegym_mcp.models.connection_hints import (
    access_hint,
    diagnose_connection,
    diagnose_foreign_protocol,
    rejection_hint,
    root_cause,
)
from codegym_mcp.models.error_diagnosis import ErrorDiagnosis, ErrorMeaning, diagnose_error
from codegym_mcp.models.http_connections import proxy_address
from codegym_mcp.models.model_messages import (
    AssistantMessage,
    Message,
    SystemMessage,
    ToolResultMessage,
    UserMessage,
)
from codegym_mcp.models.model_request_options import ModelOptions
from codegym_mcp.models.prices import has_price
from codegym_mcp.models.provider_client import MAX_FOREIGN_REPLIES, ClientResponse, RequestFailedError
from codegym_mcp.models.pydantic_ai_settings import make_settings

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelMessage, ModelRequestPart
    from pydantic_ai.models import Model, ModelRequestParameters

_ERROR_MARKING = frozenset({"anthropic", "bedrock", "google", "google-cloud"})
"""Providers whose protocol marks the result of a tool as an error."""
_CHECK_SECONDS = 20.0
_UNREACHABLE = frozenset({"ConnectError", "ProxyError"})
"""Exceptions of the HTTP client that say that there is no connection to the server."""
_MODEL_FINISHES = frozenset({"MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL"})
"""Finish reasons that pydantic-ai counts as errors, and that are the model's own."""


class ProviderClient:
    """Sends requests to one model through pydantic-ai."""

    def __init__(self, options: ModelOptions, model: "Model", key_note: str = "") -> None:
        self._options = options
        self._model = model
        self._settings = make_settings(options, model)
        self._key_note = key_note
        self._has_replied = False
        self._web_pages = 0

    @property
    def secrets(self) -> frozenset[str]:
        client = getattr(self._model, "client", None)
        secrets = (getattr(client, name, None) for name in ("api_key", "auth_token"))
        return frozenset(secret for secret in secrets if isinstance(secret, str) and secret)

    @property
    def has_price(self) -> bool:
        provider = self._model.provider
        url = provider.base_url if provider is not None else None
        return has_price(self._model.model_name, self._model.system, url)

    async def check(self) -> ErrorDiagnosis | None:
        """Asks for the model, if the provider's package has a request for that; see `ModelClient.check`."""
        models = getattr(getattr(self._model, "client", None), "models", None)
        retrieve = getattr(models, "retrieve", None)
        if retrieve is None:
            return None
        try:
            with anyio.fail_after(_CHECK_SECONDS):
                await retrieve(self._model.model_name)
        except TimeoutError:
            return None
        except Exception as error:
            return self._diagnose_check(error)
        return None

    def _diagnose_check(self, error: Exception) -> ErrorDiagnosis | None:
        status = getattr(error, "status_code", None)
        if status is None:
            # A server may close connections that ask for a path that it does not have.
            if type(error.__cause__).__name__ not in _UNREACHABLE:
                return diagnose_foreign_protocol(root_cause(error), self._options.base_url or "its address")
            url = self._options.base_url or ""
            return diagnose_connection(root_cause(error), url or "its address", proxy_address(url))
        body = getattr(error, "body", None)
        diagnosis = self._with_hint(
            diagnose_error(
                status=status,
                body=str(error) if body is None else body,
                model=self._model.model_name,
                has_replied=self._has_replied,
            )
        )
        # A key may be valid for the model and not for this request.
        refused = status == 401 and "scope" not in diagnosis.text
        return diagnosis if refused or diagnosis.meaning is ErrorMeaning.UNKNOWN_MODEL else None

    async def request(
        self, messages: Sequence[Message], tools: Sequence[ToolView], seed: int | None
    ) -> ClientResponse:
        """Requests the next reply; see `ModelClient.request`."""
        from codegym_mcp.models.provider_reply import read_reply

        settings = self._settings if seed is None else {**self._settings, "seed": seed}
        try:
            response = await self._model.request(
                self._map_messages(messages), cast(Any, settings), _map_tools(tools)
            )
        except Exception as error:
            raise RequestFailedError(self._diagnose(error)) from error
        finish = (response.provider_details or {}).get("finish_reason")
        if response.state != "complete":
            raise RequestFailedError(ErrorDiagnosis(ErrorMeaning.TRANSIENT, "the reply is not complete"))
        if is_failure(finish) or (response.finish_reason == "error" and finish not in _MODEL_FINISHES):
            text = f"the reply ended with the finish reason {finish or 'error'!r}"
            raise RequestFailedError(ErrorDiagnosis(ErrorMeaning.TRANSIENT, text))
        if not response.parts and response.finish_reason is None and finish is None:
            raise RequestFailedError(ErrorDiagnosis(ErrorMeaning.TRANSIENT, "the response contains no reply"))
        self._has_replied = True
        response, reply = read_reply(response)
        return ClientResponse(reply, AssistantMessage(reply.text, response))

    def _map_messages(self, messages: Sequence[Message]) -> "list[ModelMessage]":
        from pydantic_ai.messages import ModelRequest, ModelResponse, TextPart

        mapped: list[ModelMessage] = []
        parts: list[ModelRequestPart] = []
        for message in messages:
            if isinstance(message, AssistantMessage):
                mapped.append(ModelRequest(parts))
                parts = []
                original = message.original
                mapped.append(
                    original
                    if isinstance(original, ModelResponse)
                    else ModelResponse([TextPart(message.text)])
                )
            else:
                parts.append(self._map_part(message))
        return [*mapped, ModelRequest(parts)] if parts else mapped

    def _map_part(self, message: SystemMessage | UserMessage | ToolResultMessage) -> "ModelRequestPart":
        from pydantic_ai.messages import SystemPromptPart, ToolReturnPart, UserPromptPart

        match message:
            case SystemMessage():
                return SystemPromptPart(message.text)
            case UserMessage():
                return UserPromptPart(message.text)
        marked = message.is_error and self._model.system in _ERROR_MARKING
        return ToolReturnPart(
            message.call.name,
            message.text,
            tool_call_id=message.call.id,
            outcome="failed" if marked else "success",
        )

    def _diagnose(self, error: Exception) -> ErrorDiagnosis:
        from codegym_mcp.models.pydantic_ai_exceptions import diagnose_exception, is_web_page

        if is_web_page(error) and not self._has_replied:
            self._web_pages += 1
            if self._web_pages >= MAX_FOREIGN_REPLIES:
                address = self._options.base_url or "the provider's address"
                text = f"{address} answers with a web page"
                return ErrorDiagnosis(ErrorMeaning.WRONG_ADDRESS, text, hint="Check --base-url.")
        return self._with_hint(
            diagnose_exception(error, model=self._model.model_name, has_replied=self._has_replied)
        )

    def _with_hint(self, diagnosis: ErrorDiagnosis) -> ErrorDiagnosis:
        if diagnosis.meaning is ErrorMeaning.NO_ACCESS:
            return replace(diagnosis, hint=access_hint(diagnosis, self._key_note))
        if diagnosis.meaning is ErrorMeaning.REJECTED:
            return replace(diagnosis, hint=rejection_hint(diagnosis))
        return diagnosis


def _map_tools(tools: Sequence[ToolView]) -> "ModelRequestParameters":
    from pydantic_ai.models import ModelRequestParameters
    from pydantic_ai.tools import ToolDefinition

    # Never strict: a provider would force calls to fit their schemas, which other providers cannot.
    return ModelRequestParameters(
        function_tools=[
            ToolDefinition(
                name=tool.name,
                description=tool.description,
                parameters_json_schema=tool.input_schema,
                strict=False,
            )
            for tool in tools
        ]
    )
