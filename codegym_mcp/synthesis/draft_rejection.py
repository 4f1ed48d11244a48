"""The error for generated text that cannot be used, with the part of the environment that has to be
repaired."""

from enum import StrEnum

from codegym_mcp.synthesis.problem_outcomes import Stage


class DraftPart(StrEnum):
    """A part of an environment that the model writes in a dialogue of its own."""

    ENVIRONMENT = "environment"
    TASKS = "tasks"
    ORACLE = "oracle"


class DraftRejectedError(Exception):
    """A reply of the model is rejected.

    Attributes:
        stage: the stage at which it is rejected.
        part: the part that has to be repaired, or None if no repair is possible.
        reason: why it is rejected; the model receives this text.
        written: what the model wrote.
        sample: the number of the oracle, if an oracle is rejected.
        is_form: whether the form is wrong (unreadable, refused by the policy), not the meaning.
        asks_decision: whether the model has to decide if the reference or the oracles are right.
    """

    def __init__(
        self,
        stage: Stage,
        part: DraftPart | None,
        reason: str,
        *,
        written: str,
        sample: int = 0,
        is_form: bool = False,
        asks_decision: bool = False,
    ) -> None:
        super().__init__(reason)
        self.stage = stage
        self.part = part
        self.reason = reason
        self.written = written
        self.sample = sample
        self.is_form = is_form
        self.asks_decision = asks_decision
