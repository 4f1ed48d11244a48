"""Stores the responses of the model and the outcomes of problems in SQLite while a synthesis runs."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from codegym_mcp.errors import SynthesisError
from codegym_mcp.synthesis.problem_outcomes import Costs, ProblemOutcome
from codegym_mcp.unicode_text import replace_lone_surrogates

_SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
    request TEXT PRIMARY KEY, asked TEXT NOT NULL, answer TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS outcomes (problem TEXT PRIMARY KEY, outcome TEXT NOT NULL) STRICT;
"""


class StoredResponse(BaseModel):
    """The response of a model to a request."""

    model_config = ConfigDict(frozen=True)

    text: str
    reasoning: str | None = None
    finish: str | None = None
    refusal: str | None = None
    """Why the model refused, or None."""
    model: str = ""
    """Name of the model as the provider reports it."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost: float | None = None
    """Price in US dollars, or None if it is not known."""
    seconds: float = 0.0
    """Duration of the request in seconds."""

    @field_validator("text", "reasoning", "refusal", mode="before")
    @classmethod
    def _replace_surrogates(cls, text: str | None) -> str | None:
        """Replaces lone surrogates, which cannot be written to a file."""
        return text and replace_lone_surrogates(text)

    @property
    def costs(self) -> Costs:
        """The costs of the request."""
        tokens = (self.prompt_tokens or 0) + (self.completion_tokens or 0)
        return Costs(requests=1, tokens=tokens, cost=self.cost or 0.0)


class SynthesisStore:
    """Responses and outcomes on disk; what was stored survives a crash of the process."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator["SynthesisStore"]:
        """Opens a store until the block is left. The file is then written again, in the order of the keys.

        The order in which problems are decided depends on the machine; the bytes of a finished file do not.

        Raises:
            SynthesisError: the file cannot be used.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(path, isolation_level=None)) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.executescript(_SCHEMA)
                yield cls(connection)
            _write_in_order(path)
        except (sqlite3.Error, OSError) as error:
            raise SynthesisError(
                f"The responses of the model cannot be stored in {path}: {error}.",
                hint="Name another folder with --out.",
            ) from error

    def response(self, request: str) -> StoredResponse | None:
        """Returns the response to a request by its key, or None if there is none."""
        row = self._connection.execute("SELECT answer FROM answers WHERE request = ?", (request,)).fetchone()
        return StoredResponse.model_validate_json(row[0]) if row is not None else None

    def put_response(self, request: str, content: str, response: StoredResponse) -> None:
        """Stores a response.

        Args:
            request: key of the request.
            content: the request as JSON, for people who read the store.
        """
        self._connection.execute(
            "INSERT OR REPLACE INTO answers VALUES (?, ?, ?)", (request, content, response.model_dump_json())
        )

    def spent(self) -> Costs:
        """Returns the costs of all responses."""
        rows = self._connection.execute("SELECT answer FROM answers")
        return sum((StoredResponse.model_validate_json(row[0]).costs for row in rows), Costs())

    def outcome(self, key: str) -> ProblemOutcome | None:
        """Returns the outcome of a problem by its key, or None if it is not decided."""
        row = self._connection.execute("SELECT outcome FROM outcomes WHERE problem = ?", (key,)).fetchone()
        try:
            return ProblemOutcome.model_validate_json(row[0]) if row is not None else None
        except ValidationError:
            return None

    def put_outcome(self, key: str, outcome: ProblemOutcome) -> None:
        """Stores the outcome of a problem."""
        self._connection.execute(
            "INSERT OR REPLACE INTO outcomes VALUES (?, ?)", (key, outcome.model_dump_json())
        )


def _write_in_order(path: Path) -> None:
    """Replaces a store by one with the same rows that is written from the beginning."""
    ordered = path.with_suffix(".ordered")
    ordered.unlink(missing_ok=True)
    with closing(sqlite3.connect(ordered, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.executescript(_SCHEMA)
        connection.execute("ATTACH ? AS unordered", (str(path),))
        connection.execute("BEGIN")
        connection.execute("INSERT INTO answers SELECT * FROM unordered.answers ORDER BY request")
        connection.execute("INSERT INTO outcomes SELECT * FROM unordered.outcomes ORDER BY problem")
        connection.execute("COMMIT")
        connection.execute("DETACH unordered")
    ordered.replace(path)
