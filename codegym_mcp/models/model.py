"""A language model: its requests, their repetition, and the limits on them."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import replace

import anyio
from opentelemetry.trace import SpanKind

from codegym_mcp.episode_protocol import ToolView
from codegym_mcp.errors import CodegymError, ContextOverflowError, ModelAccessError, ModelError
from codegym_mcp.models.error_diagnosis import ErrorDiagnosis, ErrorMeaning
from codegym_mcp.models.model_messages import (
    FailedRequest,
    FinishReason,
    Message,
    ModelConversation,
    ModelReply,
    RequestRetried,
    TokenUsage,
)
from codegym_mcp.models.model_request_options import ModelOptions
from codegym_mcp.models.provider_client import ClientResponse, ModelClient, RequestFailedError
from codegym_mcp.models.providers import hide, open_client
from codegym_mcp.models.retries import RequestPause, Retries
from codegym_mcp.models.spending_limits import Spending, unknown_price_error
from codegym_mcp.models.tool_names import resolve_tool_names
from codegym_mcp.opentelemetry_tracer import tracer

_MAX_ERROR_TEXT = 400
"""Maximum length of a provider's error in characters."""

AttemptContext = Callable[[], AbstractContextManager[object]]
RetryListener = Callable[[RequestRetried], object]


class _AttemptFailedError(Exception):
    """An attempt failed after some seconds."""

    def __init__(self, diagnosis: ErrorDiagnosis, seconds: float) -> None:
        self.diagnosis = diagnosis
        self.seconds = seconds


