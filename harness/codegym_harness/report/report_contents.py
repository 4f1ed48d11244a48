"""The contents of a report as data."""

from enum import StrEnum

from pydantic import BaseModel

from codegym_harness.records.trajectory import Outcome
from codegym_harness.report.reference_agents import ReferenceAgent
from codegym_harness.runs.comparison import Comparison
from codegym_harness.runs.run_index import RunState
from codegym_harness.statistics.run_metrics import Summary
from codegym_mcp.verification.audit.grading_rules import Finding, Grade


class EpisodeEnding(BaseModel):
    """How episodes of a run ended, and how many of them."""

    outcome: Outcome
    reason: str
    """Why the episodes ended with this outcome, for example "limit reached: calls"."""
    episodes: int


class CallCounts(BaseModel):
    """Episodes of a run with the same outcome and the same numbers of calls."""

    oracle_calls: int
    calls: int
    outcome: Outcome
    episodes: int


class ReportedRun(BaseModel):
    """A run of a report."""

    label: str
    """The letter by which the report names the run."""
    path: str
    agent: str
    reference_agent: ReferenceAgent | None = None
    """Set if the oracle or a baseline played the run."""
    state: RunState
    started: str
    """ISO 8601 in UTC; empty if unknown."""
    version: str
    """The version of this program that started the run; empty if unknown."""
    settings: dict[str, str]
    """The configuration of the run, as far as it differs between runs or explains a figure."""
    summary: Summary
    baselines: list[Summary]
    """The statistics of the baselines that were run beside the run."""
    endings: list[EpisodeEnding]
    call_counts: list[CallCounts]
    """The episodes whose oracle calls are known and that did not fail."""
    seconds_median: float | None
    """The median duration of an episode in seconds; None without episodes."""
    problems: list[str]
    """What is wrong with the run, one sentence each."""

    @property
    def plays_oracle(self) -> bool:
        """Returns whether the oracle played the run, which is then not compared with the oracle's calls."""
        return self.reference_agent is ReferenceAgent.ORACLE


class ReportedEnvironment(BaseModel):
    """An environment that the runs of a report played, and its audit."""

    name: str
    title: str = ""
    """Its title and the first sentence of its tasks; empty if its source was not found."""
    grade: Grade | None
    """None if no audit was found."""
    audited_tasks: int | None = None
    """The number of tasks on which the audit measured."""
    played_tasks: int = 0
    """The number of tasks that the runs played."""
    note: str = ""
    """Why there is no audit, or why it does not describe the environment as it was played."""
    findings: list[Finding] = []
    oracle: float | None = None
    """Mean reward of the oracle in the audit, and likewise of the baselines below."""
    constant: float | None = None
    observe: float | None = None
    random: float | None = None
    oracle_calls: float | None = None
    """Median number of tool calls of the oracle."""
    adaptive: float | None = None
    """See `Figures.adaptive`."""

    @property
    def best_baseline(self) -> float | None:
        """The highest mean reward of the baselines, or None without an audit."""
        rewards = [each for each in (self.constant, self.observe, self.random) if each is not None]
        return max(rewards, default=None)


class EpisodeChoice(StrEnum):
    """Why an episode is one of the most telling ones."""

    NOT_SCORED = "not scored"
    """It failed without the agent's fault, or was played without scoring."""
    SOLVED_ELSEWHERE = "solved in another run"
    UNSTABLE = "solved in another attempt"
    NEAREST_TO_SUCCESS = "nearest to success"
    """Its reward is above 0, or a part of its answer agrees with the right one."""
    CLOSEST_CALLS = "calls closest to the oracle's"
    STOPPED = "stopped early"
    """A limit or the loop of the model ended it before the agent submitted an answer."""
    MOST_CALLS = "most calls"
    FEWER_CALLS_THAN_ORACLE = "fewer calls than the oracle"
    """It was solved with fewer calls than the environment's own solution makes."""
    INVALID_CALLS = "most malformed calls"
    REFUSED_CALLS = "most refused calls"
    TYPICAL_SUCCESS = "typical success"
    """It was solved, with the median calls of the solved episodes of its run."""


class ExcerptKind(StrEnum):
    """What a part of an excerpt is."""

    TASK = "task"
    MESSAGE = "message"
    REASONING = "reasoning"
    CALL = "call"
    RESULT = "result"
    ERROR = "error"
    """A result that is an error."""
    OMITTED = "omitted"
    """A number of steps that are left out."""


class ExcerptPart(BaseModel):
    """A part of an episode."""

    kind: ExcerptKind
    text: str
    """Shortened if it is long."""
    rest: str = ""
    """The rest of a task, which the page unfolds; shortened if it is long."""


class TellingEpisode(BaseModel):
    """An episode that shows what happened in a run."""

    run: str
    """The label of the run."""
    path: str
    """The run directory."""
    key: str
    choice: EpisodeChoice
    reason: str
    """One sentence."""
    outcome: Outcome
    calls: int
    oracle_calls: int | None
    invalid_calls: int
    refused_calls: int
    difficulty: int | None = None
    overlap: float | None = None
    """How much of the answer agrees with the reference answer, 0 to 1; None if it is no collection."""
    seconds: float
    steps: int
    answer: str | None
    """The last submitted answer as JSON, shortened; None if nothing was submitted."""
    solved_by: str = ""
    """The label of a run that solved the same task, or the empty string."""
    solving_answer: str | None = None
    """The answer which that run submitted."""
    excerpt: list[ExcerptPart]


class DifferingTask(BaseModel):
    """A task whose mean reward differs between runs."""

    environment: str
    task: str
    rewards: dict[str, float]
    """By the label of a run: the mean reward over its scored attempts; absent if the run did not score it."""


class Report(BaseModel):
    """What happened in runs."""

    version: str
    """The version of this program."""
    created: str
    """ISO 8601 in UTC."""
    runs: list[ReportedRun]
    comparisons: list[Comparison]
    """Of each pair of runs with a scored task in common; `first_run` and `second_run` are labels."""
    not_compared: list[str]
    """Pairs of runs that have no scored task in common, for example "A and B"."""
    differing_tasks: list[DifferingTask]
    compared_tasks: int = 0
    """The number of tasks that more than one run scored."""
    environments: list[ReportedEnvironment]
    episodes: list[TellingEpisode]
