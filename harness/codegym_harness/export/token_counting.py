"""Counts the tokens of conversations with the tokenizer of a model."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from pydantic_core import to_json

from codegym_harness.export.chat_messages import Message, chat_messages
from codegym_harness.export.conversion_counts import UnfitError
from codegym_harness.export.training_conversation import TrainingConversation
from codegym_mcp.errors import CodegymError, MissingExtraError

_TIKTOKEN_ENCODING = re.compile(r"[a-z]\w*_(base|edit|harmony)")
_INSTALL = "pip install 'codegym-mcp[tokens]'"


class Rendering(StrEnum):
    """How a conversation becomes text."""

    CHAT_TEMPLATE = "chat template"
    """As the model receives it: by the chat template of its tokenizer."""
    PLAIN_TEXT = "plain text"
    """Contents, calls and tools as JSON, without what a chat template adds: the tokenizer has none."""


@dataclass(frozen=True)
class TokenCounts:
    """The numbers of tokens of one episode.

    Attributes:
        prompt: tools, system prompt and task: what the model receives before its first turn.
        conversation: the whole episode, prompt included.
    """

    prompt: int
    conversation: int


class TokenCounter(Protocol):
    """Counts tokens."""

    @property
    def rendering(self) -> Rendering:
        """How conversations become text."""

    def count(self, conversation: TrainingConversation) -> TokenCounts:
        """Counts the tokens of a conversation.

        Raises:
            UnfitError: the chat template does not take the conversation.
        """


def open_token_counter(name: str) -> TokenCounter:
    """Loads a tokenizer.

    Args:
        name: an encoding of tiktoken, such as `o200k_base`; or a model of the Hugging Face Hub, or a folder
            with its tokenizer.

    Raises:
        MissingExtraError: the library that reads the tokenizer is not installed.
        CodegymError: there is no such tokenizer, or it cannot be loaded.
    """
    return _open_tiktoken(name) if _TIKTOKEN_ENCODING.fullmatch(name) else _open_hugging_face(name)


def _open_tiktoken(name: str) -> TokenCounter:
    try:
        import tiktoken
    except ImportError:
        raise MissingExtraError("Counting tokens with tiktoken", _INSTALL) from None
    try:
        encoding = tiktoken.get_encoding(name)
    except Exception as error:
        # The library raises its own errors and those of the client by which it loads encodings.
        raise _not_loaded(name, error) from None
    return PlainTextCounter(lambda text: len(encoding.encode(text, disallowed_special=())))


def _open_hugging_face(name: str) -> TokenCounter:
    try:
        from transformers import AutoTokenizer
    except ImportError:
        raise MissingExtraError("Counting tokens with a tokenizer of Hugging Face", _INSTALL) from None
    try:
        tokenizer = AutoTokenizer.from_pretrained(name)
    except Exception as error:
        # The library raises errors of many kinds for folders and names that it cannot use.
        raise _not_loaded(name, error) from None
    if tokenizer.chat_template is None:
        return PlainTextCounter(lambda text: len(tokenizer.encode(text, add_special_tokens=False)))
    return ChatTemplateCounter(tokenizer)


def _not_loaded(name: str, error: Exception) -> CodegymError:
    reason = next(iter(str(error).strip().splitlines()), type(error).__name__).rstrip(".")
    return CodegymError(
        f"The tokenizer {name} cannot be loaded: {reason}.",
        hint="Name a model of the Hugging Face Hub, a folder that holds its tokenizer, or an encoding of "
        "tiktoken such as o200k_base.",
    )


class ChatTemplateCounter:
    """Counts what a model receives. It is a `TokenCounter`.

    Args:
        tokenizer: a tokenizer of transformers that has a chat template.
    """

    rendering = Rendering.CHAT_TEMPLATE

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def count(self, conversation: TrainingConversation) -> TokenCounts:
        """Counts the tokens of a conversation; see `TokenCounter.count`."""
        messages = _messages(conversation)
        prompt = messages[: _prompt_length(messages)]
        return TokenCounts(
            prompt=self._tokens(prompt, conversation, add_generation_prompt=True),
            conversation=self._tokens(messages, conversation, add_generation_prompt=False),
        )

    def _tokens(self, messages: list[Message], conversation: TrainingConversation, **options: Any) -> int:
        try:
            text = self._tokenizer.apply_chat_template(
                messages, tools=conversation.tools or None, tokenize=False, **options
            )
        except Exception as error:
            # A template raises errors of its own, such as for two turns of one side.
            raise UnfitError(f"the chat template refuses it ({type(error).__name__})") from None
        # The template has written every special token.
        return len(self._tokenizer.encode(text, add_special_tokens=False))


class PlainTextCounter:
    """Counts the text of a conversation, for tokenizers without a chat template. It is a `TokenCounter`.

    Args:
        count_text: returns the number of tokens of a text.
    """

    rendering = Rendering.PLAIN_TEXT

    def __init__(self, count_text: Callable[[str], int]) -> None:
        self._count_text = count_text

    def count(self, conversation: TrainingConversation) -> TokenCounts:
        """Counts the tokens of a conversation; see `TokenCounter.count`."""
        messages = _messages(conversation)
        length = _prompt_length(messages)
        prompt = self._count_text(to_json(conversation.tools).decode()) if conversation.tools else 0
        prompt += sum(self._count_message(message) for message in messages[:length])
        return TokenCounts(
            prompt=prompt,
            conversation=prompt + sum(self._count_message(message) for message in messages[length:]),
        )

    def _count_message(self, message: Message) -> int:
        texts = [message.get("reasoning_content", ""), message["content"]]
        texts += [to_json(call["function"]).decode() for call in message.get("tool_calls", [])]
        return sum(self._count_text(text) for text in texts if text)


def _messages(conversation: TrainingConversation) -> list[Message]:
    return chat_messages(conversation, lambda call: call.arguments, mask={})


def _prompt_length(messages: list[Message]) -> int:
    """Returns the number of messages before the first turn of the agent."""
    return next(number for number, message in enumerate(messages) if message["role"] == "assistant")
