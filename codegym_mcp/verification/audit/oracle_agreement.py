"""Compares oracle and reference on generated and perturbed inputs.

If they differ, one of them is wrong or several answers are right. Several answers are right if each of the
two gives the other's answer once the same input is written in another order, or if inputs that look the same
through the tools have different reference answers.
"""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from itertools import islice
from random import Random
from typing import Any

from codegym_mcp.environment_definition.environment import Environment, Task
from codegym_mcp.episodes.scoring import judge, reference_answer
from codegym_mcp.errors import (
    CodegymError,
    EnvironmentFailedError,
)
from codegym_mcp.policies.oracle import OraclePolicy
from codegym_mcp.verification.audit.audit_measurements import Agreement
from codegym_mcp.verification.audit.config_invariants import walk
from codegym_mcp.verification.audit.config_perturbation import with_hidden
from codegym_mcp.verification.recorded_play import RecordedPlay, format_value, play_episode
from codegym_mcp.verification.verification_context import VerificationContext

_REORDERINGS = 20
_LOOK_ALIKES = 16
_EXAMINED = 6


@dataclass(frozen=True)
class OracleComparison:
    """The oracle's play and the reference answer of one input.

    Attributes:
        play: the oracle's play.
        reference: the reference answer, or None if it cannot be computed.
        error: why it cannot be computed, or None.
    """

    play: RecordedPlay
    reference: Any
    error: CodegymError | None

    @property
    def compared(self) -> bool:
        """Whether both gave an answer."""
        return self.error is None and self.play.verdict is not None

    @property
    def example(self) -> str:
        """Human-readable example: the input, the oracle's answer and the reference."""
        task, play = self.play.task, self.play
        oracle = format_value(play.answer) if play.submitted else str(play.policy_error or play.state)
        reference = str(self.error) if self.error is not None else format_value(self.reference)
        return f"task {task.id} {format_value(task.config)}: oracle {oracle}, reference {reference}"


async def compare_oracle(
    context: VerificationContext, environment: Environment, task: Task
) -> OracleComparison:
    """Lets the oracle play a task and computes the reference answer.

    Raises:
        SandboxError: the sandbox does not work on this system.
    """
    oracle = OraclePolicy(context.pool, environment, context.limits)
    play = await play_episode(context.pool, environment, task, oracle, context.limits)
    try:
        return OracleComparison(
            play, await reference_answer(context.pool, environment, task, context.limits), None
        )
    except EnvironmentFailedError as error:
        return OracleComparison(play, None, error)


async def measure_agreement(
    context: VerificationContext, environment: Environment, comparisons: Sequence[OracleComparison]
) -> Agreement:
    """Counts comparisons that agree, and checks whether those that differ have several right answers.

    Raises:
        SandboxError: the sandbox does not work on this system.
    """
    compared = [comparison for comparison in comparisons if comparison.compared]
    differing = [comparison for comparison in compared if not comparison.play.correct]
    ambiguous: list[OracleComparison] = []
    for comparison in differing[:_EXAMINED]:
        # One ambiguous input is enough.
        if not ambiguous and await _depends_on_order(context, environment, comparison):
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
    context: VerificationContext, environment: Environment, comparisons: Sequence[OracleComparison]
) -> list[OracleComparison]:
    """Finds inputs that look the same to the oracle as a task's input but have another reference answer.

    Such inputs are the task's input in another order. An answer that depends on this order is one of several.

    Args:
        comparisons: one for each task.

    Raises:
        SandboxError: the sandbox does not work on this system.
    """
    solved = [comparison for comparison in comparisons if comparison.play.correct][:_LOOK_ALIKES]
    each = _LOOK_ALIKES // max(1, len(solved))
    pairs = [
        (original, task)
        for original in solved
        for task in islice(reorderings(environment, original.play.task), each)
    ]
    found = await context.run_all(partial(compare_oracle, context, environment), [task for _, task in pairs])
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
    context: VerificationContext, environment: Environment, comparison: OracleComparison
) -> bool:
    """Returns whether oracle and reference each give the other's answer for some order of the input."""
    if not environment.takes_answer:
        return False
    tasks = list(reorderings(environment, comparison.play.task))
    accepted = await context.run_all(partial(_is_accepted, context, environment, comparison.play), tasks)
    if not any(accepted):
        return False
    found = await context.run_all(partial(compare_oracle, context, environment), tasks)
    return any(
        each.play.submitted and environment.answer.equal(comparison.reference, each.play.answer)
        for each in found
    )


async def _is_accepted(
    context: VerificationContext, environment: Environment, play: RecordedPlay, task: Task
) -> bool:
    try:
        verdict = await judge(
            context.pool, environment, task, play.answer, context.limits, state=play.final_state
        )
        return verdict.correct
    except EnvironmentFailedError:
        return False


def reorderings(environment: Environment, task: Task) -> Iterator[Task]:
    """Yields the same task with the lists and mappings of its hidden input in other orders."""
    for number in range(_REORDERINGS):
        changed = deepcopy(environment.hidden_values(task))
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
