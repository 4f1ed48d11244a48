"""The interface between `Model` and the clients that speak a provider's protocol."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from codegym_mcp.episode_protocol import ToolView
from codegym_mcp.models.error_diagnosis import ErrorDiagnosis
from codegym_mcp.models.model_messages import AssistantMessage, Message, ModelReply

MAX_FOREIGN_REPLIES = 3
"""Number of web pages and the like in place of replies after which the address counts as wrong."""


@dataclass(frozen=True)
class ClientResponse:
    """A reply, and the message that represents it in later requests."""

    reply: ModelReply
    message: AssistantMessage


class RequestFailedError(Exception):
    """A request failed.

    Attributes:
        diagnosis: what the failure means.
    """

    def __init__(self, diagnosis: ErrorDiagnosis) -> None:
        super().__init__(diagnosis.text)
        self.diagnosis = diagnosis


class ModelClient(Protocol):
    """Sends requests to one model. A client makes each request once; `Model` repeats it."""

    @property
    def secrets(self) -> frozenset[str]:
        """Texts that must not appear in messages or records."""

    @property
    def has_price(self) -> bool:
        """Whether the cost of a reply can be calculated."""

    async def request(
        self, messages: Sequence[Message], tools: Sequence[ToolView], seed: int | None
    ) -> ClientResponse:
        """Requests the next reply.

        Args:
            tools: the tools that the model may call.
            seed: seed for sampling, or None for the one in the options.

        Raises:
            RequestFailedError: there is no usable reply.
        """

    async def check(self) -> ErrorDiagnosis | None:
        """Asks the provider whether the model exists, if the protocol has a request for that.

        Returns:
            The reason why no request can succeed, or None if none was found.
        """
