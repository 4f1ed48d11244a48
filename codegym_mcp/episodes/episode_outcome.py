"""How an episode ends: its state, its verdict, and the outcome and reward that follow from them."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class EpisodeState(StrEnum):
    """The state of an episode. Every state except `OPEN` is final."""

    OPEN = "open"
    SUBMITTED = "submitted"
    """An answer was submitted and judged."""
    OUT_OF_CALLS = "out_of_calls"
    """All calls were used up without a submission."""
    EXPIRED = "expired"
    """No call was made for `idle_seconds`."""
    CLOSED = "closed"
    """The owner of the episode closed it without a submission: the agent gave up."""
    ABANDONED = "abandoned"
    """The owner stopped before the agent had finished, for example by an exception. It is not scored."""
    FAILED = "failed"
    """The environment or the server failed. It is not scored."""


class Verdict(BaseModel):
    """The judgement of a submitted answer."""

    model_config = ConfigDict(frozen=True)

    correct: bool
    reward: float
    """From 0 to 1."""
    overlap: float | None = None
    """How much of the answer agrees with the reference answer, from 0 to 1; None if it is no collection.

    The reward does not depend on it.
    """


class EpisodeOutcome(StrEnum):
    """The outcome of an episode, as metrics count it."""

    OPEN = "open"
    CORRECT = "correct"
    INCORRECT = "incorrect"
    NO_SUBMISSION = "no_submission"
    FAILED = "failed"
    ABANDONED = "abandoned"

    @classmethod
    def of(cls, state: EpisodeState, verdict: Verdict | None) -> "EpisodeOutcome":
        """Returns the outcome of an episode with this state and verdict."""
        match state:
            case EpisodeState.OPEN:
                return cls.OPEN
            case EpisodeState.FAILED:
                return cls.FAILED
            case EpisodeState.ABANDONED:
                return cls.ABANDONED
            case EpisodeState.SUBMITTED if verdict is not None:
                return cls.CORRECT if verdict.correct else cls.INCORRECT
        return cls.NO_SUBMISSION

    def reward(self, verdict: Verdict | None) -> float | None:
        """Returns the reward, from 0 to 1, or None if the episode is not scored.

        Args:
            verdict: the verdict, or None if no answer was judged.
        """
        if verdict is not None:
            return verdict.reward
        return 0.0 if self is EpisodeOutcome.NO_SUBMISSION else None
