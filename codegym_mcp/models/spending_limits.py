"""What requests have used of what they may use."""

from dataclasses import dataclass

from codegym_mcp.errors import CeilingError
from codegym_mcp.models.model_messages import TokenUsage
from codegym_mcp.models.model_options import ModelOptions


@dataclass
class Spending:
    """Tokens and money used so far.

    Attributes:
        tokens: of prompts and replies.
        cost: in US dollars, of the replies whose price is known.
    """

    options: ModelOptions
    tokens: int = 0
    cost: float = 0.0

    def count(self, tokens: int, cost: float) -> None:
        """Adds what was used before, by the part of a run that is gone on with."""
        self.tokens += tokens
        self.cost += cost

    def check(self) -> None:
        """Refuses when nothing is left.

        Raises:
            CeilingError: the tokens or the money are used up.
        """
        tokens, cost = self.options.max_total_tokens, self.options.max_cost
        if tokens is not None and self.tokens >= tokens:
            raise CeilingError(
                "tokens",
                tokens,
                f"The run has used {self.tokens} tokens; it may use {tokens}.",
                hint="Give it more with --max-total-tokens.",
            )
        if cost is not None and self.cost >= cost:
            raise CeilingError(
                "cost",
                cost,
                f"The run has cost {self.cost:.2f} dollars; it may cost {cost:.2f}.",
                hint="Give it more with --max-cost.",
            )

    def add(self, usage: TokenUsage) -> None:
        """Counts a reply.

        Raises:
            CeilingError: there is a ceiling, and it cannot be kept: the reply does not say what it used.
        """
        self.tokens += (usage.prompt_tokens or 0) + (usage.completion_tokens or 0)
        self.cost += usage.cost or 0.0
        tokens, cost = self.options.max_total_tokens, self.options.max_cost
        if tokens is not None and usage.completion_tokens is None:
            raise CeilingError(
                "tokens",
                tokens,
                "The server does not say how many tokens it used.",
                hint="Leave the ceiling out.",
            )
        if cost is not None and usage.cost is None:
            raise price_unknown(cost)


def price_unknown(ceiling: float) -> CeilingError:
    """The error for a cost that is to be bounded and cannot be told."""
    return CeilingError(
        "cost", ceiling, "The price of this model is not known.", hint="Use --max-total-tokens instead."
    )
