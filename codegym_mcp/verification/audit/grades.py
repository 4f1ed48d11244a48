"""What an audit finds wrong with an environment, and the grade that follows."""

from collections.abc import Callable, Sequence
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from codegym_mcp.verification.audit.audit_figures import Figures


class Grade(StrEnum):
    """What an environment is worth, from the best to the worst."""

    A = "A"
    """Nothing was found."""
    B = "B"
    """Easier than it should be, but it has to be worked at."""
    C = "C"
    """Much of it can be had without what it is meant to train or to measure."""
    D = "D"
    """Its reward means nothing: it can be guessed, is given away, or goes to a wrong answer."""


class Weakness(StrEnum):
    """What can be wrong with an environment that is served well."""

    FEW_TASKS = "few_tasks"
    SHORT = "short"
    UNSOLVED = "unsolved"
    GUESSABLE = "guessable"
    CONSTANT = "constant"
    ANSWER_SHOWN = "answer_shown"
    INPUT_SHOWN = "input_shown"
    OBSERVE = "observe"
    RANDOM = "random"
    AMBIGUOUS = "ambiguous"
    DISAGREEMENT = "disagreement"


class Finding(BaseModel):
    """A weakness, how much it costs, and the figures that show it."""

    model_config = ConfigDict(frozen=True)

    weakness: Weakness
    grade: Grade
    """The best grade that an environment with this weakness can have."""
    message: str
    evidence: str = ""
    """A task, a call or an input that shows it."""


WORTH = 0.25
"""The part of the rewards that a player who does not think may have at most."""
ENOUGH_TASKS = 5
SHORT_CALLS = 10
"""CodeGym keeps tasks that take its oracle at least so many calls (arXiv 2509.17325)."""
_HALF = 0.5
_NEARLY_ALL = 0.9

_Find = Callable[..., None]


def grade_of(findings: Sequence[Finding]) -> Grade:
    """The worst of the findings' grades."""
    return max((finding.grade for finding in findings), default=Grade.A)


def find_weaknesses(figures: Figures) -> list[Finding]:
    """What the figures mean.

    What follows from another finding is not found a second time: where half of the answers are `true`,
    whoever presses buttons is right every other time as well.
    """
    found: list[Finding] = []

    def find(weakness: Weakness, grade: Grade, message: str, evidence: str = "") -> None:
        found.append(Finding(weakness=weakness, grade=grade, message=message, evidence=evidence))

    tasks, median = figures.answers.tasks, figures.oracle_calls.median
    if figures.oracle < 1:
        find(Weakness.UNSOLVED, Grade.D, f"The oracle earns {figures.oracle:.0%} of the rewards.")
    elif median < SHORT_CALLS:
        find(Weakness.SHORT, Grade.B, f"The oracle needs {median:g} calls for the median task.")
    if tasks < ENOUGH_TASKS:
        find(Weakness.FEW_TASKS, Grade.B, f"Measured on no more than {tasks} tasks.")
    _find_giveaways(figures, find)
    _find_contradictions(figures, find)
    return found


def _find_giveaways(figures: Figures, find: _Find) -> None:
    chance = 1 / figures.possible_answers if figures.possible_answers else 0.0
    if chance >= WORTH:
        message = f"There are {figures.possible_answers} possible answers."
        find(Weakness.GUESSABLE, Grade.D if chance >= _HALF else Grade.C, message)
    for answers in (figures.answers, figures.generated_answers):
        if answers.distinct < answers.tasks and answers.best_constant >= max(WORTH, chance + WORTH):
            message = f"One answer is right for {answers.best_constant:.0%} of {answers.tasks} tasks."
            grade = Grade.D if answers.best_constant >= _HALF else Grade.C
            find(Weakness.CONSTANT, grade, message, answers.commonest)
            break
    shown = figures.answer_in_one_call
    if shown.rate >= _HALF:
        message = f"One call shows the answer of {shown.rate:.0%} of the tasks."
        find(Weakness.ANSWER_SHOWN, Grade.D, message, shown.call)
    seen = figures.input_in_one_call
    if seen.rate >= _HALF:
        message = f"One call shows the hidden input of {seen.rate:.0%} of the tasks."
        find(Weakness.INPUT_SHOWN, Grade.C, message, seen.call)
    if shown.rate < _HALF:
        thoughtless = max(WORTH, chance + WORTH, figures.answers.best_constant + WORTH)
        for weakness, reward, deed in (
            (Weakness.OBSERVE, figures.observe, "Looking once and answering"),
            (Weakness.RANDOM, figures.random, "Random play"),
        ):
            if reward >= thoughtless:
                message = f"{deed} earns {reward:.0%} of the rewards."
                find(weakness, Grade.D if reward >= _HALF else Grade.C, message)


def _find_contradictions(figures: Figures, find: _Find) -> None:
    generated, perturbed = figures.on_generated, figures.on_perturbed
    if figures.oracle < 1:
        return
    for agreement in (generated, perturbed):
        if agreement.ambiguous:
            message = "Several answers are right, and one counts by the order in which the input is written."
            find(Weakness.AMBIGUOUS, Grade.D, message, agreement.example)
            return
    if generated.agreed < generated.tried:
        message = f"The oracle solves {generated.agreed} of {generated.tried} freshly generated tasks."
        find(Weakness.DISAGREEMENT, Grade.D, message, generated.example)
    # A generator knows which inputs make sense; without one, perturbed inputs must speak for themselves.
    elif perturbed.rate < (_HALF if generated.tried else _NEARLY_ALL):
        grade = Grade.D if perturbed.rate < _HALF else Grade.C
        message = (
            f"Oracle and reference agree on {perturbed.agreed} of {perturbed.compared} perturbed inputs."
        )
        find(Weakness.DISAGREEMENT, grade, message, perturbed.example)
