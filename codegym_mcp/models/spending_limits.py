"""Counts tokens and cost, and enforces their limits."""

from dataclasses import dataclass

from codegym_mcp.errors import CeilingError
from codegym_mcp.models.model_messages import TokenUsage
from codegym_mcp.models.model_request_options import ModelOptions


@dataclass
class Spending:
    """The tokens and the cost of all requests so far.

    Attributes:
        tokens: tokens of prompts and replies.
        cost: in US dollars, of the replies with a known price.
    """

    options: ModelOptions
    tokens: int = 0
    cost: float = 0.0

    def count(self, tokens: int, cost: float) -> None:
        """Adds what an earlier part of the run used."""
        self.tokens += tokens
        self.cost += cost

    def check(self) -> None:
        """Checks that the limits permit another request.

        Raises:
            CeilingError: the tokens or the cost have reached their limit.
        """
        tokens, cost = self.options.max_total_tokens, self.options.max_cost
        if tokens is not None and self.tokens >= tokens:
            raise CeilingError(
                "tokens",
                tokens,
                f"The run has used {self.tokens} tokens; the limit is {tokens}.",
                hint="Raise the limit with --max-total-tokens.",
            )
        if cost is not None and self.cost >= cost:
            raise CeilingError(
                "cost",
                cost,
                f"The run has cost {self.cost:.2f} US dollars; the limit is {cost:.2f}.",
                hint="Raise the limit with --max-cost.",
            )

    def add(self, usage: TokenUsage) -> None:
        """Adds the usage of a reply.

        Raises:
            CeilingError: there is a limit, and the reply does not report what it counts.
        """
        self.tokens += (usage.prompt_tokens or 0) + (usage.completion_tokens or 0)
        self.cost += usage.cost or 0.0
        tokens, cost = self.options.max_total_tokens, self.options.max_cost
        if tokens is not None and usage.completion_tokens is None:
            raise CeilingError(
                "tokens",
                tokens,
                "The server does not report its token usage, so --max-total-tokens cannot be enforced.",
                hint="Leave the option out.",
            )
        if cost is not None and usage.cost is None:
            raise unknown_price_error(cost)


def unknown_price_error(limit: float) -> CeilingError:
    """Builds the error for a limit of cost and a model without a known price."""
    return CeilingError(
        "cost",
        limit,
        "The price of this model is not known, so --max-cost cannot be enforced.",
        hint="Use --max-total-tokens instead.",
    )
