"""What is said between us and a model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic_core import from_json, to_json

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelMessage, ModelRequestPart, ModelResponse

Finish = Literal["stop", "length", "content_filter", "tool_call", "error"]


@dataclass(frozen=True)
class ModelToolCall:
    """A tool call that a model asks for.

    Attributes:
        id: names the call, as the provider does.
        name: the tool; it need not exist.
        raw: the arguments as the model wrote them.
        arguments: the arguments as data, or None where they are no JSON object.
    """

    id: str
    name: str
    raw: str
    arguments: dict[str, Any] | None

    @property
    def written_plainly(self) -> bool:
        """Whether `arguments` alone gives back what the model wrote."""
        return self.arguments is not None and to_json(self.arguments).decode() == self.raw


@dataclass(frozen=True)
class TokenUsage:
    """What one reply used.

    Attributes:
        prompt_tokens, completion_tokens: None where the provider does not say.
        cached_tokens: those of the prompt that the provider had already read.
        reasoning_tokens: those of the reply that it thought with.
        cost: in US dollars, or None where the price is not known.
    """

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost: float | None = None


@dataclass(frozen=True)
class FailedRequest:
    """An attempt at a reply that failed, and what was waited after it.

    Attributes:
        error: what went wrong.
        status: the HTTP status, where there was one.
        seconds: what the attempt took.
        waited: in seconds.
    """

    error: str
    status: int | None
    seconds: float
    waited: float


@dataclass(frozen=True)
class ModelReply:
    """What a model said.

    Attributes:
        text: the visible part.
        reasoning: what it thought, where the provider shows it.
        calls: the tools it wants called, in order.
        finish: why it stopped; None where the provider does not say.
        finish_raw: the provider's own word for it.
        refusal: why it declines, in its own or the provider's words; None where it does not.
        model: the name that the provider gives the model.
        seconds: from when the request was sent until the reply was there.
        failures: attempts before it.
        logprobs: of the tokens of the reply.
        prompt_token_ids, completion_token_ids: where they were asked for and given.
    """

    text: str
    calls: Sequence[ModelToolCall]
    finish: Finish | None
    usage: TokenUsage
    model: str
    seconds: float
    reasoning: str | None = None
    finish_raw: str | None = None
    refusal: str | None = None
    failures: Sequence[FailedRequest] = ()
    logprobs: list[float] | None = None
    prompt_token_ids: list[int] | None = None
    completion_token_ids: list[int] | None = None


class ModelConversation:
    """The messages so far. Make one with `Model.conversation`."""

    def __init__(self, system: str = "", *, marks_errors: bool = False) -> None:
        from pydantic_ai.messages import SystemPromptPart

        self._messages: list[ModelMessage] = []
        self._unsent: list[ModelRequestPart] = [SystemPromptPart(system)] if system else []
        self._marks_errors = marks_errors

    def say(self, text: str) -> None:
        """Says something as the user."""
        from pydantic_ai.messages import UserPromptPart

        self._unsent.append(UserPromptPart(text))

    def answer(self, call: ModelToolCall, text: str, *, is_error: bool = False) -> None:
        """Tells what a call came to.

        Args:
            is_error: marks the text as an error where the provider has a place for that; others get the
                text alone.
        """
        from pydantic_ai.messages import ToolReturnPart

        marked = is_error and self._marks_errors
        self._unsent.append(
            ToolReturnPart(call.name, text, tool_call_id=call.id, outcome="failed" if marked else "success")
        )

    def recall(self, text: str) -> None:
        """Adds what the model said at another time."""
        from pydantic_ai.messages import ModelResponse, TextPart

        self.to_send()
        self._messages.append(ModelResponse([TextPart(text)]))

    def to_send(self) -> "list[ModelMessage]":
        """All messages, the unsent ones among them."""
        from pydantic_ai.messages import ModelRequest

        if self._unsent:
            self._messages.append(ModelRequest(self._unsent))
            self._unsent = []
        return self._messages

    def heard(self, response: "ModelResponse") -> None:
        """Adds what the model said."""
        self._messages.append(response)


def parse_arguments(written: str | dict[str, Any] | None) -> tuple[str, dict[str, Any] | None]:
    """Arguments as text and as data; the data is None where the text is no JSON object.

    No text at all is no arguments: so several servers write a call that takes none.
    """
    if isinstance(written, dict):
        try:
            raw = to_json(written).decode()
        except ValueError:
            return repr(written), None
    else:
        raw = written or ""
    try:
        arguments = from_json(raw or "{}", allow_inf_nan=False)
    except ValueError:
        return raw, None
    return raw, arguments if isinstance(arguments, dict) else None
