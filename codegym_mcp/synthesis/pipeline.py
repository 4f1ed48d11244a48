"""From problems to environments: many at once, kept in an order that does not depend on how fast each is."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

import anyio
from pydantic_core import to_json

from codegym_mcp.errors import ModelError
from codegym_mcp.spec.environment import Environment
from codegym_mcp.spec.environment_file import read_environment_source
from codegym_mcp.synthesis.cached_model import CachedModel
from codegym_mcp.synthesis.duplicates import Fingerprint, Fingerprints, same_problems
from codegym_mcp.synthesis.environment_author import Author
from codegym_mcp.synthesis.environment_draft import environment_name
from codegym_mcp.synthesis.funnel import Candidate, Funnel, ProblemOutcome, RejectedProblem, Stage
from codegym_mcp.synthesis.output_folder import Folder
from codegym_mcp.synthesis.problem_reader import CodingProblem, UnreadableProblem, refusal
from codegym_mcp.synthesis.synthesis_store import SynthesisStore
from codegym_mcp.verification.verification_cache import gates_version
from codegym_mcp.verification.verification_context import VerificationContext


class SynthesisObserver:
    """Is told how a synthesis goes; does nothing unless it is derived from."""

    def stage_entered(self, problem: str, stage: Stage) -> None:
        """A candidate of a problem has come to a stage."""

    def problem_done(self, outcome: ProblemOutcome) -> None:
        """A problem is decided, and what was made of it is in the folder."""

    def problem_unfinished(self, loss: RejectedProblem) -> None:
        """The model gave no answer for a problem."""


@dataclass
class Synthesis:
    """Makes environments of problems.

    Attributes:
        existing: environments that new ones are not to repeat.
        concurrency: problems at once.
    """

    asker: CachedModel
    bench: VerificationContext
    store: SynthesisStore
    folder: Folder
    existing: Sequence[Environment] = ()
    concurrency: int = 8
    watcher: SynthesisObserver = field(default_factory=SynthesisObserver)

    async def run(self, problems: Sequence[CodingProblem | UnreadableProblem]) -> Funnel:
        """Goes through all problems; those that are done are not done again.

        Raises:
            RunHaltedError: the model can be asked no more. What was done is kept.
            SandboxError: nothing can be tried here.
            SynthesisError, UnwritableError: what was done cannot be kept.
        """
        readable = [each for each in problems if isinstance(each, CodingProblem)]
        repeated = same_problems(readable)
        decided: dict[int, ProblemOutcome | RejectedProblem] = {}
        sums = _Sums(self, problems)
        limiter = anyio.CapacityLimiter(self.concurrency)

        async def one(place: int, problem: CodingProblem | UnreadableProblem) -> None:
            async with limiter:
                decided[place] = await self._decide(problem, repeated)
            # What is kept depends on what was kept before; so it goes in the order of the problems.
            while sums.place in decided:
                sums.add(decided.pop(sums.place))

        try:
            async with anyio.create_task_group() as tasks:
                for place, problem in enumerate(problems):
                    tasks.start_soon(one, place, problem)
        finally:
            self.folder.put_funnel(sums.funnel())
        return sums.funnel()

    async def _decide(
        self, problem: CodingProblem | UnreadableProblem, repeated: dict[str, str]
    ) -> ProblemOutcome | RejectedProblem:
        if isinstance(problem, UnreadableProblem):
            return ProblemOutcome.refused(problem.id, Stage.PROBLEM, problem.reason)
        reason = refusal(problem)
        if reason is not None:
            return ProblemOutcome.refused(problem.id, Stage.PROBLEM, reason)
        if problem.id in repeated:
            reason = f"It is the same problem as {repeated[problem.id]}."
            return ProblemOutcome.refused(problem.id, Stage.DUPLICATE, reason)
        key = self._key(problem)
        known = self.store.outcome(key)
        if known is not None:
            return known
        options = self.folder.recipe.options
        try:
            candidates = [
                await Author(
                    problem, sample, self.asker, self.bench, options, self.watcher.stage_entered
                ).write()
                for sample in range(options.samples)
            ]
        except ModelError as error:
            return RejectedProblem(problem=problem.id, reason=error.message)
        outcome = ProblemOutcome(problem=problem.id, candidates=candidates)
        self.store.put_outcome(key, outcome)
        return outcome

    def _key(self, problem: CodingProblem) -> str:
        told = [problem.model_dump(mode="json"), self.folder.recipe.digest, gates_version()]
        return sha256(to_json(told)).hexdigest()


class _Sums:
    """What was decided, in the order of the problems."""

    def __init__(self, synthesis: Synthesis, problems: Sequence[CodingProblem | UnreadableProblem]) -> None:
        self._synthesis = synthesis
        self._problems = problems
        self._outcomes: list[ProblemOutcome] = []
        self._unfinished: list[RejectedProblem] = []
        ours = {name for each in problems for name in synthesis.folder.names(each.id)}
        others = [each for each in synthesis.existing if each.name not in ours]
        self._fingerprints = Fingerprints([Fingerprint.of(each) for each in others])
        self._taken = {each.name for each in others}
        self.place = 0

    def add(self, decided: ProblemOutcome | RejectedProblem) -> None:
        problem = self._problems[self.place]
        self.place += 1
        watcher, folder = self._synthesis.watcher, self._synthesis.folder
        if isinstance(decided, RejectedProblem):
            self._unfinished.append(decided)
            watcher.problem_unfinished(decided)
            return
        outcome, kept = self._choose(decided)
        if isinstance(problem, CodingProblem):
            folder.put(problem, kept)
        folder.put_rejected(outcome)
        self._outcomes.append(outcome)
        watcher.problem_done(outcome)

    def funnel(self) -> Funnel:
        return Funnel.of(self._outcomes, [*self._unfinished, *self._never_begun()])

    def _never_begun(self) -> Iterable[RejectedProblem]:
        for problem in self._problems[self.place :]:
            yield RejectedProblem(problem=problem.id, reason="The run ended before it was decided.")

    def _choose(self, outcome: ProblemOutcome) -> tuple[ProblemOutcome, list[tuple[str, Candidate]]]:
        """Leaves out duplicates, and names what is kept; of several candidates the best ones first."""
        kept: list[tuple[str, Candidate]] = []
        candidates = []
        for candidate in sorted(outcome.candidates, key=_worth):
            made = candidate.made
            if made is None:
                candidates.append(candidate)
                continue
            name = self._name(outcome.problem, made.title)
            fingerprint = Fingerprint.of(read_environment_source(made.source, name=name, path=name))
            alike = self._fingerprints.alike(fingerprint)
            if alike is None:
                self._fingerprints.known.append(fingerprint)
                self._taken.add(name)
                kept.append((name, candidate))
                candidates.append(candidate)
            else:
                reason = f"It is {alike[1]:.0%} the same as {alike[0]}."
                lost = {"lost": Stage.DUPLICATE, "reason": reason}
                candidates.append(candidate.model_copy(update=lost))
        ordered = sorted(candidates, key=lambda each: each.sample)
        names = [name for name, _ in kept]
        return outcome.model_copy(update={"candidates": ordered, "kept": names}), kept

    def _name(self, problem: str, title: str) -> str:
        # Those of other problems are theirs, also before they are decided anew.
        theirs = self._synthesis.folder.names_of_others(problem)
        taken = self._taken | theirs
        return next(name for name in _names(environment_name(title)) if name not in taken)


def _worth(candidate: Candidate) -> tuple[str, int]:
    return (candidate.made.audit.grade if candidate.made is not None else "", candidate.sample)


def _names(first: str) -> Iterator[str]:
    yield first
    number = 2
    while True:
        yield f"{first}_{number}"
        number += 1
