"""Has several oracles of a draft written independently, tries them, and finds the cause if they fail."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from codegym_mcp.environment_definition.environment import Environment, Task
from codegym_mcp.errors import SourceError
from codegym_mcp.synthesis.cached_model import Turns
from codegym_mcp.synthesis.draft_rejection import DraftPart, DraftRejectedError
from codegym_mcp.synthesis.environment_draft import Draft, environment_name
from codegym_mcp.synthesis.model_requests import ModelRequests, complete_text
from codegym_mcp.synthesis.oracle_trials import (
    OracleTrial,
    agree_against_reference,
    find_unsolvable,
    try_oracle,
)
from codegym_mcp.synthesis.problem_outcomes import Stage
from codegym_mcp.synthesis.reply_extraction import UnusableReplyError, python_block
from codegym_mcp.synthesis.synthesis_store import StoredResponse
from codegym_mcp.synthesis.task_configurations import ENOUGH, is_written
from codegym_mcp.verification.gates.solved_gate import check_solved
from codegym_mcp.verification.recorded_play import format_value
from codegym_mcp.verification.verification_context import VerificationContext

_FIRST_ORACLES = 2
"""Oracles that are requested first; the others are requested only if these do not solve every task."""
_MAX_PROBLEMS = 4


class BestOracle(NamedTuple):
    """The best oracle of a draft.

    Attributes:
        trial: the oracle and its plays.
        dropped: why written configurations are not among the plays, a sentence each.
    """

    trial: OracleTrial
    dropped: list[str]


@dataclass
class _Tried:
    """The oracles that were tried, by sample.

    Attributes:
        responses: the responses of the model.
        trials: the trials of the usable oracles.
        unusable: why the other oracles cannot be used.
    """

    responses: dict[int, StoredResponse] = field(default_factory=dict)
    trials: dict[int, OracleTrial] = field(default_factory=dict)
    unusable: dict[int, str] = field(default_factory=dict)


@dataclass
class OracleAuthor:
    """Writes the oracles of a candidate.

    Attributes:
        requests: sends requests to the model.
        context: the sandboxes in which oracles are tried.
        least_tasks: least number of tasks of an environment.
    """

    requests: ModelRequests
    context: VerificationContext
    least_tasks: int
    _turns: list[Turns] = field(default_factory=list)
    _trials: dict[tuple[str, bytes], OracleTrial] = field(default_factory=dict)

    def set_requests(self, requests: Sequence[str]) -> None:
        """Sets the first request of each oracle; dialogues with the same first requests are continued."""
        if list(requests) != [turns[0] for turns in self._turns]:
            self._turns = [(request,) for request in requests]

    def request_repair(self, sample: int, request: str) -> None:
        """Continues the dialogue about an oracle."""
        self._turns[sample] = self.requests.continue_turns(self._turns[sample], sample, request)

    async def write(self, draft: Draft, tasks: Sequence[Task], *, reference_confirmed: bool) -> BestOracle:
        """Returns the best oracle, without the written configurations that do not fit the task.

        Args:
            reference_confirmed: whether the model has confirmed the reference; then the oracles are wrong if
                they differ from it.

        Raises:
            DraftRejectedError: no oracle solves every task; `part` says what has to be repaired.
        """
        tried = _Tried()
        first = range(min(_FIRST_ORACLES, len(self._turns)))
        await self._try_oracles(draft, tasks, first, tried)
        if len(tried.trials) < len(first) or any(trial.wrong for trial in tried.trials.values()):
            await self._try_oracles(draft, tasks, range(len(first), len(self._turns)), tried)
        if not tried.trials:
            sample = min(tried.unusable)
            raise DraftRejectedError(
                Stage.ORACLE,
                DraftPart.ORACLE,
                tried.unusable[sample],
                written=tried.responses[sample].text,
                sample=sample,
                is_form=True,
            )
        trials = list(tried.trials.values())
        sample = max(tried.trials, key=lambda each: (*tried.trials[each].rank, -each))
        best = tried.trials[sample]
        if not best.wrong or best.hindered:
            return BestOracle(best, [])
        agreed = agree_against_reference(trials)
        if agreed is not None and not reference_confirmed:
            play, count = agreed
            (problem, *_) = await check_solved(self.context, best.environment, [play])
            reason = (
                f"{count} oracles that were written independently agree against the reference. {problem}\n"
                f"The configuration is {format_value(play.task.config)}."
            )
            raise DraftRejectedError(
                Stage.ORACLE, DraftPart.ENVIRONMENT, reason, written=draft.source, asks_decision=True
            )
        misfits = [] if reference_confirmed else find_unsolvable(trials)
        rest = best.without(misfits)
        if misfits and not rest.wrong:
            dropped = [_describe_misfit(task) for task in misfits]
            written = sum(is_written(task) for task in tasks)
            if len(misfits) <= (1 - ENOUGH) * written and len(rest.plays) >= self.least_tasks:
                return BestOracle(rest, dropped)
            reason = "\n".join(dropped[:_MAX_PROBLEMS])
            configs = "\n".join(format_value(task.config) for task in misfits)
            raise DraftRejectedError(Stage.ORACLE, DraftPart.TASKS, reason, written=configs)
        reason = await self._describe_failure(best)
        if agreed is not None:
            reason += "\nThe author of the task has confirmed the reference answers by the words of the task."
        written_oracle = tried.responses[sample].text
        raise DraftRejectedError(
            Stage.ORACLE,
            DraftPart.ORACLE,
            _add_first_line(reason, draft),
            written=written_oracle,
            sample=sample,
        )

    async def _try_oracles(
        self, draft: Draft, tasks: Sequence[Task], samples: Sequence[int], tried: _Tried
    ) -> None:
        """Requests oracles, tries them, and adds the results."""

        async def request(sample: int) -> None:
            tried.responses[sample] = await self.requests.send(self._turns[sample], sample)

        await self.context.run_all_nested(request, samples)
        name = environment_name(draft.title)
        for sample in samples:
            try:
                solve = draft.read_oracle(python_block(complete_text(tried.responses[sample])))
                environment = draft.with_oracle(solve, name)
            except (UnusableReplyError, SourceError) as error:
                tried.unusable[sample] = _add_first_line(str(error), draft)
                continue
            tried.trials[sample] = await self._try(environment, tasks)

    async def _try(self, environment: Environment, tasks: Sequence[Task]) -> OracleTrial:
        key = (environment.program.source, b"".join(task.model_dump_json().encode() for task in tasks))
        if key not in self._trials:
            self._trials[key] = await try_oracle(self.context, environment, tasks)
        return self._trials[key]

    async def _describe_failure(self, best: OracleTrial) -> str:
        problems = await check_solved(self.context, best.environment, best.wrong[:_MAX_PROBLEMS])
        described = "\n".join(map(str, problems))
        solved = sum(play.correct for play in best.plays)
        return f"The best oracle solves {solved} of {len(best.plays)} tasks.\n{described}"


def _add_first_line(reason: str, draft: Draft) -> str:
    """Adds to a reason with line numbers the line at which the oracle begins."""
    if not re.search(r"\bline \d|the file:\d", reason):
        return reason
    return f"{reason}\nLine {draft.oracle_line} is the first line of what you wrote."


def _describe_misfit(task: Task) -> str:
    return (
        f"The configuration {format_value(task.config)} does not fit the task: no oracle solves it, "
        "although all generated tasks are solved."
    )
