"""The outcome of each problem, and the funnel that counts the outcomes of all problems by stage."""

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from codegym_mcp.environment_definition.environment import Task
from codegym_mcp.synthesis.synthesis_options import Tier, TracingFigures
from codegym_mcp.verification.audit.audit import Audit


class Stage(StrEnum):
    """A stage of synthesis at which a candidate can be rejected, in order."""

    PROBLEM = "problem"
    """The problem cannot be used."""
    MODEL = "model"
    """The model refuses, or its context is too small."""
    ENVIRONMENT = "environment"
    """The file does not follow the contract of environments."""
    TASKS = "tasks"
    """The environment runs on too few configurations."""
    ORACLE = "oracle"
    """No oracle solves every task through the tools."""
    LENGTH = "length"
    """Too few tasks take the oracle a suitable number of calls."""
    VERIFICATION = "verification"
    """A gate fails."""
    AUDIT = "audit"
    """The grade of the audit is too low."""
    DUPLICATE = "duplicate"
    """The problem or the environment repeats another one."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class GenerationAttempt(_Record):
    """A reply of the model that was rejected."""

    stage: Stage
    reason: str
    written: str
    """What the model wrote."""


class Costs(_Record):
    """Requests, tokens and price of a model's responses, including responses of earlier runs."""

    requests: int = 0
    tokens: int = 0
    cost: float = 0.0
    """Price in US dollars of the responses whose price is known."""

    def __add__(self, other: "Costs") -> "Costs":
        return Costs(
            requests=self.requests + other.requests,
            tokens=self.tokens + other.tokens,
            cost=self.cost + other.cost,
        )


class AcceptedEnvironment(_Record):
    """An environment that passed all stages before the comparison with other environments."""

    title: str
    source: str
    tasks: list[Task]
    audit: Audit


class Candidate(_Record):
    """One attempt to make an environment of a problem: accepted, or rejected at a stage."""

    sample: int
    """Number of the attempt, starting at 0."""
    accepted: AcceptedEnvironment | None = None
    rejected_at: Stage | None = None
    """The stage at which it was rejected, or None."""
    reason: str = ""
    """Why it was rejected, or the empty string."""
    attempts: list[GenerationAttempt] = []
    """The rejected replies, in order."""
    dropped_configurations: list[str] = []
    """Why configurations that the model wrote are not among the tasks, a sentence each."""
    costs: Costs = Costs()
    tracing: TracingFigures | None = None
    """What tracing measured, or None if a model wrote the candidate."""


class ProblemOutcome(_Record):
    """The outcome of a problem."""

    problem: str
    """Id of the problem."""
    candidates: list[Candidate] = []
    kept: list[str] = []
    """Names of the environments that were kept."""

    @classmethod
    def rejected_unasked(cls, problem: str, stage: Stage, reason: str) -> "ProblemOutcome":
        """Builds the outcome of a problem that was rejected without a request to the model."""
        return cls(problem=problem, candidates=[Candidate(sample=0, rejected_at=stage, reason=reason)])

    @property
    def costs(self) -> Costs:
        """Costs of all candidates."""
        return sum((candidate.costs for candidate in self.candidates), Costs())

    @property
    def furthest_rejected(self) -> Candidate | None:
        """The rejected candidate that reached the latest stage, or None."""
        rejected = [candidate for candidate in self.candidates if candidate.rejected_at is not None]
        stages = list(Stage)
        return max(rejected, key=lambda each: stages.index(each.rejected_at or Stage.PROBLEM), default=None)


class RejectedProblem(_Record):
    """A problem without an environment, and the reason."""

    problem: str
    reason: str


class Funnel(_Record):
    """Counts of problems: how many were read, rejected at each stage, and kept."""

    problems: int
    kept: int
    """Number of problems of which an environment was made."""
    environments: list[str]
    """Names of the environments."""
    tiers: dict[Tier, int] = {}
    """Number of traced environments of each tier; empty without tracing."""
    rejected: dict[Stage, list[RejectedProblem]]
    unfinished: list[RejectedProblem]
    """Problems for which the model gave no response; running again continues with them."""
    costs: Costs

    @classmethod
    def of(cls, outcomes: Sequence[ProblemOutcome], unfinished: Iterable[RejectedProblem] = ()) -> "Funnel":
        """Counts each problem at the latest stage that one of its candidates reached."""
        rejected: dict[Stage, list[RejectedProblem]] = {stage: [] for stage in Stage}
        for outcome in outcomes:
            furthest = outcome.furthest_rejected
            if not outcome.kept and furthest is not None and furthest.rejected_at is not None:
                rejected[furthest.rejected_at].append(
                    RejectedProblem(problem=outcome.problem, reason=furthest.reason)
                )
        waiting = list(unfinished)
        return cls(
            problems=len(outcomes) + len(waiting),
            kept=sum(bool(outcome.kept) for outcome in outcomes),
            environments=[name for outcome in outcomes for name in outcome.kept],
            tiers=_count_tiers(outcomes),
            rejected=rejected,
            unfinished=waiting,
            costs=sum((outcome.costs for outcome in outcomes), Costs()),
        )


def _count_tiers(outcomes: Sequence[ProblemOutcome]) -> dict[Tier, int]:
    kept = [
        each
        for outcome in outcomes
        if outcome.kept
        for each in outcome.candidates
        if each.rejected_at is None
    ]
    found = Counter(each.tracing.tier for each in kept if each.tracing is not None)
    return {tier: found[tier] for tier in Tier if found[tier]}
