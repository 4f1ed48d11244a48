"""Reads coding problems and their solutions from JSON Lines of known or named forms."""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from codegym_mcp.errors import SourceError
from codegym_mcp.source_parsing import parse_source
from codegym_mcp.storage.json_lines import parse_object, read_lines
from codegym_mcp.synthesis.problem_collections import CODEGYM, KNOWN, Collection
from codegym_mcp.synthesis.solution_filter import MAX_CHARACTERS, find_solution_defect
from codegym_mcp.unicode_text import is_encodable
from codegym_mcp.validation_messages import first_fault


def _check_encodable(text: str) -> str:
    if not is_encodable(text):
        raise ValueError("it contains half of a surrogate pair")
    return text


_Text = Annotated[str, AfterValidator(_check_encodable)]


class CodingProblem(BaseModel):
    """A coding problem with its solution."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(min_length=1, max_length=500)
    """Id of the problem, unique within its file."""
    statement: _Text
    """The problem in words."""
    solution: _Text
    """A program that solves the problem."""
    tests: tuple[_Text, ...] = ()
    """Assertions or examples; empty if the collection has none."""
    source: _Text = ""
    """Name of the collection or of the file."""
    license: _Text = ""
    """Licence of statement and solution, or the empty string if it is not known."""
    entry_point: _Text = ""
    """Name of the function that is the solution, or the empty string."""

    @property
    def origin(self) -> str:
        """Where the problem comes from, for people, for example `MBPP, problem 31` or `HumanEval/3`."""
        if self.id.casefold().startswith(f"{self.source.casefold()}/"):
            return self.id
        name = self.id if _LINE_ID.fullmatch(self.id) else f"problem {self.id}"
        return f"{self.source}, {name}" if self.source else name


@dataclass(frozen=True)
class UnreadableProblem:
    """A line of a file that is not a usable problem.

    Attributes:
        id: id of the problem, or the number of the line if it has no valid id.
        reason: why it cannot be used, in a sentence.
    """

    id: str
    reason: str


FIELDS = ("id", "statement", "solution", "tests", "source", "license", "entry_point")
"""The fields of a problem, which `fields` of `read_problems` may name."""


_SETUPS = ("test_imports", "test_setup_code")
"""Fields of MBPP with code that its assertions need."""
_LINE_ID = re.compile(r"line \d+")
_HINT = (
    "Name its fields: --field statement=NAME --field solution=NAME, and id, tests or license if it has them."
)


def read_problems(
    path: Path, *, fields: Mapping[str, str] | None = None, license: str | None = None
) -> list[CodingProblem | UnreadableProblem]:
    """Reads a file with one JSON object a line: CodeGym's raw problems, MBPP, MBPP+, HumanEval, or named
    fields.

    The form is recognised record by record, so that a file may contain problems of several collections.

    Args:
        fields: the file's names of the fields of a problem (`FIELDS`); a field that is left out has the name
            that the record's collection gives it, or ours.
        license: the licence of all problems, instead of the one that the record or its collection states.

    Returns:
        One problem for each line that is not blank.

    Raises:
        SourceError: the file cannot be read, or no record has one of these forms.
    """
    named = dict(fields or {})
    for name in named:
        if name not in FIELDS:
            known = ", ".join(FIELDS)
            raise SourceError(
                str(path), None, f"a problem has no field {name!r}", hint=f"The fields are: {known}."
            )
    lines = [(line.number, _parse(line.data)) for line in read_lines(path)]
    records = [record for _, record in lines if isinstance(record, dict)]
    if not records:
        first, reason = next(((number, text) for number, text in lines if isinstance(text, str)), (None, ""))
        because = f": {reason.rstrip('.')}" if reason else ""
        raise SourceError(
            str(path),
            first,
            f"contains no JSON object{because}",
            hint="Write one problem a line, as JSON in UTF-8.",
        )
    recogniser = _Recogniser(path, records, named)
    reader = _Reader(recogniser, named, license)
    return [reader.read(number, record) for number, record in lines]


def unusable_reason(problem: CodingProblem) -> str | None:
    """Returns why no environment can be made of a problem, or None if it can be sent to a model."""
    length = len(problem.statement) + sum(map(len, problem.tests))
    if length > MAX_CHARACTERS:
        return f"The problem is {length:,} characters long; at most {MAX_CHARACTERS:,} are allowed."
    return find_solution_defect(problem.solution)


def _parse(line: bytes) -> dict[str, Any] | str:
    """Returns the record of a line, or why it cannot be read."""
    try:
        return parse_object(line)
    except ValueError as error:
        return f"The line {error}."


class _Recogniser:
    """Recognises the collection of each record of a file.

    Attributes:
        plain: the form of records with our own field names, or with the names that the user gave.

    Raises:
        SourceError: no record has a known form.
    """

    def __init__(self, path: Path, records: list[dict[str, Any]], named: Mapping[str, str]) -> None:
        self._required = frozenset(named.get(name, name) for name in ("statement", "solution"))
        self.plain = Collection(path.name, "", (self._required,))
        # A user who names the statement describes a form of their own.
        self._known = () if "statement" in named else KNOWN
        recognised = [self._match(record) for record in records]
        self._in_file = list(dict.fromkeys(each for each in recognised if each is not None))
        if not self._in_file:
            fields = ", ".join(sorted(records[0])[:20])
            wanted = " and ".join(sorted(self._required))
            problem = f"is not a known collection of problems, and its records have no {wanted}"
            raise SourceError(str(path), None, f"{problem}; the first has: {fields}", hint=_HINT)

    def recognise(self, record: dict[str, Any]) -> Collection:
        """Returns the collection of a record; for an incomplete record, the likeliest one in the file."""
        return self._match(record) or max(
            self._in_file, key=lambda each: max(len(marks & record.keys()) for marks in each.marks)
        )

    def _match(self, record: dict[str, Any]) -> Collection | None:
        for each in self._known:
            if any(marks <= record.keys() for marks in each.marks):
                return each
        return self.plain if self._required <= record.keys() else None


class _UnusableError(Exception):
    """A record is not a usable problem; the message is the reason."""


class _Reader:
    """Reads the records of one file."""

    def __init__(self, recogniser: _Recogniser, named: Mapping[str, str], license: str | None) -> None:
        self._recogniser = recogniser
        self._collection = recogniser.plain
        self._named = named
        self._license = license
        self._seen: set[str] = set()

    def read(self, number: int, record: dict[str, Any] | str) -> CodingProblem | UnreadableProblem:
        wanted = f"line {number}"
        try:
            if isinstance(record, str):
                raise _UnusableError(record)
            self._collection = self._recogniser.recognise(record)
            wanted = self._id(record) or wanted
            if wanted in self._seen:
                raise _UnusableError(f"An earlier problem has the id {wanted} too.")
            problem = self._problem(wanted, record)
            self._seen.add(wanted)
            return problem
        except ValidationError as error:
            fault = first_fault(error)
            reason = f"The {fault.place[0]} is invalid: {fault.message}."
            return UnreadableProblem(self._unique(f"line {number}", number), reason)
        except _UnusableError as error:
            return UnreadableProblem(self._unique(wanted, number), str(error))

    def _unique(self, wanted: str, number: int) -> str:
        while wanted in self._seen:
            wanted = f"{wanted} (line {number})"
        self._seen.add(wanted)
        return wanted

    def _problem(self, id: str, record: dict[str, Any]) -> CodingProblem:
        statement = self._text(record, "statement")
        if not statement.strip():
            raise _UnusableError("The problem has no statement.")
        solution = self._text(record, "solution")
        if not solution.strip():
            raise _UnusableError("The problem has no solution.")
        if self._collection.continues and "solution" not in self._named:
            solution = statement.rstrip() + "\n" + solution.removeprefix("\n")
        entry_point = self._text(record, "entry_point")
        return CodingProblem(
            id=id,
            statement=statement,
            solution=solution,
            tests=tuple(self._tests(record, entry_point)),
            source=self._source(record),
            license=self._license if self._license is not None else self._own_license(record),
            entry_point=entry_point,
        )

    def _value(self, record: dict[str, Any], name: str) -> Any:
        if name in self._named:
            return record.get(self._named[name])
        names = self._collection.names.get(name, (name,))
        return next((record[each] for each in names if record.get(each) is not None), None)

    def _text(self, record: dict[str, Any], name: str) -> str:
        value = self._value(record, name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise _UnusableError(f"The {name.replace('_', ' ')} is not text, but {type(value).__name__}.")
        return value.replace("\r\n", "\n")

    def _id(self, record: dict[str, Any]) -> str:
        value = self._value(record, "id")
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise _UnusableError("The id is neither text nor a number.")
        text = str(value).strip()
        if not text.isprintable():
            raise _UnusableError("The id contains characters that cannot be printed.")
        return text

    def _source(self, record: dict[str, Any]) -> str:
        own = self._text(record, "source") if "source" in self._named or not self._collection.names else ""
        subset = record.get("subset")
        if self._collection is CODEGYM and isinstance(subset, str) and subset:
            own = own or f"{self._collection.source} ({subset})"
        return own or self._collection.source

    def _own_license(self, record: dict[str, Any]) -> str:
        return self._text(record, "license").strip() or self._collection.license

    def _tests(self, record: dict[str, Any], entry_point: str) -> Iterator[str]:
        value = self._value(record, "tests")
        if isinstance(value, str):
            yield from _assertions(value.replace("\r\n", "\n"), entry_point)
            return
        for setup in map(record.get, _SETUPS):
            text = "\n".join(filter(_is_text, setup)) if isinstance(setup, list) else setup
            if isinstance(text, str) and text.strip():
                yield text.replace("\r\n", "\n")
        for test in value if isinstance(value, list) else ():
            yield test if isinstance(test, str) else json.dumps(test, ensure_ascii=False)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _assertions(code: str, entry_point: str) -> Iterator[str]:
    """Yields the assertions of a test function with the solution's name; the whole text if it has none."""
    try:
        found = [node for node in ast.walk(parse_source(code, "tests")) if isinstance(node, ast.Assert)]
    except SourceError:
        found = []
    for node in found:
        text = ast.unparse(node)
        yield re.sub(r"\bcandidate\b", entry_point, text) if entry_point else text
    if not found and code.strip():
        yield code
