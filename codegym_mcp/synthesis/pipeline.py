"""Makes environments of many problems at once; the result does not depend on the speed of each problem."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256

import anyio
from pydantic_core import to_json

from codegym_mcp.catalog.catalog_entries import Entry
from codegym_mcp.code_digest import code_digest
from codegym_mcp.environment_definition.environment_reader import read_environment_source
from codegym_mcp.errors import ModelError, SourceError
from codegym_mcp.synthesis.candidate_making import Author, UndecidedProblemError, make_candidate
from codegym_mcp.synthesis.duplicates import Fingerprint, Fingerprints, find_repeated_problems
from codegym_mcp.synthesis.environment_draft import environment_name
from codegym_mcp.synthesis.output_folder import OutputFolder
from codegym_mcp.synthesis.problem_outcomes import Candidate, Funnel, ProblemOutcome, RejectedProblem, Stage
from codegym_mcp.synthesis.problem_reader import CodingProblem, UnreadableProblem, unusable_reason
from codegym_mcp.synthesis.synthesis_store import SynthesisStore


class SynthesisObserver:
    """Receives the progress of a synthesis; the methods do nothing and can be overridden."""

    def stage_entered(self, problem: str, stage: Stage) -> None:
        """Called when a candidate of a problem enters a stage."""

    def problem_done(self, outcome: ProblemOutcome) -> None:
        """Called when a problem is decided and its environments are stored."""

    def problem_unfinished(self, problem: RejectedProblem) -> None:
        """Called when the model gave no response for a problem."""


@dataclass
class Synthesis:
    """Makes environments of problems.

    Attributes:
        author: makes one candidate of a problem.
        store: stores responses and outcomes.
        folder: the folder of the environments.
        existing: environments that new ones must not repeat. They are read when the first one is accepted;
            those that cannot be used are not compared.
        concurrency: number of problems at once.
        observer: receives the progress.
    """

    author: Author
    store: SynthesisStore
    folder: OutputFolder
    existing: Sequence[Entry] = ()
    concurrency: int = 8
    observer: SynthesisObserver = field(default_factory=SynthesisObserver)

    async def run(self, problems: Sequence[CodingProblem | UnreadableProblem]) -> Funnel:
        """Processes all problems; problems that were decided earlier are not processed again.

        Raises:
            RunHaltedError: the model cannot be used any more. Results so far are stored.
            SandboxError: the sandbox does not work on this system.
            SynthesisError, UnwritableError: results cannot be stored.
        """
        readable = [each for each in problems if isinstance(each, CodingProblem)]
        repeated = find_repeated_problems(readable)
        decided: dict[int, ProblemOutcome | RejectedProblem] = {}
        totals = _Totals(self, problems)
        limiter = anyio.CapacityLimiter(self.concurrency)

        async def process(index: int, problem: CodingProblem | UnreadableProblem) -> None:
            async with limiter:
                decided[index] = await self._decide(problem, repeated)
            # Which environments are duplicates depends on earlier ones, so results are added in order.
            while totals.index in decided:
                totals.add(decided.pop(totals.index))

        try:
            async with anyio.create_task_group() as tasks:
                for index, problem in enumerate(problems):
                    tasks.start_soon(process, index, problem)
        finally:
            self.folder.put_funnel(totals.funnel())
        return totals.funnel()

    async def _decide(
        self, problem: CodingProblem | UnreadableProblem, repeated: dict[str, str]
    ) -> ProblemOutcome | RejectedProblem:
        if isinstance(problem, UnreadableProblem):
            return ProblemOutcome.rejected_unasked(problem.id, Stage.PROBLEM, problem.reason)
        reason = unusable_reason(problem)
        if reason is not None:
            return ProblemOutcome.rejected_unasked(problem.id, Stage.PROBLEM, reason)
        if problem.id in repeated:
            reason = f"It is the same problem as {repeated[problem.id]}."
            return ProblemOutcome.rejected_unasked(problem.id, Stage.DUPLICATE, reason)
        key = self._key(problem)
        stored = self.store.outcome(key)
        if stored is not None:
            return stored
        try:
            candidates = [
                await make_candidate(self.author, problem, sample, self.observer.stage_entered)
                for sample in range(self.folder.recipe.options.samples)
            ]
        except (ModelError, UndecidedProblemError) as error:
            return RejectedProblem(problem=problem.id, reason=error.message)
        outcome = ProblemOutcome(problem=problem.id, candidates=candidates)
        self.store.put_outcome(key, outcome)
        return outcome

    def _key(self, problem: CodingProblem) -> str:
        parts = [problem.model_dump(mode="json"), self.folder.recipe.digest, code_digest()]
        return sha256(to_json(parts)).hexdigest()


class _Totals:
    """The outcomes so far, in the order of the problems."""

    def __init__(self, synthesis: Synthesis, problems: Sequence[CodingProblem | UnreadableProblem]) -> None:
        self._synthesis = synthesis
        self._problems = problems
        self._outcomes: list[ProblemOutcome] = []
        self._unfinished: list[RejectedProblem] = []
        ours = {name for each in problems for name in synthesis.folder.names(each.id)}
        self._others = [each for each in synthesis.existing if each.name not in ours]
        self._taken = {each.name for each in self._others}
        self.index = 0

    @cached_property
    def _fingerprints(self) -> Fingerprints:
        return Fingerprints(list(_fingerprints(self._others)))

    def add(self, decided: ProblemOutcome | RejectedProblem) -> None:
        problem = self._problems[self.index]
        self.index += 1
        observer, folder = self._synthesis.observer, self._synthesis.folder
        if isinstance(decided, RejectedProblem):
            self._unfinished.append(decided)
            observer.problem_unfinished(decided)
            return
        outcome, kept = self._choose(decided)
        if isinstance(problem, CodingProblem):
            folder.put(problem, kept)
        folder.put_rejected(outcome)
        self._outcomes.append(outcome)
        observer.problem_done(outcome)

    def funnel(self) -> Funnel:
        return Funnel.of(self._outcomes, [*self._unfinished, *self._undecided()])

    def _undecided(self) -> Iterable[RejectedProblem]:
        for problem in self._problems[self.index :]:
            yield RejectedProblem(problem=problem.id, reason="The run ended before it was decided.")

    def _choose(self, outcome: ProblemOutcome) -> tuple[ProblemOutcome, list[tuple[str, Candidate]]]:
        """Chooses and names the environments to keep, without duplicates; better candidates come first."""
        kept: list[tuple[str, Candidate]] = []
        candidates = []
        for candidate in sorted(outcome.candidates, key=_quality):
            accepted = candidate.accepted
            if accepted is None:
                candidates.append(candidate)
                continue
            name = self._name(outcome.problem, accepted.title)
            fingerprint = Fingerprint.of(read_environment_source(accepted.source, name=name, path=name))
            duplicate = self._fingerprints.find_duplicate(fingerprint)
            if duplicate is None:
                self._fingerprints.known.append(fingerprint)
                self._taken.add(name)
                kept.append((name, candidate))
                candidates.append(candidate)
            else:
                reason = f"It is {duplicate[1]:.0%} the same as {duplicate[0]}."
                update = {"rejected_at": Stage.DUPLICATE, "reason": reason}
                candidates.append(candidate.model_copy(update=update))
        ordered = sorted(candidates, key=lambda each: each.sample)
        names = [name for name, _ in kept]
        return outcome.model_copy(update={"candidates": ordered, "kept": names}), kept

    def _name(self, problem: str, title: str) -> str:
        # Names of other problems stay reserved until those problems are decided again.
        theirs = self._synthesis.folder.names_of_others(problem)
        taken = self._taken | theirs
        return next(name for name in _names(environment_name(title)) if name not in taken)


def _fingerprints(entries: Iterable[Entry]) -> Iterator[Fingerprint]:
    for entry in entries:
        try:
            yield Fingerprint.of(entry.read())
        except SourceError:
            continue


def _quality(candidate: Candidate) -> tuple[str, int]:
    return (candidate.accepted.audit.grade if candidate.accepted is not None else "", candidate.sample)


def _names(first: str) -> Iterator[str]:
    yield first
    number = 2
    while True:
        yield f"{first}_{number}"
        number += 1
