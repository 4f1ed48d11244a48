"""Finds weaknesses in the figures of an audit and derives the grade."""

from collections.abc import Callable, Sequence
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from codegym_mcp.verification.audit.audit_measurements import Figures


class Grade(StrEnum):
    """The quality of an environment, from best to worst; `Grade.A < Grade.B`."""

    A = "A"
    """No weakness was found."""
    B = "B"
    """Easier than it should be, but it requires work."""
    C = "C"
    """Much of the reward can be earned without the work that the environment is meant to require."""
    D = "D"
    """The reward means nothing: answers can be guessed, are revealed, or are judged wrongly."""


class Weakness(StrEnum):
    """A reason why an environment trains or tests an agent badly."""

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
    UNJUDGED = "unjudged"
    STATE_IGNORED = "state_ignored"
    ANSWER_IGNORED = "answer_ignored"
    STATE_SHOWN = "state_shown"
    IDLE_RULE = "idle_rule"


class Finding(BaseModel):
    """A weakness with the grade that it allows and its evidence."""

    model_config = ConfigDict(frozen=True)

    weakness: Weakness
    grade: Grade
    """The best grade that an environment with this weakness can have."""
    message: str
    evidence: str = ""
    """A task, a call or an input that shows the weakness."""


MAX_BASELINE_REWARD = 0.25
"""Greatest share of the rewards that a baseline may earn, 0 to 1."""
ENOUGH_TASKS = 5
SHORT_CALLS = 10
"""CodeGym keeps tasks that take its oracle at least so many calls (arXiv 2509.17325)."""
MAX_MISTAKE_RIGHT = 0.6
"""Greatest share of the tasks on which a misunderstanding may be right, 0 to 1."""
_HALF = 0.5
_NEARLY_ALL = 0.9

_Find = Callable[..., None]


def grade_of(findings: Sequence[Finding]) -> Grade:
    """Returns the worst grade of the findings, or A if there are none."""
    return max((finding.grade for finding in findings), default=Grade.A)


def find_weaknesses(figures: Figures) -> list[Finding]:
    """Finds the weaknesses that the figures show.

    A weakness that follows from another one is not reported: if half of the answers are `true`, random play
        is
    also right half of the time.
    """
    found: list[Finding] = []

    def find(weakness: Weakness, grade: Grade, message: str, evidence: str = "") -> None:
        found.append(Finding(weakness=weakness, grade=grade, message=message, evidence=evidence))

    tasks, median = figures.answers.tasks, figures.oracle_calls.median
    if figures.oracle < 1:
        find(Weakness.UNSOLVED, Grade.D, f"The oracle earns {figures.oracle:.0%} of the rewards.")
    elif median < SHORT_CALLS:
        find(Weakness.SHORT, Grade.B, f"The oracle needs {median:g} calls for the median task.")
    if figures.unjudged_answer:
        message = "The judge fails on an answer of the declared type."
        find(Weakness.UNJUDGED, Grade.D, message, figures.unjudged_answer)
    if tasks < ENOUGH_TASKS:
        find(Weakness.FEW_TASKS, Grade.B, f"Measured on only {tasks} tasks.")
    _find_giveaways(figures, find)
    _find_unearned(figures, find)
    _find_contradictions(figures, find)
    return found


def _find_giveaways(figures: Figures, find: _Find) -> None:
    chance = 1 / figures.possible_answers if figures.possible_answers else 0.0
    if chance >= MAX_BASELINE_REWARD:
        message = f"There are {figures.possible_answers} possible answers."
        find(Weakness.GUESSABLE, Grade.D if chance >= _HALF else Grade.C, message)
    for answers in (figures.answers, figures.generated_answers):
        if answers.distinct < answers.tasks and answers.best_constant >= max(
            MAX_BASELINE_REWARD, chance + MAX_BASELINE_REWARD
        ):
            message = f"One answer is right for {answers.best_constant:.0%} of {answers.tasks} tasks."
            grade = Grade.D if answers.best_constant >= _HALF else Grade.C
            find(Weakness.CONSTANT, grade, message, answers.commonest)
            break
    answer_leakage = figures.answer_in_one_call
    if answer_leakage.rate >= _HALF:
        message = f"One call shows the answer of {answer_leakage.rate:.0%} of the tasks."
        find(Weakness.ANSWER_SHOWN, Grade.D, message, answer_leakage.call)
    input_leakage = figures.input_in_one_call
    if input_leakage.rate >= _HALF:
        message = f"One call shows the hidden input of {input_leakage.rate:.0%} of the tasks."
        find(Weakness.INPUT_SHOWN, Grade.C, message, input_leakage.call)
    if answer_leakage.rate < _HALF:
        most_by_chance = max(
            MAX_BASELINE_REWARD,
            chance + MAX_BASELINE_REWARD,
            figures.answers.best_constant + MAX_BASELINE_REWARD,
        )
        for weakness, reward, activity in (
            (Weakness.OBSERVE, figures.observe, "Answering after one call"),
            (Weakness.RANDOM, figures.random, "Random play"),
        ):
            if reward >= most_by_chance:
                message = f"{activity} earns {reward:.0%} of the rewards."
                find(weakness, Grade.D if reward >= _HALF else Grade.C, message)


def _find_unearned(figures: Figures, find: _Find) -> None:
    answer_only, any_answer = figures.answer_only, figures.any_answer
    if answer_only:
        message = f"The right answer earns {answer_only:.0%} of the rewards without acting."
        find(Weakness.STATE_IGNORED, Grade.D if answer_only >= _HALF else Grade.C, message)
    if any_answer is not None and any_answer >= MAX_BASELINE_REWARD:
        message = f"{any_answer:.0%} of the wrong answers are accepted with the right state."
        find(Weakness.ANSWER_IGNORED, Grade.D if any_answer >= _HALF else Grade.C, message)
    leakage = figures.state_in_one_call
    if leakage.rate >= _HALF:
        message = f"One call shows the state that {leakage.rate:.0%} of the tasks require."
        find(Weakness.STATE_SHOWN, Grade.D, message, leakage.call)
    for mistake in figures.mistakes:
        if mistake.right > MAX_MISTAKE_RIGHT:
            message = f"A misunderstanding is right on {mistake.right:.0%} of {mistake.tasks} tasks."
            find(
                Weakness.IDLE_RULE,
                Grade.C if mistake.right >= _NEARLY_ALL else Grade.B,
                message,
                mistake.name,
            )


def _find_contradictions(figures: Figures, find: _Find) -> None:
    generated, perturbed = figures.on_generated, figures.on_perturbed
    if figures.oracle < 1:
        return
    for agreement in (generated, perturbed):
        if agreement.ambiguous:
            message = "Several answers are right; the order of the input decides which one counts."
            find(Weakness.AMBIGUOUS, Grade.D, message, agreement.example)
            return
    if generated.agreed < generated.tried:
        message = f"The oracle solves {generated.agreed} of {generated.tried} freshly generated tasks."
        find(Weakness.DISAGREEMENT, Grade.D, message, generated.example)
    # Perturbed inputs may be senseless; they count for more if there is no generator.
    elif perturbed.rate < (_HALF if generated.tried else _NEARLY_ALL):
        grade = Grade.D if perturbed.rate < _HALF else Grade.C
        message = (
            f"Oracle and reference agree on {perturbed.agreed} of {perturbed.compared} perturbed inputs."
        )
        find(Weakness.DISAGREEMENT, grade, message, perturbed.example)
