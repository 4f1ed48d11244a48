"""Does the oracle agree with the reference on inputs that nobody wrote.

Where they differ, either one of them is wrong, or several answers are right. Several are right where each of
the two gives the other's answer as soon as the same input is written in another order, and where inputs that
look the same through the tools have different right answers.
"""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from itertools import islice
from random import Random
from typing import Any

from codegym_mcp.episodes.scoring import judge, reference_answer
from codegym_mcp.errors import CodegymError, SandboxError
from codegym_mcp.policies.oracle import OraclePolicy
from codegym_mcp.spec.environment import Environment, Task
from codegym_mcp.verification.audit.audit_figures import Agreement
from codegym_mcp.verification.audit.config_invariants import walk
from codegym_mcp.verification.audit.config_perturbation import hidden, with_hidden
from codegym_mcp.verification.recorded_play import RecordedPlay, play_episode, shown
from codegym_mcp.verification.verification_context import VerificationContext

_REORDERINGS = 20
_LOOK_ALIKES = 16
_EXAMINED = 6


@dataclass(frozen=True)
class OracleComparison:
    """Oracle and reference on one input.

    Attributes:
        play: the oracle's.
        reference: the right answer; None where it cannot be computed.
        error: why it cannot be computed, or None.
    """

    play: RecordedPlay
    reference: Any
    error: CodegymError | None

    @property
    def compared(self) -> bool:
        """Whether both came to an answer."""
        return self.error is None and self.play.verdict is not None

    @property
    def example(self) -> str:
        """The input and both answers, for people."""
        task, play = self.play.task, self.play
        oracle = shown(play.answer) if play.submitted else str(play.player_error or play.state)
        reference = str(self.error) if self.error is not None else shown(self.reference)
        return f"task {task.id} {shown(task.config)}: oracle {oracle}, reference {reference}"


async def compare_oracle(
    bench: VerificationContext, environment: Environment, task: Task
) -> OracleComparison:
    """Lets the oracle play a task, and computes its right answer.

    Raises:
        SandboxError: this cannot be done here.
    """
    oracle = OraclePolicy(bench.pool, environment, bench.limits)
    played = await play_episode(bench.pool, environment, task, oracle, bench.limits)
    try:
        return OracleComparison(
            played, await reference_answer(bench.pool, environment, task, bench.limits), None
        )
    except SandboxError:
        raise
    except CodegymError as error:
        return OracleComparison(played, None, error)


async def measure_agreement(
    bench: VerificationContext, environment: Environment, comparisons: Sequence[OracleComparison]
) -> Agreement:
    """Sums up comparisons, and looks into those that differ.

    Raises:
        SandboxError: this cannot be done here.
    """
    compared = [comparison for comparison in comparisons if comparison.compared]
    differing = [comparison for comparison in compared if not comparison.play.correct]
    ambiguous: list[OracleComparison] = []
    for comparison in differing[:_EXAMINED]:
        # One is enough.
        if not ambiguous and await _depends_on_order(bench, environment, comparison):
            ambiguous.append(comparison)
    unanswered = [comparison for comparison in comparisons if not comparison.compared]
    examples = [comparison.example for comparison in (*ambiguous, *differing, *unanswered)]
    return Agreement(
        tried=len(comparisons),
        compared=len(compared),
        agreed=len(compared) - len(differing),
        ambiguous=bool(ambiguous),
        example=examples[0] if examples else "",
    )


async def find_look_alikes(
    bench: VerificationContext, environment: Environment, comparisons: Sequence[OracleComparison]
) -> list[OracleComparison]:
    """Inputs that the oracle cannot tell from those of some tasks, and that have other right answers.

    They say the same in another order. An answer that depends on such an order is one of several.

    Args:
        comparisons: one of each task.

    Raises:
        SandboxError: this cannot be done here.
    """
    solved = [comparison for comparison in comparisons if comparison.play.correct][:_LOOK_ALIKES]
    each = _LOOK_ALIKES // max(1, len(solved))
    pairs = [
        (original, task)
        for original in solved
        for task in islice(reorderings(environment, original.play.task), each)
    ]
    found = await bench.each(partial(compare_oracle, bench, environment), [task for _, task in pairs])
    return [
        comparison
        for (original, _), comparison in zip(pairs, found, strict=True)
        if comparison.compared
        and not comparison.play.correct
        and _transcript(comparison.play) == _transcript(original.play)
    ]


def _transcript(play: RecordedPlay) -> list[tuple[str, dict[str, Any], str]]:
    return [(step.name, step.arguments, step.digest) for step in play.steps]


async def _depends_on_order(
    bench: VerificationContext, environment: Environment, comparison: OracleComparison
) -> bool:
    """Whether each of the two gives the other's answer when the input is written in another order."""
    tasks = list(reorderings(environment, comparison.play.task))
    accepted = await bench.each(partial(_is_accepted, bench, environment, comparison.play.answer), tasks)
    if not any(accepted):
        return False
    found = await bench.each(partial(compare_oracle, bench, environment), tasks)
    return any(
        each.play.submitted and environment.answer.equal(comparison.reference, each.play.answer)
        for each in found
    )


async def _is_accepted(bench: VerificationContext, environment: Environment, answer: Any, task: Task) -> bool:
    try:
        return (await judge(bench.pool, environment, task, answer, bench.limits)).correct
    except SandboxError:
        raise
    except CodegymError:
        return False


def reorderings(environment: Environment, task: Task) -> Iterator[Task]:
    """The same task with the lists and mappings of its hidden input in other orders."""
    for number in range(_REORDERINGS):
        changed = deepcopy(hidden(environment, task))
        random = Random(f"{task.id} {number}")  # noqa: S311 - the same every time
        for _, value in list(walk(changed)):
            if isinstance(value, list):
                value.reverse() if number == 0 else random.shuffle(value)
            elif isinstance(value, dict):
                _reorder_keys(value, random)
        yield Task(id=f"{task.id}%{number}", config=with_hidden(environment, task, changed), text=task.text)


def _reorder_keys(mapping: dict[str, Any], random: Random) -> None:
    keys = list(mapping)
    random.shuffle(keys)
    for key in keys:
        mapping[key] = mapping.pop(key)
