"""What a model is sent and what it replies, independent of the provider."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic_core import to_json


class FinishReason(StrEnum):
    """Why a model stopped."""

    STOP = "stop"
    LENGTH = "length"
    CONTENT_FILTER = "content_filter"
    TOOL_CALL = "tool_call"
    ERROR = "error"


@dataclass(frozen=True)
class ModelToolCall:
    """A tool call in a model's reply.

    Attributes:
        id: identifies the call within the conversation.
        name: the tool; it need not exist.
        raw: the arguments as the model wrote them.
        arguments: the arguments as data, or None if they are not a JSON object.
        problem: why `arguments` is None; empty otherwise.
        sent: the arguments that later requests contain in place of `raw`, or None if they contain `raw`.
    """

    id: str
    name: str
    raw: str
    arguments: dict[str, Any] | None
    problem: str = ""
    sent: str | None = None

    @property
    def is_compact(self) -> bool:
        """Whether `raw` is `arguments` as compact JSON, so that `arguments` alone restores it."""
        return self.arguments is not None and to_json(self.arguments).decode() == self.raw


@dataclass(frozen=True)
class TokenUsage:
    """The tokens and the cost of one reply. A value is None if the provider does not report it.

    Attributes:
        cached_tokens: prompt tokens that the provider read from its cache.
        reasoning_tokens: completion tokens of the reasoning.
        cost: in US dollars, or None if the price is unknown.
    """

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost: float | None = None


@dataclass(frozen=True)
class FailedRequest:
    """A request that failed and was made again.

    Attributes:
        error: what went wrong.
        status: the HTTP status, or None if no response was received.
        seconds: duration of the request.
        waited: seconds waited before the next request.
    """

    error: str
    status: int | None
    seconds: float
    waited: float


@dataclass(frozen=True)
class RequestRetried:
    """A request that failed and is about to be made again.

    Attributes:
        error: what went wrong.
        status: the HTTP status, or None if no response was received.
        attempt: number of the attempt that failed, starting at 1.
        seconds: seconds until the next attempt.
    """

    error: str
    status: int | None
    attempt: int
    seconds: float


@dataclass(frozen=True)
class ModelReply:
    """A model's reply.

    Attributes:
        text: the visible text.
        calls: the tool calls, in order.
        finish: why the model stopped, or None if the provider does not say.
        model: the model's name in the response.
        seconds: duration of the successful request.
        reasoning: the model's reasoning, or None if the provider does not show it.
        finish_raw: the provider's own finish reason.
        refusal: the text of the refusal, or None if the model did not refuse.
        failures: the failed requests before this reply.
        changes: how the request had to differ from what was said or asked for, and how names in calls were
            read, one sentence each.
        logprobs: log-probabilities of the reply's tokens.
        prompt_token_ids, completion_token_ids: if they were requested and returned.
    """

    text: str
    calls: Sequence[ModelToolCall]
    finish: FinishReason | None
    usage: TokenUsage
    model: str
    seconds: float = 0.0
    reasoning: str | None = None
    finish_raw: str | None = None
    refusal: str | None = None
    failures: Sequence[FailedRequest] = ()
    changes: Sequence[str] = ()
    logprobs: list[float] | None = None
    prompt_token_ids: list[int] | None = None
    completion_token_ids: list[int] | None = None


@dataclass(frozen=True)
class SystemMessage:
    """The system prompt."""

    text: str


@dataclass(frozen=True)
class UserMessage:
    """A message of the user."""

    text: str


@dataclass(frozen=True)
class AssistantMessage:
    """A message of the model.

    Attributes:
        text: the visible text.
        original: the message as the client received it, in the client's own type, so that it can be sent
            back unchanged; None if the message comes from another conversation.
    """

    text: str
    original: object = None


@dataclass(frozen=True)
class ToolResultMessage:
    """The result of a tool call.

    Attributes:
        is_error: marks the text as an error if the provider's protocol has a field for that.
    """

    call: ModelToolCall
    text: str
    is_error: bool = False


Message = SystemMessage | UserMessage | AssistantMessage | ToolResultMessage


class ModelConversation:
    """The messages of a conversation. Create one with `Model.conversation`."""

    def __init__(self, system: str = "") -> None:
        self.messages: list[Message] = [SystemMessage(system)] if system else []

    @property
    def length(self) -> int:
        """Number of characters of all messages, without the arguments of calls."""
        return sum(len(message.text) for message in self.messages)

    def say(self, text: str) -> None:
        """Adds a message of the user."""
        self.messages.append(UserMessage(text))

    def answer(self, call: ModelToolCall, text: str, *, is_error: bool = False) -> None:
        """Adds the result of a tool call.

        Args:
            is_error: marks the text as an error if the provider's protocol has a field for that.
        """
        self.messages.append(ToolResultMessage(call, text, is_error))

    def recall(self, text: str) -> None:
        """Adds a message of the model that comes from another conversation."""
        self.messages.append(AssistantMessage(text))
