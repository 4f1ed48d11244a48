"""A language model that can be asked."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import anyio

from codegym_mcp.episode_interface import ToolView
from codegym_mcp.errors import CodegymError, ContextOverflowError, ModelError
from codegym_mcp.models.model_check import check_model, no_access, unknown_model
from codegym_mcp.models.model_messages import FailedRequest, ModelConversation, ModelReply
from codegym_mcp.models.model_options import ModelOptions
from codegym_mcp.models.provider_settings import make_settings
from codegym_mcp.models.providers import hide, open_model, secrets_of
from codegym_mcp.models.retries import Pace, Retries
from codegym_mcp.models.spending_limits import Spending, price_unknown

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelMessage, ModelResponse
    from pydantic_ai.models import Model as AiModel
    from pydantic_ai.models import ModelRequestParameters

    from codegym_mcp.models.provider_errors import ProviderErrorDiagnosis

_MARK_ERRORS = frozenset({"anthropic", "bedrock", "google", "google-cloud"})
"""Providers whose protocol has a place to say that a tool's result is an error."""

_SHOWN = 400
"""Characters of a provider's error that are kept."""

Attempt = Callable[[], AbstractContextManager[object]]


class _AttemptFailedError(Exception):
    """An attempt came to nothing, and took so many seconds."""

    def __init__(self, diagnosis: "ProviderErrorDiagnosis", seconds: float) -> None:
        self.diagnosis = diagnosis
        self.seconds = seconds


