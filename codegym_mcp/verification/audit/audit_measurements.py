"""The figures that an audit measures."""

from statistics import median

from pydantic import BaseModel, ConfigDict


class _Measured(BaseModel):
    model_config = ConfigDict(frozen=True)


class Spread(_Measured):
    """Least, median and greatest value of a figure over the tasks."""

    least: float
    median: float
    most: float

    @classmethod
    def of(cls, values: list[int]) -> "Spread":
        """Computes the spread of values; zeros if there are none."""
        if not values:
            return cls(least=0, median=0, most=0)
        return cls(least=min(values), median=median(values), most=max(values))


class Agreement(_Measured):
    """How often oracle and reference agree on generated or perturbed inputs."""

    tried: int = 0
    """Number of inputs."""
    compared: int = 0
    """Number of inputs on which both gave an answer."""
    agreed: int = 0
    """Number of inputs on which the answers agree."""
    ambiguous: bool = False
    """Whether a difference shows that several answers are right."""
    example: str = ""
    """An input on which the answers differ, and both answers, or the empty string."""

    @property
    def rate(self) -> float:
        """Share of the compared answers that agree, 0 to 1; 1 if none were compared."""
        return self.agreed / self.compared if self.compared else 1.0


class LeakageFigures(_Measured):
    """How often a single call reveals something."""

    rate: float = 0.0
    """Share of the tasks on which the call reveals it, 0 to 1."""
    call: str = ""
    """The call that reveals it on most tasks, or the empty string."""


class Answers(_Measured):
    """How much the right answers of tasks differ."""

    tasks: int = 0
    """Number of tasks."""
    distinct: int = 0
    """Number of different right answers."""
    best_constant: float = 0.0
    """Share of the tasks that the best constant answer solves, 0 to 1."""
    commonest: str = ""
    """The most common right answer as JSON."""


class MistakeFigures(_Measured):
    """How often a misunderstanding that the environment names is right all the same."""

    name: str
    """The misunderstanding."""
    tasks: int
    """Number of tasks on which it was tried."""
    right: float
    """Share of these tasks on which it earns the reward, 0 to 1."""


class TaskFigures(_Measured):
    """The figures of one task; rewards are 0 to 1."""

    task: str
    oracle: float
    """Reward of the oracle."""
    oracle_calls: int
    """Tool calls of the oracle."""
    constant: float
    """Reward of the most common answer of the other tasks."""
    observe: float
    """Reward of the `observe` baseline, which makes one call and answers."""
    random: float
    """Mean reward of random play."""
    input_shown: float
    """Largest share of the hidden input that one call reveals, 0 to 1."""
    answer_shown: bool
    """Whether the call that reveals the most answers reveals this one."""


class Figures(_Measured):
    """The figures of an environment, measured on its fixed tasks, or on generated ones if it has none."""

    oracle: float
    """Mean reward of the oracle."""
    oracle_calls: Spread
    """Tool calls of the oracle."""
    answers: Answers
    """Answers of the measured tasks."""
    generated_answers: Answers
    """Answers of tasks that were generated for the audit."""
    possible_answers: int | None
    """Number of answers that the schema allows, or None if there are more than a thousand."""
    constant: float
    """Mean reward of the `constant` baseline, which answers a task with the most common answer of the
    others."""
    observe: float
    """Mean reward of the `observe` baseline, which makes one call and answers."""
    random: float
    """Mean reward of the `random` baseline over several seeds."""
    input_in_one_call: LeakageFigures
    """How often one call reveals most of the hidden input."""
    answer_in_one_call: LeakageFigures
    """How often one call reveals the answer, always in the same place of its result."""
    on_generated: Agreement
    """Agreement of oracle and reference on tasks generated for the audit."""
    on_perturbed: Agreement
    """Agreement of oracle and reference on perturbed tasks."""
    adaptive: float | None = None
    """Share of the comparable tasks in which a later call depends on an earlier result, 0 to 1.

    None if no two inputs look the same to the oracle before its first call.
    """
    answer_only: float | None = None
    """Mean reward of the right answer, submitted without acting; None if no final state is scored."""
    any_answer: float | None = None
    """Share of wrong answers that are accepted with the oracle's final state; None if not both are scored."""
    state_in_one_call: LeakageFigures = LeakageFigures()
    """How often one call reveals the state that the oracle leaves, always in the same place of its result."""
    mistakes: list[MistakeFigures] = []
    """The misunderstandings that the environment names, on fixed and generated tasks."""
    read_out: float | None = None
    """Calls that read every hidden value, as a multiple of the oracle's calls.

    Less than 1 means that an agent can copy the input and ignore the other tools. A tool that compares
    a hidden value with an argument counts with the calls of a search. None if no tool reveals hidden values.
    """
    unjudged_answer: str = ""
    """An answer of the declared type on which the judge fails, and the error, or the empty string."""
    by_task: list[TaskFigures]
