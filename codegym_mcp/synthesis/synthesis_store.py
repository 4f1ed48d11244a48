"""What a synthesis keeps in SQLite while it runs: the model's answers, and what came of problems."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from codegym_mcp.errors import SynthesisError
from codegym_mcp.synthesis.funnel import Costs, ProblemOutcome

_SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
    request TEXT PRIMARY KEY, asked TEXT NOT NULL, answer TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS outcomes (problem TEXT PRIMARY KEY, outcome TEXT NOT NULL) STRICT;
"""


class StoredResponse(BaseModel):
    """What a model said to one request."""

    model_config = ConfigDict(frozen=True)

    text: str
    reasoning: str | None = None
    finish: str | None = None
    refusal: str | None = None
    """Why it declines, or None."""
    model: str = ""
    """The name that the provider gives the model."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost: float | None = None
    """In US dollars; None where the price is not known."""
    seconds: float = 0.0

    @field_validator("text", "reasoning", "refusal", mode="before")
    @classmethod
    def _can_be_written(cls, said: str | None) -> str | None:
        """Models may say half of a character; no file can hold it."""
        return said and said.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    @property
    def costs(self) -> Costs:
        """What it took."""
        tokens = (self.prompt_tokens or 0) + (self.completion_tokens or 0)
        return Costs(requests=1, tokens=tokens, cost=self.cost or 0.0)


class SynthesisStore:
    """Answers and outcomes on disk; what was put is there after whatever end the process comes to."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator["SynthesisStore"]:
        """A store until the block is left.

        Raises:
            SynthesisError: the file cannot be used.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(path, isolation_level=None)) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.executescript(_SCHEMA)
                yield cls(connection)
        except (sqlite3.Error, OSError) as error:
            raise SynthesisError(
                f"What has been asked cannot be kept in {path}: {error}.",
                hint="Name another folder with --out.",
            ) from error

    def answer(self, request: str) -> StoredResponse | None:
        """What was said to a request, by its key; None where it was not asked."""
        row = self._connection.execute("SELECT answer FROM answers WHERE request = ?", (request,)).fetchone()
        return StoredResponse.model_validate_json(row[0]) if row is not None else None

    def put_answer(self, request: str, asked: str, answer: StoredResponse) -> None:
        """Keeps what was said.

        Args:
            request: its key.
            asked: the request itself, as JSON, for people.
        """
        self._connection.execute(
            "INSERT OR REPLACE INTO answers VALUES (?, ?, ?)", (request, asked, answer.model_dump_json())
        )

    def spent(self) -> Costs:
        """What all answers took."""
        rows = self._connection.execute("SELECT answer FROM answers")
        return sum((StoredResponse.model_validate_json(row[0]).costs for row in rows), Costs())

    def outcome(self, key: str) -> ProblemOutcome | None:
        """What came of a problem, by its key; None where nothing did yet."""
        row = self._connection.execute("SELECT outcome FROM outcomes WHERE problem = ?", (key,)).fetchone()
        try:
            return ProblemOutcome.model_validate_json(row[0]) if row is not None else None
        except ValidationError:
            return None

    def put_outcome(self, key: str, outcome: ProblemOutcome) -> None:
        """Keeps what came of a problem."""
        self._connection.execute(
            "INSERT OR REPLACE INTO outcomes VALUES (?, ?)", (key, outcome.model_dump_json())
        )
