"""Reads training records of the CodeGym format: JSON Lines with one task a line.

A record names its environment and its options in `ability`, as `codegym_v1@<code_id>__<class>@<options>`. Its
prompt contains the question for the agent.
"""

from collections.abc import Collection, Sequence
from pathlib import Path

from pydantic import BaseModel, ValidationError

from codegym_mcp.environment_definition.codegym_format.environment_names import environment_name
from codegym_mcp.environment_definition.codegym_format.task_options import (
    PREFIX_END,
    options_task,
    parse_options,
)
from codegym_mcp.environment_definition.environment import Task
from codegym_mcp.errors import SourceError
from codegym_mcp.storage.json_lines import read_lines
from codegym_mcp.validation_messages import first_fault

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
        """The text of the user's messages, or None if the record has none."""
        prompt = self.prompt or ""
        if not isinstance(prompt, str):
            prompt = "\n\n".join(each.content for each in prompt if each.role == "user" and each.content)
        return _without_call_syntax(prompt) or None

    @property
    def oracle_calls(self) -> int | None:
        """The number of the oracle's calls; the record also counts the submission."""
        rounds = self.extra_info.solve_fc_round if self.extra_info else None
        return None if rounds is None else max(rounds - 1, 0)


def is_training_records(path: Path) -> bool:
    """Checks whether the first line of a JSON Lines file is a training record.

    Raises:
        SourceError: the file cannot be read, or is not a regular file.
    """
    for line in read_lines(path):
        return b'"ability"' in line.data
    return False


def read_records(path: Path, names: Collection[str]) -> dict[str, tuple[Task, ...]]:
    """Reads the tasks of some environments from a file of training records.

    Args:
        path: the file.
        names: the known environments. A record belongs to the environment named `<code_id>__<class>`, or, if
            there is no such environment, to the one named like the class.

    Returns:
        The tasks by the name of their environment, in the order of the file. Records of other environments,
        and records with the same options as an earlier one, are ignored.

    Raises:
        SourceError: the file cannot be read, a line is not a record, no record belongs to a known
            environment, or the name of a class is ambiguous.
    """
    found: dict[str, dict[str, Task]] = {}
    owners: dict[str, str] = {}
    for number, _, line, _ in read_lines(path):
        try:
            owned = _read_record(line, names, owners)
        except ValueError as error:
            problem = f"the line is not a training record: {error}"
            raise SourceError(str(path), number, problem) from None
        if owned is not None:
            name, task = owned
            found.setdefault(name, {}).setdefault(task.id, task)
    if not found:
        raise SourceError(
            str(path),
            None,
            "none of the training records belongs to a loaded environment",
            hint="Also name the directory or the set that contains their environments.",
        )
    return {name: tuple(tasks.values()) for name, tasks in found.items()}


def shared_question(tasks: Sequence[Task]) -> str | None:
    """Returns the question of a class, which its tasks without a record can use too.

    A question speaks of the class's problem and, except for examples, of no task's options: agents learn
    these with the tools.

    Args:
        tasks: the tasks of the records of one class.

    Returns:
        The text that all of them have, or None if they differ.
    """
    texts = {task.text for task in tasks}
    return texts.pop() if len(texts) == 1 else None


def _read_record(line: bytes, names: Collection[str], owners: dict[str, str]) -> tuple[str, Task] | None:
    try:
        record = _Record.model_validate_json(line)
    except ValidationError as error:
        raise ValueError(str(first_fault(error))) from None
    parts = record.ability.split(PREFIX_END, 2)
    if len(parts) < 3:
        raise ValueError("its ability does not have the form <set>@<code_id>__<class>@<options>")
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
        raise ValueError(f"the environment {cls} may be {owners[cls]} or {code}")
    return cls


def _without_call_syntax(text: str) -> str:
    """Returns the question without rules before it that teach another call syntax.

    Agents call tools over MCP here; rules that tell them to write calls into the text would mislead them.
    """
    for mark in _QUESTION_MARKS:
        rules, found, question = text.partition(mark)
        if found and _CALL_MARK in rules:
            return question.strip()
    return text
