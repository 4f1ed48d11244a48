"""Reads the fixed tasks of an environment from the JSON Lines file beside it."""

from pathlib import Path

from pydantic import ValidationError

from codegym_mcp.environment_definition.environment import Environment, Task
from codegym_mcp.errors import SourceError, TaskError
from codegym_mcp.storage.json_lines import read_lines
from codegym_mcp.validation_messages import first_fault

_FORM = 'A task is {"id": "…", "config": {…}}, with optional "difficulty", "oracle_calls" and "text".'


def read_tasks(path: Path, environment: Environment) -> tuple[Task, ...]:
    """Reads the fixed tasks of an environment.

    Raises:
        SourceError: the file cannot be read, a line is not a task, a configuration is not valid for the
            environment, or two tasks have the same id; the error names the line.
    """
    found: dict[str, tuple[int, Task]] = {}
    for number, _, line, _ in read_lines(path):
        try:
            task = Task.model_validate_json(line)
            environment.check_task(task)
        except ValidationError as error:
            problem = f"the line is not a task: {first_fault(error)}"
            raise SourceError(str(path), number, problem, hint=_FORM) from None
        except TaskError as error:
            raise SourceError(str(path), number, error.message, hint=_FORM) from None
        if task.id in found:
            problem = f"the id {task.id!r} is already used in line {found[task.id][0]}"
            raise SourceError(str(path), number, problem, hint="Give each task its own id.")
        found[task.id] = number, task
    return tuple(task for _, task in found.values())
