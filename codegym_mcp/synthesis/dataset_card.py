"""What a published set is: its card, for people and for programs."""

from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import median

from pydantic import BaseModel, ConfigDict

from codegym_mcp.spec.environment import Environment
from codegym_mcp.verification.audit.audit import Audit

UNKNOWN = "unknown"
"""What a card calls a licence, or an origin, that nobody stated."""
_BY_HAND = "none"


class CardFigures(BaseModel):
    """What the audits measured: the median environment."""

    model_config = ConfigDict(frozen=True)

    oracle_calls: float
    """Calls of the oracle for the median task."""
    best_constant: float
    """The part of the tasks for which the commonest answer is right."""
    observe: float
    """Mean reward of looking once and answering."""
    random: float
    """Mean reward of random play."""
    distinct_answers: float
    """The part of the tasks whose answers differ."""

    @classmethod
    def of(cls, audits: Sequence[Audit]) -> "CardFigures":
        """The medians over some audits, of which there is at least one."""
        figures = [audit.figures for audit in audits]
        return cls(
            oracle_calls=median(each.oracle_calls.median for each in figures),
            best_constant=median(each.answers.best_constant for each in figures),
            observe=median(each.observe for each in figures),
            random=median(each.random for each in figures),
            distinct_answers=round(median(each.answers.distinct / each.answers.tasks for each in figures), 4),
        )


class Card(BaseModel):
    """A set in figures."""

    model_config = ConfigDict(frozen=True)

    set: str
    """The name of the file."""
    sha256: str
    """Of the file, in hexadecimal."""
    version: str
    """Of the program that wrote it."""
    environments: int
    tasks: int
    """Fixed ones."""
    endless: int
    """Environments that generate further tasks."""
    tools: int
    difficulties: dict[str, int]
    """Tasks by difficulty, where it is known."""
    licenses: dict[str, int]
    """Environments by licence."""
    mixed_licenses: bool
    sources: dict[str, int]
    """Environments by the collection of their problems, or by their origin."""
    models: dict[str, int]
    """Environments by the model that wrote them; "none" for those that people wrote."""
    grades: dict[str, int]
    """Environments by the grade of their audit."""
    figures: CardFigures

    def markdown(self) -> str:
        """The card for people."""
        figures = self.figures
        parts = [
            f"# {self.set}",
            f"{self.environments} environments with {self.tasks} tasks and {self.tools} tools, verified and "
            f"audited by codegym-mcp {self.version}. {self.endless} of them generate further tasks.",
            self._licenses_told(),
            _table("licence", self.licenses),
            _table("source", self.sources),
            _table("model", self.models),
            _table("grade", self.grades),
            _table("difficulty", self.difficulties, of="tasks"),
            "| median environment | |\n|---|--:|\n"
            f"| calls of the oracle | {figures.oracle_calls:g} |\n"
            f"| reward of the best constant answer | {figures.best_constant:.0%} |\n"
            f"| reward of looking once and answering | {figures.observe:.0%} |\n"
            f"| reward of random play | {figures.random:.0%} |\n"
            f"| answers that differ | {figures.distinct_answers:.0%} |",
            f"Use it with `codegym-mcp list --environments {self.set}`.\n\nSHA-256 `{self.sha256}`",
        ]
        return "\n\n".join(part for part in parts if part) + "\n"

    def _licenses_told(self) -> str:
        if self.mixed_licenses:
            return (
                "**Its environments are under different licences.** Each row states its own under `license`."
            )
        return f"Licence: {next(iter(self.licenses))}"


def tool_count(environments: Iterable[Environment]) -> int:
    """How many tools some environments have, the submissions apart."""
    return sum(len(environment.tools) for environment in environments)


def counted(values: Iterable[str], unstated: str = UNKNOWN) -> dict[str, int]:
    """How often each value occurs, the most frequent first."""
    counts = Counter(value or unstated for value in values)
    return dict(sorted(counts.items(), key=lambda each: (-each[1], each[0])))


def counted_models(models: Iterable[str]) -> dict[str, int]:
    """How many environments each model wrote."""
    return counted(models, _BY_HAND)


def _table(heading: str, counts: dict[str, int], of: str = "environments") -> str:
    if not counts:
        return ""
    rows = "\n".join(f"| {_cell(name)} | {count} |" for name, count in counts.items())
    return f"| {heading} | {of} |\n|---|--:|\n{rows}"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
