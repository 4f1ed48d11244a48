"""Makes new configurations by changing existing ones.

A change keeps the invariants of the environment's configurations. Numbers stay between the least and the
greatest value of their place, and values move only between places of the same kind. The result may still be
senseless to the environment.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator, Sequence
from copy import deepcopy
from random import Random
from typing import Any

from codegym_mcp.sandbox.language.dialect import Dialect
from codegym_mcp.spec.environment import Environment, Task
from codegym_mcp.verification.audit.config_invariants import (
    Invariants,
    Kind,
    Path,
    is_repeated,
    kind,
    walk,
)

_CHANGES = 3
_ATTEMPTS = 60


class Perturbation:
    """Perturbs the tasks of one environment.

    Args:
        environment: the environment; it is not run.
        tasks: the tasks from which invariants are learnt; at least one.
    """

    def __init__(self, environment: Environment, tasks: Sequence[Task]) -> None:
        self._environment = environment
        self._values: dict[Kind, list[Any]] = defaultdict(list)
        known = [_readable(environment, task, hidden(environment, task)) for task in tasks]
        self._invariants = Invariants(known)
        for configuration in known:
            for path, value in walk(configuration):
                if not isinstance(value, dict | list):
                    self._values[kind(path)].append(value)

    def variants(self, task: Task, count: int) -> Iterator[Task]:
        """Yields up to `count` different perturbed tasks; the same ones every time."""
        seen = [task.config]
        for number in range(count):
            random = Random(f"{task.id} {number}")  # noqa: S311 - the same every time
            for _ in range(_ATTEMPTS):
                changed = self._changed(hidden(self._environment, task), random)
                config = with_hidden(self._environment, task, changed)
                readable = _readable(self._environment, task, changed)
                if config not in seen and self._invariants.hold(readable):
                    seen.append(config)
                    yield task.model_copy(update={"id": f"{task.id}~{number}", "config": config})
                    break

    def _changed(self, root: dict[str, Any], random: Random) -> dict[str, Any]:
        changed = deepcopy(root)
        for _ in range(random.randint(1, _CHANGES)):
            path, value = random.choice(list(walk(changed)))
            if isinstance(value, list):
                random.choice((_swap, _swap, _drop, _repeat))(value, random)
            elif not isinstance(value, dict):
                self._replace(changed, path, random)
        return changed

    def _replace(self, root: dict[str, Any], path: Path, random: Random) -> None:
        """Replaces a value by another value of its kind, or by a number next to it."""
        place = kind(path)
        *above, last = path
        holder: Any = root
        for part in above:
            holder = holder[part]
        old = holder[last]
        # Values of repeated places may refer to other parts of the same configuration.
        known = (
            [value for at, value in walk(root) if kind(at) == place]
            if is_repeated(place)
            else self._values[place]
        )
        choices = [value for value in known if type(value) is type(old) and value != old]
        if type(old) is int:
            numbers = [value for value in self._values[place] if type(value) is int]
            choices += [value for value in (old - 1, old + 1) if min(numbers) <= value <= max(numbers)]
        if choices:
            holder[last] = random.choice(choices)


def _swap(items: list[Any], random: Random) -> None:
    if len(items) > 1:
        one, other = random.sample(range(len(items)), 2)
        items[one], items[other] = items[other], items[one]


def _drop(items: list[Any], random: Random) -> None:
    if len(items) > 1:
        items.pop(random.randrange(len(items)))


def _repeat(items: list[Any], random: Random) -> None:
    if items:
        place = random.randrange(len(items))
        items.insert(place, deepcopy(items[place]))


# --- configurations as data


def hidden(environment: Environment, task: Task) -> dict[str, Any]:
    """Returns the part of a task's configuration that agents do not see.

    The options of a class in the CodeGym format are a Python literal, which is parsed.
    """
    if environment.program.dialect is Dialect.CODEGYM:
        options = ast.literal_eval(task.config["options"])
        return options if isinstance(options, dict) else {"options": options}
    return {name: value for name, value in task.config.items() if name not in environment.public}


def with_hidden(environment: Environment, task: Task, changed: dict[str, Any]) -> dict[str, Any]:
    """Returns a task's configuration with another hidden part."""
    if environment.program.dialect is Dialect.CODEGYM:
        return {"options": repr(changed)}
    return {name: changed.get(name, value) for name, value in task.config.items()}


def _readable(environment: Environment, task: Task, secret: dict[str, Any]) -> dict[str, Any]:
    return environment.public_values(task) | secret
