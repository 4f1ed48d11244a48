"""From problems to environments: many at once, kept in an order that does not depend on how fast each is."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

import anyio
from pydantic_core import to_json

from codegym_mcp.environment import Environment
from codegym_mcp.errors import ModelError
from codegym_mcp.source import read_environment_source
from codegym_mcp.synthesis.asking import Asker
from codegym_mcp.synthesis.author import Author
from codegym_mcp.synthesis.draft import environment_name
from codegym_mcp.synthesis.duplicates import Fingerprint, Fingerprints, same_problems
from codegym_mcp.synthesis.folder import Folder
from codegym_mcp.synthesis.outcome import Candidate, Funnel, Loss, Outcome, Stage
from codegym_mcp.synthesis.problems import Problem, UnreadableProblem, refusal
from codegym_mcp.synthesis.store import Store
from codegym_mcp.verification.bench import Bench
from codegym_mcp.verification.cache import gates_version


class Watcher:
    """Is told how a synthesis goes; does nothing unless it is derived from."""

    def stage_entered(self, problem: str, stage: Stage) -> None:
        """A candidate of a problem has come to a stage."""

    def problem_done(self, outcome: Outcome) -> None:
        """A problem is decided, and what was made of it is in the folder."""

    def problem_unfinished(self, loss: Loss) -> None:
        """The model gave no answer for a problem."""


@dataclass
class Synthesis:
    """Makes environments of problems.

    Attributes:
        existing: environments that new ones are not to repeat.
        concurrency: problems at once.
    """

    asker: Asker
    bench: Bench
    store: Store
    folder: Folder
    existing: Sequence[Environment] = ()
    concurrency: int = 8
    watcher: Watcher = field(default_factory=Watcher)

    async def run(self, problems: Sequence[Problem | UnreadableProblem]) -> Funnel:
        """Goes through all problems; those that are done are not done again.

        Raises:
            RunHaltedError: the model can be asked no more. What was done is kept.
            SandboxError: nothing can be tried here.
            SynthesisError, UnwritableError: what was done cannot be kept.
        """
        readable = [each for each in problems if isinstance(each, Problem)]
        repeated = same_problems(readable)
        decided: dict[int, Outcome | Loss] = {}
        sums = _Sums(self, problems)
        limiter = anyio.CapacityLimiter(self.concurrency)

        async def one(place: int, problem: Problem | UnreadableProblem) -> None:
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

    async def _decide(self, problem: Problem | UnreadableProblem, repeated: dict[str, str]) -> Outcome | Loss:
        if isinstance(problem, UnreadableProblem):
            return Outcome.refused(problem.id, Stage.PROBLEM, problem.reason)
        reason = refusal(problem)
        if reason is not None:
            return Outcome.refused(problem.id, Stage.PROBLEM, reason)
        if problem.id in repeated:
            reason = f"It is the same problem as {repeated[problem.id]}."
            return Outcome.refused(problem.id, Stage.DUPLICATE, reason)
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
            return Loss(problem=problem.id, reason=error.message)
        outcome = Outcome(problem=problem.id, candidates=candidates)
        self.store.put_outcome(key, outcome)
        return outcome

    def _key(self, problem: Problem) -> str:
        told = [problem.model_dump(mode="json"), self.folder.recipe.digest, gates_version()]
        return sha256(to_json(told)).hexdigest()


class _Sums:
    """What was decided, in the order of the problems."""

    def __init__(self, synthesis: Synthesis, problems: Sequence[Problem | UnreadableProblem]) -> None:
        self._synthesis = synthesis
        self._problems = problems
        self._outcomes: list[Outcome] = []
        self._unfinished: list[Loss] = []
        ours = {name for each in problems for name in synthesis.folder.names(each.id)}
        others = [each for each in synthesis.existing if each.name not in ours]
        self._fingerprints = Fingerprints([Fingerprint.of(each) for each in others])
        self._taken = {each.name for each in others}
        self.place = 0

    def add(self, decided: Outcome | Loss) -> None:
        problem = self._problems[self.place]
        self.place += 1
        watcher, folder = self._synthesis.watcher, self._synthesis.folder
        if isinstance(decided, Loss):
            self._unfinished.append(decided)
            watcher.problem_unfinished(decided)
            return
        outcome, kept = self._choose(decided)
        if isinstance(problem, Problem):
            folder.put(problem, kept)
        folder.put_rejected(outcome)
        self._outcomes.append(outcome)
        watcher.problem_done(outcome)

    def funnel(self) -> Funnel:
        return Funnel.of(self._outcomes, [*self._unfinished, *self._never_begun()])

    def _never_begun(self) -> Iterable[Loss]:
        for problem in self._problems[self.place :]:
            yield Loss(problem=problem.id, reason="The run ended before it was decided.")

    def _choose(self, outcome: Outcome) -> tuple[Outcome, list[tuple[str, Candidate]]]:
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
