"""Makes new configurations by changing existing ones.

A change keeps the invariants of the environment's configurations. Numbers stay between the least and the
greatest value of their place, and values move only between places of the same kind. The result may still be
senseless to the environment.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from copy import deepcopy
from random import Random
from typing import Any

from codegym_mcp.environment_definition.environment import Environment, Task
from codegym_mcp.errors import TaskError
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
_TEXT_CHANGES = ("swap", "drop", "repeat", "replace")


class Perturbation:
    """Perturbs the tasks of one environment.

    Args:
        environment: the environment; it is not run.
        tasks: the tasks from which invariants are learnt; at least one.
    """

    def __init__(self, environment: Environment, tasks: Sequence[Task]) -> None:
        self._environment = environment
        self._values: dict[Kind, list[Any]] = defaultdict(list)
        known = [_all_values(environment, task) for task in tasks]
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
                variant = self._variant(task, f"{task.id}~{number}", random)
                if variant is not None and variant.config not in seen:
                    seen.append(variant.config)
                    yield variant
                    break

    def _variant(self, task: Task, task_id: str, random: Random) -> Task | None:
        """Returns a perturbed task, or None if the change broke an invariant or a declared type."""
        values = deepcopy(_all_values(self._environment, task))
        changeable = self._environment.hidden_values(task).keys()
        for _ in range(random.randint(1, _CHANGES)):
            places = [(path, value) for path, value in walk(values) if path[0] in changeable]
            if places:
                self._change(values, *random.choice(places), random)
        # The text of a task may state its sizes.
        if task.text is None and not self._update_sizes(values):
            return None
        if not self._invariants.hold(values):
            return None
        config = self._environment.with_values(task, values)
        variant = task.model_copy(update={"id": task_id, "config": config})
        try:
            self._environment.check_task(variant)
        except TaskError:
            return None
        return variant

    def _change(self, values: dict[str, Any], path: Path, value: Any, random: Random) -> None:
        if isinstance(value, list):
            random.choice((_swap, _swap, _drop, _repeat))(value, random)
        elif isinstance(value, str) and self._is_free_text(kind(path)):
            _assign(values, path, self._changed_text(value, kind(path), random))
        elif not isinstance(value, dict):
            self._replace(values, path, random)

    def _is_free_text(self, place: Kind) -> bool:
        """Returns whether texts of a kind may be changed inside: they are not names or words that repeat."""
        known = self._values[place]
        return len(set(known)) * 2 > len(known) and not self._invariants.names_others(place)

    def _changed_text(self, text: str, place: Kind, random: Random) -> str:
        """Returns a text in which one or two characters are changed; the alphabet of its kind is kept."""
        characters: list[str] = list(text)
        match random.choice(_TEXT_CHANGES):
            case "swap":
                _swap(characters, random)
            case "drop":
                _drop(characters, random)
            case "repeat":
                _repeat(characters, random)
            case "replace" if characters:
                alphabet = sorted(self._invariants.alphabets[place])
                characters[random.randrange(len(characters))] = random.choice(alphabet)
        return "".join(characters)

    def _update_sizes(self, values: dict[str, Any]) -> bool:
        """Sets the numbers that follow a changed length; returns whether they stay in the known range."""
        lengths = {kind(path): len(value) for path, value in walk(values) if isinstance(value, list | str)}
        for path, old in list(walk(values)):
            for link in self._invariants.size_links:
                if link.number == kind(path) and link.measured in lengths:
                    size = lengths[link.measured] + link.difference
                    known = self._values[link.number]
                    if size != old and not min(known) <= size <= max(known):
                        return False
                    _assign(values, path, size)
        return True

    def _replace(self, root: dict[str, Any], path: Path, random: Random) -> None:
        """Replaces a value by another value of its kind, or by a number next to it."""
        place = kind(path)
        old = _value_at(root, path)
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
            _assign(root, path, random.choice(choices))


def _value_at(root: dict[str, Any], path: Path) -> Any:
    value: Any = root
    for part in path:
        value = value[part]
    return value


def _assign(root: dict[str, Any], path: Path, value: Any) -> None:
    holder = _value_at(root, path[:-1])
    holder[path[-1]] = value


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


def with_hidden(environment: Environment, task: Task, changed: dict[str, Any]) -> dict[str, Any]:
    """Returns a task's configuration with another hidden part."""
    return environment.with_values(task, environment.public_values(task) | changed)


def _all_values(environment: Environment, task: Task) -> dict[str, Any]:
    return environment.public_values(task) | environment.hidden_values(task)
