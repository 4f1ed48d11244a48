"""What came of a problem, and the funnel over all of them."""

from collections.abc import Iterable, Sequence
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from codegym_mcp.spec.environment import Task
from codegym_mcp.verification.audit.audit import Audit


class Stage(StrEnum):
    """Where a candidate can be lost, in the order in which it gets there."""

    PROBLEM = "problem"
    """The problem cannot be used."""
    MODEL = "model"
    """The model declines, or cannot read so much."""
    ENVIRONMENT = "environment"
    """No file that keeps the contract."""
    TASKS = "tasks"
    """Too few configurations on which the environment runs."""
    ORACLE = "oracle"
    """No oracle solves every task through the tools."""
    LENGTH = "length"
    """Too few tasks that take the oracle as many calls as they should."""
    VERIFICATION = "verification"
    """A gate."""
    AUDIT = "audit"
    """It can be guessed, gives itself away, or is worth too little in another way."""
    DUPLICATE = "duplicate"
    """There is such a problem or such an environment already."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class GenerationAttempt(_Record):
    """Something that a model wrote and that did not do."""

    stage: Stage
    reason: str
    written: str
    """What the model wrote."""


class Costs(_Record):
    """What the answers of a model took, whether they were given now or in an earlier run."""

    requests: int = 0
    tokens: int = 0
    cost: float = 0.0
    """In US dollars, of the answers whose price is known."""

    def __add__(self, other: "Costs") -> "Costs":
        return Costs(
            requests=self.requests + other.requests,
            tokens=self.tokens + other.tokens,
            cost=self.cost + other.cost,
        )


class AcceptedEnvironment(_Record):
    """An environment that passed everything but the comparison with others."""

    title: str
    source: str
    tasks: list[Task]
    audit: Audit


class Candidate(_Record):
    """One environment that was to be made of a problem: it was made, or it was lost at a stage."""

    sample: int
    made: AcceptedEnvironment | None = None
    lost: Stage | None = None
    reason: str = ""
    """Why it was lost."""
    attempts: list[GenerationAttempt] = []
    """What did not do, in the order in which it was written."""
    costs: Costs = Costs()


class ProblemOutcome(_Record):
    """What came of a problem."""

    problem: str
    """Its id."""
    candidates: list[Candidate] = []
    kept: list[str] = []
    """The names of the environments that were kept."""

    @classmethod
    def refused(cls, problem: str, stage: Stage, reason: str) -> "ProblemOutcome":
        """Of a problem that no model was asked about."""
        return cls(problem=problem, candidates=[Candidate(sample=0, lost=stage, reason=reason)])

    @property
    def costs(self) -> Costs:
        """Of all candidates."""
        return sum((candidate.costs for candidate in self.candidates), Costs())

    @property
    def furthest(self) -> Candidate | None:
        """The candidate that came furthest of those that were lost."""
        lost = [candidate for candidate in self.candidates if candidate.lost is not None]
        stages = list(Stage)
        return max(lost, key=lambda each: stages.index(each.lost or Stage.PROBLEM), default=None)


class RejectedProblem(_Record):
    """A problem that no environment was made of."""

    problem: str
    reason: str


class Funnel(_Record):
    """How many problems went in, where they were lost and why, and what came out."""

    problems: int
    kept: int
    """Problems of which an environment was made."""
    environments: list[str]
    """The names of the environments."""
    lost: dict[Stage, list[RejectedProblem]]
    unfinished: list[RejectedProblem]
    """Problems for which the model gave no answer; running again goes on with them."""
    costs: Costs

    @classmethod
    def of(cls, outcomes: Sequence[ProblemOutcome], unfinished: Iterable[RejectedProblem] = ()) -> "Funnel":
        """Counts, each problem at the stage that the best of its candidates reached."""
        lost: dict[Stage, list[RejectedProblem]] = {stage: [] for stage in Stage}
        for outcome in outcomes:
            furthest = outcome.furthest
            if not outcome.kept and furthest is not None and furthest.lost is not None:
                lost[furthest.lost].append(RejectedProblem(problem=outcome.problem, reason=furthest.reason))
        waiting = list(unfinished)
        return cls(
            problems=len(outcomes) + len(waiting),
            kept=sum(bool(outcome.kept) for outcome in outcomes),
            environments=[name for outcome in outcomes for name in outcome.kept],
            lost=lost,
            unfinished=waiting,
            costs=sum((outcome.costs for outcome in outcomes), Costs()),
        )
