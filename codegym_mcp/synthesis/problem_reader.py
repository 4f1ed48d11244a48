"""Reads coding problems with their solutions from the collections that there are."""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from codegym_mcp.errors import SourceError
from codegym_mcp.python_syntax import parse_source
from codegym_mcp.synthesis.problem_collections import CODEGYM, KNOWN, Collection
from codegym_mcp.synthesis.solution_filter import MAX_CHARACTERS, find_solution_defect


def _whole(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("it holds half of a surrogate pair") from None
    return text


_Text = Annotated[str, AfterValidator(_whole)]


class CodingProblem(BaseModel):
    """A coding problem and its solution."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(min_length=1, max_length=500)
    """Unique within its file."""
    statement: _Text
    """What is asked for, in words."""
    solution: _Text
    """A program that does it."""
    tests: tuple[_Text, ...] = ()
    """Assertions, or examples, where the collection has them."""
    source: _Text = ""
    """The collection, or the name of the file."""
    license: _Text = ""
    """Of statement and solution; empty where it is not known."""
    entry_point: _Text = ""
    """The function that is the solution, where the collection names it."""


@dataclass(frozen=True)
class UnreadableProblem:
    """A line of a collection that is no problem, or none that could be used.

    Attributes:
        id: of the problem, or the line where it has none that would do.
        reason: why, in a sentence.
    """

    id: str
    reason: str


FIELDS = ("id", "statement", "solution", "tests", "source", "license", "entry_point")
"""What a problem has, and what `fields` of `read_problems` may name."""


_HINT = (
    "Say what its fields are called: --field statement=NAME --field solution=NAME, "
    "and id, tests or license where it has them."
)


def read_problems(
    path: Path, *, fields: Mapping[str, str] | None = None, license: str | None = None
) -> list[CodingProblem | UnreadableProblem]:
    """Reads a file of one JSON object a line: CodeGym's raw problems, MBPP, HumanEval, or named fields.

    Args:
        fields: the file's names for the fields of a problem, by ours (`FIELDS`); where one is left out, it is
            called as in the collection that the file is recognised as, or as we do.
        license: the licence of all problems, instead of what the file or its collection says.

    Returns:
        One for each line that is not blank.

    Raises:
        SourceError: the file cannot be read, or no line of it is a problem in any of these forms.
    """
    named = dict(fields or {})
    for name in named:
        if name not in FIELDS:
            known = ", ".join(FIELDS)
            raise SourceError(
                str(path), None, f"a problem has no field {name!r}", hint=f"There are: {known}."
            )
    lines = [(number, _parse(line)) for number, line in _lines(path)]
    records = [record for _, record in lines if isinstance(record, dict)]
    if not records:
        raise SourceError(str(path), None, "holds no JSON object", hint="Write one problem a line, as JSON.")
    found = _recognise(path, records, named)
    reader = _Reader(found, named, license)
    return [reader.read(number, record) for number, record in lines]


def unusable_reason(problem: CodingProblem) -> str | None:
    """Why no environment can be made of a problem; None where a model may be asked."""
    length = len(problem.statement) + sum(map(len, problem.tests))
    if length > MAX_CHARACTERS:
        return f"The problem is {length:,} characters long; more than {MAX_CHARACTERS:,} are not taken."
    return find_solution_defect(problem.solution)


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.strip(b"\xef\xbb\xbf \t\r\n"):
                    yield number, line.removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        raise SourceError(str(path), None, f"cannot be read: {error.strerror or error}") from None


def _parse(line: bytes) -> dict[str, Any] | str:
    """A record, or why there is none."""
    try:
        record = json.loads(line.decode())
    except UnicodeDecodeError:
        return "The line is not UTF-8 text."
    except (ValueError, RecursionError) as error:
        return f"The line is not JSON: {error}."
    return record if isinstance(record, dict) else "The line is not a JSON object."


def _recognise(path: Path, records: list[dict[str, Any]], named: Mapping[str, str]) -> Collection:
    plain = Collection(path.name, "", (frozenset({"statement", "solution"}),))
    # Whoever names the statement means a form of their own.
    known = () if "statement" in named else KNOWN
    wanted = frozenset(named.get(name, name) for name in ("statement", "solution"))
    for record in records:
        for each in known:
            if any(marks <= record.keys() for marks in each.marks):
                return each
        if wanted <= record.keys():
            return plain
    shown = ", ".join(sorted(records[0])[:20])
    problem = f"is no collection of problems that is known, and none with {' and '.join(sorted(wanted))}"
    raise SourceError(str(path), None, f"{problem}; the first has: {shown}", hint=_HINT)


class _UnusableError(Exception):
    """A record that is no problem; the reason is a sentence."""


class _Reader:
    """Reads the records of one file."""

    def __init__(self, collection: Collection, named: Mapping[str, str], license: str | None) -> None:
        self._collection = collection
        self._named = named
        self._license = license
        self._seen: set[str] = set()

    def read(self, number: int, record: dict[str, Any] | str) -> CodingProblem | UnreadableProblem:
        wanted = f"line {number}"
        try:
            if isinstance(record, str):
                raise _UnusableError(record)
            wanted = self._id(record) or wanted
            if wanted in self._seen:
                raise _UnusableError(f"There is a problem {wanted} already.")
            problem = self._problem(wanted, record)
            self._seen.add(wanted)
            return problem
        except ValidationError as error:
            detail = error.errors(include_url=False)[0]
            reason = f"The {detail['loc'][0]} will not do: {detail['msg'].removeprefix('Value error, ')}."
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
        called = self._collection.names.get(name, (name,))
        return next((record[each] for each in called if record.get(each) is not None), None)

    def _text(self, record: dict[str, Any], name: str) -> str:
        value = self._value(record, name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise _UnusableError(f"The {name.replace('_', ' ')} is no text, but {type(value).__name__}.")
        return value.replace("\r\n", "\n")

    def _id(self, record: dict[str, Any]) -> str:
        value = self._value(record, "id")
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise _UnusableError("The id is neither text nor a number.")
        text = str(value).strip()
        if not text.isprintable():
            raise _UnusableError("The id is no plain text.")
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
        setup = record.get("test_setup_code")
        if isinstance(setup, str) and setup.strip():
            yield setup.replace("\r\n", "\n")
        for test in value if isinstance(value, list) else ():
            yield test if isinstance(test, str) else json.dumps(test, ensure_ascii=False)


def _assertions(code: str, entry_point: str) -> Iterator[str]:
    """The assertions of a test function, about the solution by its name; the text itself without any."""
    try:
        found = [node for node in ast.walk(parse_source(code, "tests")) if isinstance(node, ast.Assert)]
    except SourceError:
        found = []
    for node in found:
        text = ast.unparse(node)
        yield re.sub(r"\bcandidate\b", entry_point, text) if entry_point else text
    if not found and code.strip():
        yield code
