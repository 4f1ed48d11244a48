"""Sends the requests of one candidate to the model and counts their costs."""

from dataclasses import dataclass, field

from codegym_mcp.errors import ContextOverflowError
from codegym_mcp.synthesis.cached_model import CachedModel, Turns
from codegym_mcp.synthesis.draft_rejection import DraftRejectedError
from codegym_mcp.synthesis.problem_outcomes import Costs, Stage
from codegym_mcp.synthesis.reply_extraction import UnusableReplyError
from codegym_mcp.synthesis.synthesis_store import StoredResponse


@dataclass
class ModelRequests:
    """The requests of one candidate.

    Attributes:
        model: the model, with its stored responses.
    """

    model: CachedModel
    _costs: dict[str, Costs] = field(default_factory=dict)

    @property
    def costs(self) -> Costs:
        """Costs of all different requests."""
        return sum(self._costs.values(), Costs())

    async def send(self, turns: Turns, sample: int) -> StoredResponse:
        """Returns the response to a dialogue.

        Raises:
            DraftRejectedError: the model refused, or the dialogue is longer than its context.
            ModelError, RunHaltedError: the model gave no response; the dialogue is not the cause.
        """
        try:
            response = await self.model.request(turns, sample)
        except ContextOverflowError as error:
            raise DraftRejectedError(Stage.MODEL, None, error.message, written="") from None
        self._costs[self.model.key(turns, sample)] = response.costs
        if response.refusal is not None:
            reason = f"The model refuses: {response.refusal}"
            raise DraftRejectedError(Stage.MODEL, None, reason, written=response.text)
        return response

    def continue_turns(self, turns: Turns, sample: int, request: str) -> Turns:
        """Returns a dialogue with the stored response to it and another request."""
        return (*turns, self.model.stored_text(turns, sample), request)


def complete_text(response: StoredResponse) -> str:
    """Returns the text of a response.

    Raises:
        UnusableReplyError: the text was cut off.
    """
    if response.finish == "length":
        raise UnusableReplyError("The reply is longer than a reply may be and was cut off. Write less.")
    return response.text
