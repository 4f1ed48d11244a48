"""What an audit measures."""

from statistics import median

from pydantic import BaseModel, ConfigDict


class _Measured(BaseModel):
    model_config = ConfigDict(frozen=True)


class Spread(_Measured):
    """A number of which there is one for each task."""

    least: float
    median: float
    most: float

    @classmethod
    def of(cls, values: list[int]) -> "Spread":
        """The spread of some values; zeros where there is none."""
        if not values:
            return cls(least=0, median=0, most=0)
        return cls(least=min(values), median=median(values), most=max(values))


class Agreement(_Measured):
    """How often the oracle's answer is the reference's, on inputs that nobody wrote."""

    tried: int = 0
    """Inputs that were made."""
    compared: int = 0
    """Those of them on which both came to an answer."""
    agreed: int = 0
    ambiguous: bool = False
    """Whether they differ somewhere because several answers are right."""
    example: str = ""
    """An input on which they differ, and both answers."""

    @property
    def rate(self) -> float:
        """The part of the compared answers that agree; 1 where none could be compared."""
        return self.agreed / self.compared if self.compared else 1.0


class LeakageFigures(_Measured):
    """How much one call shows."""

    rate: float = 0.0
    """The part of the tasks on which it does."""
    call: str = ""
    """The call that shows it on most tasks."""


class Answers(_Measured):
    """How much the right answers of some tasks differ."""

    tasks: int = 0
    distinct: int = 0
    best_constant: float = 0.0
    """The part of the tasks for which the commonest answer is right."""
    commonest: str = ""
    """That answer."""


class TaskFigures(_Measured):
    """What was measured on one task."""

    task: str
    oracle: float
    """Reward of the oracle."""
    oracle_calls: int
    constant: float
    """Reward of the answer that is commonest among the other tasks."""
    observe: float
    """Reward of looking once and answering."""
    random: float
    """Mean reward of random play."""
    input_shown: float
    """The largest part of the hidden input that one call shows."""
    answer_shown: bool
    """Whether the call that gives away most answers gives this one away."""


class Figures(_Measured):
    """What was measured on an environment: on its fixed tasks, or on generated ones where it has none."""

    oracle: float
    """Mean reward of the oracle."""
    oracle_calls: Spread
    answers: Answers
    generated_answers: Answers
    """Of tasks that were generated for the audit."""
    possible_answers: int | None
    """How many answers the schema allows, where it allows but a few."""
    constant: float
    """Mean reward of the `constant` baseline: a task is answered as most of the others are."""
    observe: float
    """Mean reward of the `observe` baseline: looking once and answering."""
    random: float
    """Mean reward of the `random` baseline over several seeds."""
    input_in_one_call: LeakageFigures
    """One call that shows most of the hidden input."""
    answer_in_one_call: LeakageFigures
    """One call that shows the answer, always in the same place."""
    on_generated: Agreement
    on_perturbed: Agreement
    by_task: list[TaskFigures]
