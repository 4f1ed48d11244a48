"""Reads CodeGym's training records: tasks in JSONL, one record a line.

A record names its environment and its options in `ability`, as
`codegym_v1@<code_id>__<class>@<options>`; its prompt holds the question that the agent is asked.
"""

from collections.abc import Collection
from pathlib import Path

from pydantic import BaseModel, ValidationError

from codegym_mcp.errors import SourceError
from codegym_mcp.spec.codegym.environment_names import environment_name
from codegym_mcp.spec.codegym.task_options import PREFIX_END, options_task, parse_options
from codegym_mcp.spec.environment import Task

_CALL_MARK = "<|FunctionCallBegin|>"
_QUESTION_MARKS = ("\nQuestion:\n", "\n\u95ee\u9898\uff1a\n")


class _Message(BaseModel):
    role: str
    content: str | None = None


class _ExtraInfo(BaseModel):
    solve_fc_round: int | None = None


class _Record(BaseModel):
    ability: str
    prompt: list[_Message] | str | None = None
    extra_info: _ExtraInfo | None = None

    @property
    def question(self) -> str | None:
        """What the user asks; None where the record has no such message."""
        prompt = self.prompt or ""
        if not isinstance(prompt, str):
            prompt = "\n\n".join(said.content for said in prompt if said.role == "user" and said.content)
        return _without_call_syntax(prompt) or None

    @property
    def oracle_calls(self) -> int | None:
        """The oracle's calls; the record counts the submission among them."""
        rounds = self.extra_info.solve_fc_round if self.extra_info else None
        return None if rounds is None else max(rounds - 1, 0)


def read_records(path: Path, names: Collection[str]) -> dict[str, tuple[Task, ...]]:
    """Reads the tasks of some environments from a file of training records.

    Args:
        path: the file.
        names: the environments that are there. A record belongs to the one called
            `<code_id>__<class>`, or, where there is none, to the one called like the class alone.

    Returns:
        The tasks by the name of their environment, in the order of the file. Records of other environments
        are passed over, and so is a record that repeats another's options.

    Raises:
        SourceError: the file cannot be read, a line is no record, none of the records belongs to any of the
            environments, or a class's name alone does not tell whose the records are.
    """
    found: dict[str, dict[str, Task]] = {}
    owners: dict[str, str] = {}
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    try:
                        owned = _read_record(line, names, owners)
                    except ValueError as error:
                        raise SourceError(str(path), number, f"is no training record: {error}") from None
                    if owned is not None:
                        name, task = owned
                        found.setdefault(name, {}).setdefault(task.id, task)
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(str(path), None, f"cannot be read: {error}") from None
    if not found:
        raise SourceError(
            str(path),
            None,
            "none of these training records belongs to a loaded environment",
            hint="Name the folder or the set that holds their environments as well.",
        )
    return {name: tuple(tasks.values()) for name, tasks in found.items()}


def _read_record(line: str, names: Collection[str], owners: dict[str, str]) -> tuple[str, Task] | None:
    try:
        record = _Record.model_validate_json(line)
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        where = ".".join(map(str, detail["loc"]))
        raise ValueError(f"{where} {detail['msg']}".strip()) from None
    parts = record.ability.split(PREFIX_END, 2)
    if len(parts) < 3:
        raise ValueError("its ability is not <set>@<code_id>__<class>@<options>")
    _, code, options = parts
    name = _owner(environment_name(code), names, owners)
    if name is None:
        return None
    return name, options_task(parse_options(options), text=record.question, oracle_calls=record.oracle_calls)


def _owner(code: str, names: Collection[str], owners: dict[str, str]) -> str | None:
    if code in names:
        return code
    cls = code.rpartition("__")[2]
    if cls not in names:
        return None
    if owners.setdefault(cls, code) != code:
        raise ValueError(f"it may be {owners[cls]}'s or {code}'s, and the environment is only called {cls}")
    return cls


def _without_call_syntax(text: str) -> str:
    """The question without the rules before it, where these teach a call syntax of their own.

    Whoever plays here calls tools over MCP; being told to write calls into the text would mislead.
    """
    for mark in _QUESTION_MARKS:
        rules, found, question = text.partition(mark)
        if found and _CALL_MARK in rules:
            return question.strip()
    return text
