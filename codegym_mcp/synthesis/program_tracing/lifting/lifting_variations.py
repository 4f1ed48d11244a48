"""The ways to lift a solution, from coarse to fine."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Variation:
    """One way to lift a solution.

    Attributes:
        entered: whether helpers are steps of the oracle instead of tools.
        agent_computes: whether arithmetic with known numbers is left to the agent.
        state: whether computed numbers stay in the environment.
        counts: whether numbers that are computed of lengths alone are known although `state` hides others.
        scratch: whether containers that are filled with hidden values stay in the environment.
        public_scalars: whether numbers and flags beside a container are public.
        aggregates: whether sums and extremes are computed step by step.
        split: whether each part of a condition is a tool of its own.
    """

    name: str
    entered: bool = False
    agent_computes: bool = True
    state: bool = False
    counts: bool = False
    scratch: bool = False
    public_scalars: bool = True
    aggregates: bool = True
    split: bool = False


VARIATIONS = (
    Variation("helpers are tools"),
    Variation("conditions are split", split=True),
    Variation("helpers are entered", entered=True),
    Variation("helpers are entered and conditions split", entered=True, split=True),
    Variation("state is hidden", entered=True, state=True),
    Variation("state and containers are hidden", entered=True, state=True, scratch=True),
    Variation("values are hidden", entered=True, state=True, counts=True),
    Variation("values and containers are hidden", entered=True, state=True, counts=True, scratch=True),
    Variation("aggregates are tools", aggregates=False),
    Variation("arithmetic is in the tools", agent_computes=False),
    Variation("numbers are hidden", public_scalars=False, state=True),
)
