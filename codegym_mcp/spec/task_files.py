"""Files of one JSON object a line, and the fixed tasks that stand in one beside their environment."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from codegym_mcp.errors import SourceError, TaskError
from codegym_mcp.spec.environment import Environment, Task

_FORM = 'A task is {"id": "…", "config": {…}}, with "difficulty", "oracle_calls" and "text" where known.'


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a text file that are not blank, with their numbers, counted from one.

    Raises:
        SourceError: it cannot be read.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, line
    except OSError as error:
        raise SourceError(str(path), None, f"cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise SourceError(str(path), None, "is not UTF-8 text", hint="Save it as UTF-8.") from None


def read_tasks(path: Path, environment: Environment) -> tuple[Task, ...]:
    """Reads the fixed tasks of an environment.

    Raises:
        SourceError: a line is no task, does not fit the environment, or names a task that another line
            names; the error tells the line.
    """
    found: dict[str, tuple[int, Task]] = {}
    for number, line in numbered_lines(path):
        try:
            task = Task.model_validate_json(line)
            environment.check_task(task)
        except ValidationError as error:
            detail = error.errors(include_url=False)[0]
            place = ".".join(map(str, detail["loc"]))
            problem = f"is no task: {place}: {detail['msg']}" if place else f"is no task: {detail['msg']}"
            raise SourceError(str(path), number, problem, hint=_FORM) from None
        except TaskError as error:
            raise SourceError(str(path), number, error.message, hint=_FORM) from None
        if task.id in found:
            problem = f"the task {task.id!r} stands in line {found[task.id][0]} already"
            raise SourceError(str(path), number, problem, hint='Give it an "id" and a "config" of its own.')
        found[task.id] = number, task
    return tuple(task for _, task in found.values())