class Model:
    """A language model. Use `Model.open`. Any number of conversations may use it at the same time.

    A request is repeated only if the provider failed: a model is never asked twice for the same reply.

    Attributes:
        options: the options it was opened with.
        spending: the tokens and the cost of all replies.
        on_retry: called when a request failed and before it is made again, or None.
    """

    def __init__(self, options: ModelOptions, client: ModelClient, retries: Retries) -> None:
        self.options = options
        self.spending = Spending(options)
        self.on_retry: RetryListener | None = None
        self._client = client
        self._retries = retries
        self._pause = RequestPause(retries)
        self._longest_accepted = 0
        self._slots = anyio.Semaphore(options.concurrency) if options.concurrency else nullcontext()

    @classmethod
    @asynccontextmanager
    async def open(cls, options: ModelOptions, *, retries: Retries | None = None) -> AsyncIterator["Model"]:
        """Opens a model until the block ends. Nothing is sent yet.

        Raises:
            MissingExtraError: a required package is not installed.
            NotFoundError: the provider is unknown.
            ModelAccessError: the key is missing, or the model does not have one of the options.
            CeilingError: the cost is limited, and the price is unknown.
        """
        async with open_client(options) as client:
            if options.max_cost is not None and not client.has_price:
                raise unknown_price_error(options.max_cost)
            yield cls(options, client, retries or Retries())

    async def check(self) -> None:
        """Asks the provider whether the model exists, if the provider has a request for that.

        Returns without an error if the provider's answer does not decide it.

        Raises:
            ModelAccessError: the provider cannot be reached, refuses the key, or has no such model.
        """
        diagnosis = await self._client.check()
        if diagnosis is not None:
            raise self._final_error(self._clean(diagnosis))

    def conversation(self, system: str = "") -> ModelConversation:
        """Starts a conversation.

        Args:
            system: the system prompt; an empty text for none.
        """
        return ModelConversation(system)

    async def request(
        self,
        conversation: ModelConversation,
        tools: Sequence[ToolView] = (),
        *,
        seed: int | None = None,
        attempt: AttemptContext = nullcontext,
    ) -> ModelReply:
        """Requests the next reply, and adds it to the conversation.

        Args:
            tools: the tools that the model may call.
            seed: seed for sampling, in place of the one in the options.
            attempt: a context that is entered while an attempt is under way, and left while the request waits
                for a free slot or for the provider.

        Raises:
            ModelError: the provider failed in every attempt; `ContextOverflowError` if the conversation is
                too long.
            ModelAccessError: no request can succeed.
            CeilingError: the tokens or the cost have reached their limit.
        """
        attributes = {"gen_ai.operation.name": "chat", "gen_ai.request.model": self.options.name}
        with tracer.start_as_current_span(
            f"chat {self.options.name}", attributes=attributes, kind=SpanKind.CLIENT
        ) as span:
            reply = await self._request(conversation, tools, seed, attempt)
            span.set_attributes(
                {
                    "gen_ai.usage.input_tokens": reply.usage.prompt_tokens,
                    "gen_ai.usage.output_tokens": reply.usage.completion_tokens,
                }
            )
        return reply

    async def _request(
        self,
        conversation: ModelConversation,
        tools: Sequence[ToolView],
        seed: int | None,
        attempt: AttemptContext,
    ) -> ModelReply:
        failures: list[FailedRequest] = []
        while True:
            try:
                response, seconds = await self._attempt(conversation.messages, tools, seed, attempt)
                break
            except _AttemptFailedError as failed:
                if failed.diagnosis.meaning is ErrorMeaning.REFUSAL:
                    return _refused_reply(self.options.name, failed.diagnosis.text, failures)
                if failed.diagnosis.meaning is ErrorMeaning.REJECTED:
                    failed.diagnosis = self._note_growth(failed.diagnosis, conversation)
                await self._wait(failed, failures)
        self._longest_accepted = max(self._longest_accepted, conversation.length)
        reply = replace(response.reply, seconds=seconds, failures=failures)
        reply = resolve_tool_names(reply, tools)
        conversation.messages.append(response.message)
        self.spending.add(reply.usage)
        return reply

    async def _attempt(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolView],
        seed: int | None,
        attempt: AttemptContext,
    ) -> tuple[ClientResponse, float]:
        """Makes the request once, when a slot is free; returns the response and the seconds it took."""
        async with self._slots:
            await self._pause.wait()
            self.spending.check()
            start = anyio.current_time()
            try:
                with attempt(), anyio.fail_after(self.options.request_seconds):
                    response = await self._client.request(messages, tools, seed)
            except TimeoutError:
                text = f"no answer in {self.options.request_seconds:g} seconds"
                diagnosis = ErrorDiagnosis(ErrorMeaning.TRANSIENT, text)
            except RequestFailedError as error:
                diagnosis = self._clean(error.diagnosis)
            else:
                return response, anyio.current_time() - start
            raise _AttemptFailedError(diagnosis, anyio.current_time() - start)

    async def _wait(self, failed: _AttemptFailedError, failures: list[FailedRequest]) -> None:
        """Records a failed attempt, and waits until the next one may be made.

        Raises:
            RunHaltedError, ModelError: there must not be another attempt.
        """
        diagnosis = failed.diagnosis
        if diagnosis.meaning is not ErrorMeaning.TRANSIENT:
            raise self._final_error(diagnosis)
        attempts = len(failures) + 1
        lost = failed.seconds + sum(failure.seconds + failure.waited for failure in failures)
        wait = self._retries.wait(attempts, diagnosis.retry_after, lost)
        if attempts >= self.options.attempts or wait is None:
            times = "once" if attempts == 1 else f"{attempts} times"
            asked = ""
            if wait is None and diagnosis.retry_after is not None:
                asked = f" (It asks to wait {diagnosis.retry_after:.0f} seconds, which is too long.)"
            raise ModelError(
                self.options.name,
                f"{self.options.name} failed {times}, the last time with: {diagnosis.text}{asked}",
                fault="provider",
                status=diagnosis.status,
            )
        failures.append(FailedRequest(diagnosis.text, diagnosis.status, failed.seconds, wait))
        if diagnosis.retry_after is not None:
            self._pause.extend(diagnosis.retry_after)
        if self.on_retry is not None:
            self.on_retry(RequestRetried(diagnosis.text, diagnosis.status, attempts, wait))
        await self._retries.sleep(wait)

    def _note_growth(self, diagnosis: ErrorDiagnosis, conversation: ModelConversation) -> ErrorDiagnosis:
        """Adds to an unexplained rejection that shorter conversations were accepted."""
        if not 0 < self._longest_accepted < conversation.length:
            return diagnosis
        note = (
            f"{diagnosis.text} (The conversation had {conversation.length} characters; the longest one "
            f"accepted before had {self._longest_accepted}. It may be too long for the model.)"
        )
        return replace(diagnosis, text=note)

    def _clean(self, diagnosis: ErrorDiagnosis) -> ErrorDiagnosis:
        """Returns the diagnosis with a shortened text without secrets."""
        text = hide(self._client.secrets, diagnosis.text)
        return replace(diagnosis, text=text if len(text) <= _MAX_ERROR_TEXT else f"{text[:_MAX_ERROR_TEXT]}…")

    def _final_error(self, diagnosis: ErrorDiagnosis) -> CodegymError:
        """Builds the error for a request that must not be repeated."""
        name, text, hint = self.options.name, _sentence(diagnosis.text), diagnosis.hint
        match diagnosis.meaning:
            case ErrorMeaning.NO_ACCESS:
                return ModelAccessError(
                    f"The provider refuses access to {name}: {text}",
                    hint=hint or "Check the key, its permissions and the account.",
                )
            case ErrorMeaning.UNKNOWN_MODEL:
                return ModelAccessError(
                    f"The provider does not know {name}: {text}",
                    hint=hint or "Check the model's name, and the address if you gave one.",
                )
            case ErrorMeaning.WRONG_ADDRESS:
                return ModelAccessError(f"The model {name} is not available: {text}", hint=hint)
            case ErrorMeaning.OVERFLOW:
                return ContextOverflowError(
                    name,
                    f"The conversation is too long for {name}: {text}",
                    fault="request",
                    status=diagnosis.status,
                )
            case ErrorMeaning.PERMANENT:
                return ModelError(name, f"{name} failed: {text}", fault="provider", status=diagnosis.status)
        return ModelError(
            name,
            f"{name} refuses the request: {text}",
            fault="request",
            status=diagnosis.status,
            hint=hint,
        )


def _sentence(text: str) -> str:
    """Returns a text with an end, so that a hint can follow it."""
    return text if text.endswith((".", "!", "?", "\u2026", ".)")) else f"{text}."


def _refused_reply(model: str, refusal: str, failures: Sequence[FailedRequest]) -> ModelReply:
    """Builds the reply for a conversation that the provider's filter refused."""
    return ModelReply(
        text="",
        calls=(),
        finish=FinishReason.CONTENT_FILTER,
        usage=TokenUsage(prompt_tokens=0, completion_tokens=0, cost=0.0),
        model=model,
        refusal=refusal,
        failures=failures,
    )
