"""The card of a published set: figures for people and for programs."""

from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import median

from pydantic import BaseModel, ConfigDict

from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.verification.audit.audit import Audit

UNKNOWN = "unknown"
"""Placeholder for a licence or an origin that is not stated."""
_BY_HAND = "none"


class CardFigures(BaseModel):
    """Medians of the audit figures over the environments of a set."""

    model_config = ConfigDict(frozen=True)

    oracle_calls: float
    """Tool calls of the oracle for the median task."""
    best_constant: float
    """Share of the tasks that the best constant answer solves, 0 to 1."""
    observe: float
    """Mean reward of the `observe` baseline."""
    random: float
    """Mean reward of the `random` baseline."""
    distinct_answers: float
    """Number of different answers divided by the number of tasks."""

    @classmethod
    def of(cls, audits: Sequence[Audit]) -> "CardFigures":
        """Computes the medians over audits; at least one is required."""
        figures = [audit.figures for audit in audits]
        return cls(
            oracle_calls=median(each.oracle_calls.median for each in figures),
            best_constant=median(each.answers.best_constant for each in figures),
            observe=median(each.observe for each in figures),
            random=median(each.random for each in figures),
            distinct_answers=round(median(each.answers.distinct / each.answers.tasks for each in figures), 4),
        )


class Card(BaseModel):
    """The figures of a set."""

    model_config = ConfigDict(frozen=True)

    set: str
    """Name of the file."""
    sha256: str
    """SHA-256 of the file, in hexadecimal."""
    version: str
    """Version of codegym-mcp that wrote the set."""
    environments: int
    tasks: int
    """Number of fixed tasks."""
    endless: int
    """Number of environments that generate further tasks."""
    tools: int
    difficulties: dict[str, int]
    """Number of tasks by difficulty, for tasks whose difficulty is known."""
    licenses: dict[str, int]
    """Number of environments by licence."""
    mixed_licenses: bool
    sources: dict[str, int]
    """Number of environments by the collection of their problems, or by their origin."""
    models: dict[str, int]
    """Number of environments by the model that wrote them; "none" for those written by people."""
    grades: dict[str, int]
    """Number of environments by grade."""
    figures: CardFigures

    def markdown(self) -> str:
        """Renders the card as Markdown."""
        figures = self.figures
        parts = [
            f"# {self.set}",
            f"{self.environments} environments with {self.tasks} tasks and {self.tools} tools, verified and "
            f"audited by codegym-mcp {self.version}. {self.endless} of them generate further tasks.",
            self._render_licenses(),
            _table("licence", self.licenses),
            _table("source", self.sources),
            _table("model", self.models),
            _table("grade", self.grades),
            _table("difficulty", self.difficulties, of="tasks"),
            "| median environment | |\n|---|--:|\n"
            f"| calls of the oracle | {figures.oracle_calls:g} |\n"
            f"| reward of the best constant answer | {figures.best_constant:.0%} |\n"
            f"| reward of answering after one call | {figures.observe:.0%} |\n"
            f"| reward of random play | {figures.random:.0%} |\n"
            f"| answers that differ | {figures.distinct_answers:.0%} |",
            f"Use it with `codegym-mcp list --environments {self.set}`.\n\nSHA-256 `{self.sha256}`",
        ]
        return "\n\n".join(part for part in parts if part) + "\n"

    def _render_licenses(self) -> str:
        if self.mixed_licenses:
            return (
                "**Its environments are under different licences.** Each row states its own under `license`."
            )
        return f"Licence: {next(iter(self.licenses))}"


def tool_count(environments: Iterable[Environment]) -> int:
    """Counts the tools of environments, without the submissions."""
    return sum(len(environment.tools) for environment in environments)


def counted(values: Iterable[str], unstated: str = UNKNOWN) -> dict[str, int]:
    """Counts each value, most frequent first."""
    counts = Counter(value or unstated for value in values)
    return dict(sorted(counts.items(), key=lambda each: (-each[1], each[0])))


def counted_models(models: Iterable[str]) -> dict[str, int]:
    """Counts environments by the model that wrote them."""
    return counted(models, _BY_HAND)


def _table(heading: str, counts: dict[str, int], of: str = "environments") -> str:
    if not counts:
        return ""
    rows = "\n".join(f"| {_cell(name)} | {count} |" for name, count in counts.items())
    return f"| {heading} | {of} |\n|---|--:|\n{rows}"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