class Model:
    """A language model. Use `Model.open`; any number of conversations may ask it at the same time.

    What the provider fails at is tried again, and only that: no model is asked twice for the same reply.

    Attributes:
        options: how it was opened.
        spending: what all its replies have used.
    """

    def __init__(self, options: ModelOptions, model: "AiModel", retries: Retries) -> None:
        self.options = options
        self.spending = Spending(options)
        self._model = model
        self._settings = make_settings(options, model)
        self._secrets = secrets_of(model)
        self._retries = retries
        self._pace = Pace(retries)
        self._places = anyio.Semaphore(options.concurrency) if options.concurrency else nullcontext()
        self._answered = False

    @classmethod
    @asynccontextmanager
    async def open(cls, options: ModelOptions, *, retries: Retries | None = None) -> AsyncIterator["Model"]:
        """A model until the block is left; nothing is sent yet.

        Raises:
            MissingExtraError: what it needs is not installed.
            NotFoundError: there is no such provider.
            ModelAccessError: the key is missing, or the model does not take one of the options.
            CeilingError: its cost is to be bounded, and its price is not known.
        """
        async with open_model(options) as model:
            opened = cls(options, model, retries or Retries())
            opened._check_price()
            yield opened

    async def check(self) -> None:
        """Asks the provider whether it knows the model, where asking is free; says nothing where it is not.

        Raises:
            ModelAccessError: the provider cannot be reached, refuses the key, or knows no such model.
        """
        await check_model(self._model, self.options, self._secrets)

    def conversation(self, system: str = "") -> ModelConversation:
        """A new conversation.

        Args:
            system: the system prompt; none if empty.
        """
        return ModelConversation(system, marks_errors=self._model.system in _MARK_ERRORS)

    async def request(
        self,
        conversation: ModelConversation,
        tools: Sequence[ToolView] = (),
        *,
        seed: int | None = None,
        attempt: Attempt = nullcontext,
    ) -> ModelReply:
        """Asks for the next reply, which becomes part of the conversation.

        Args:
            tools: what the model may call.
            seed: for sampling, instead of the one in the options.
            attempt: entered while an attempt is under way; whatever else the request takes is waiting, for a
                free place or for the provider.

        Raises:
            ModelError: the provider failed as often as it may; `ContextOverflowError` where the conversation
                is too long.
            ModelAccessError: no request can succeed.
            CeilingError: the tokens or the money are used up.
        """
        from codegym_mcp.models.reply_parsing import declined, read_reply

        failures: list[FailedRequest] = []
        messages = conversation.to_send()
        parameters = _parameters(tools)
        settings = self._settings if seed is None else {**self._settings, "seed": seed}
        while True:
            try:
                response, seconds = await self._attempt(messages, settings, parameters, attempt)
                break
            except _AttemptFailedError as failed:
                if failed.diagnosis.meaning == "refusal":
                    return declined(self.options.name, failed.diagnosis.text, failures)
                await self._wait(failed, failures)
        self._answered = True
        response, reply = read_reply(response, seconds, failures)
        conversation.heard(response)
        self.spending.add(reply.usage)
        return reply

    async def _attempt(
        self,
        messages: "list[ModelMessage]",
        settings: dict[str, Any],
        parameters: "ModelRequestParameters",
        attempt: Attempt,
    ) -> "tuple[ModelResponse, float]":
        """Makes the request once, in its turn; returns the response and the seconds it took."""
        async with self._places:
            await self._pace.keep()
            self.spending.check()
            start = anyio.current_time()
            try:
                with attempt():
                    with anyio.fail_after(self.options.request_seconds):
                        response = await self._model.request(messages, cast(Any, settings), parameters)
                    self._check_complete(response)
                    return response, anyio.current_time() - start
            except Exception as error:
                raise _AttemptFailedError(self._diagnose(error), anyio.current_time() - start) from error

    async def _wait(self, failed: _AttemptFailedError, failures: list[FailedRequest]) -> None:
        """Notes an attempt that failed, and waits until the next may be made.

        Raises:
            RunHaltedError, ModelError: there is none.
        """
        diagnosis = failed.diagnosis
        if diagnosis.meaning != "passing":
            raise self._final(diagnosis)
        attempts = len(failures) + 1
        lost = failed.seconds + sum(failure.seconds + failure.waited for failure in failures)
        wait = self._retries.wait(attempts, diagnosis.retry_after, lost)
        if attempts >= self.options.attempts or wait is None:
            times = "once" if attempts == 1 else f"{attempts} times"
            raise ModelError(
                self.options.name,
                f"{self.options.name} failed {times}, the last time with: {diagnosis.text}",
                fault="provider",
                status=diagnosis.status,
            )
        failures.append(FailedRequest(diagnosis.text, diagnosis.status, failed.seconds, wait))
        if diagnosis.retry_after is not None:
            self._pace.hold(diagnosis.retry_after)
        await self._retries.sleep(wait)

    def _check_price(self) -> None:
        from codegym_mcp.models.prices import has_price

        if self.options.max_cost is not None and not has_price(self._model):
            raise price_unknown(self.options.max_cost)

    def _check_complete(self, response: "ModelResponse") -> None:
        from pydantic_ai.exceptions import ModelAPIError

        if response.state != "complete":
            raise ModelAPIError(self.options.name, "The answer broke off.")

    def _diagnose(self, error: Exception) -> "ProviderErrorDiagnosis":
        from codegym_mcp.models.provider_errors import ProviderErrorDiagnosis, diagnose

        if isinstance(error, TimeoutError):
            return ProviderErrorDiagnosis("passing", f"no answer in {self.options.request_seconds:g} seconds")
        diagnosis = diagnose(error, answered=self._answered)
        text = hide(self._secrets, diagnosis.text)
        return replace(diagnosis, text=text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")

    def _final(self, diagnosis: "ProviderErrorDiagnosis") -> CodegymError:
        name, text = self.options.name, diagnosis.text
        match diagnosis.meaning:
            case "no_access":
                return no_access(name, text)
            case "unknown_model":
                return unknown_model(name, text)
            case "overflow":
                message = f"The conversation is too long for {name}: {text}"
                return ContextOverflowError(name, message, fault="request", status=diagnosis.status)
            case "failed":
                return ModelError(name, f"{name} failed: {text}", fault="provider", status=diagnosis.status)
        return ModelError(
            name, f"{name} refuses the request: {text}", fault="request", status=diagnosis.status
        )


def _parameters(tools: Sequence[ToolView]) -> "ModelRequestParameters":
    from pydantic_ai.models import ModelRequestParameters
    from pydantic_ai.tools import ToolDefinition

    # Never strict, as some providers would have it: that a call fits its schema is for the model to see to.
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
