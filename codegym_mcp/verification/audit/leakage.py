"""How much of the input, and whether the answer, can be had by one call."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

from codegym_mcp.errors import CodegymError, SandboxError
from codegym_mcp.policies.schema_sampler import SchemaSampler
from codegym_mcp.policies.tool_schemas import needs_no_argument
from codegym_mcp.spec.environment import Environment, Task
from codegym_mcp.spec.tools import Tool, tool_view
from codegym_mcp.verification.audit.audit_figures import LeakageFigures
from codegym_mcp.verification.audit.config_invariants import walk
from codegym_mcp.verification.audit.config_perturbation import hidden
from codegym_mcp.verification.environment_process import EnvironmentProcess
from codegym_mcp.verification.recorded_play import RecordedPlay, call_text
from codegym_mcp.verification.verification_context import VerificationContext

MOST_OF_INPUT = 0.8
"""The part of the hidden values that must be seen for the input to count as shown."""
_DRAWN = 3
_ITEMS = 50
_BY_CHANCE = 2
_MANY_ANSWERS = 3
_OFTEN = 0.25
_NEARLY_ALL = 0.9
_NUMBER = re.compile(r"-?\d{1,18}(?:\.\d{1,18})?")


@dataclass(frozen=True)
class Probe:
    """What one call at the beginning of an episode shows.

    Attributes:
        tool: the tool's name.
        manner: how its arguments were chosen; the same for looks to be compared between tasks.
        arguments: the arguments.
        value: the result.
    """

    tool: str
    manner: str
    arguments: dict[str, Any]
    value: Any


@dataclass(frozen=True)
class InputLeakage:
    """How much of the hidden input one call shows.

    Attributes:
        most: the call that shows it on most tasks.
        parts: the largest part that one call shows, by task.
    """

    most: LeakageFigures
    parts: list[float]


@dataclass(frozen=True)
class AnswerLeakage:
    """Whether one call shows the answer.

    Attributes:
        most: the call that shows it on most tasks, always in the same place of its result.
        tasks: whether that call shows it, by task.
    """

    most: LeakageFigures
    tasks: list[bool]


async def probe_tools(
    bench: VerificationContext, environment: Environment, plays: Sequence[RecordedPlay]
) -> list[list[Probe]]:
    """Makes single calls, each at the beginning of an episode.

    Args:
        plays: the oracle's, one of each task; how it begins is one of the calls.

    Returns:
        What was seen, by play.
    """
    return await bench.each(partial(_look, bench, environment), plays)


async def _look(bench: VerificationContext, environment: Environment, play: RecordedPlay) -> list[Probe]:
    looks: list[Probe] = []
    ways = [way for tool in environment.tools for way in _ways_to_call(environment, tool, play)]
    try:
        while ways:
            async with EnvironmentProcess.start(
                bench.pool, environment, play.task.config, bench.limits
            ) as process:
                while ways and process.alive:
                    name, manner, arguments = ways.pop(0)
                    outcome = await process.call(name, arguments)
                    if outcome.status == "ok":
                        looks.append(Probe(name, manner, arguments, outcome.value))
                    if process.alive:
                        await process.reopen(play.task.config)
    except SandboxError:
        raise
    except CodegymError:
        # That it cannot be opened is told where the oracle plays.
        pass
    return looks


def _ways_to_call(
    environment: Environment, tool: Tool, play: RecordedPlay
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    if needs_no_argument(tool_view(tool)):
        yield tool.name, "without arguments", {}
    # Later on, the oracle's arguments tell what it has learnt.
    if play.steps and play.steps[0].name == tool.name and play.steps[0].arguments:
        yield tool.name, "as the oracle", play.steps[0].arguments
    if tool.parameters:
        for number in range(_DRAWN):
            drawer = SchemaSampler(Random(f"{tool.name} {number}"))  # noqa: S311 - the same for every task
            drawer.see(environment.public_values(play.task).values())
            yield tool.name, f"drawn {number}", drawer.draw(tool.input_schema)


# --- the input


def measure_input_leakage(
    environment: Environment, tasks: Sequence[Task], answers: Sequence[Any], looks: Sequence[Sequence[Probe]]
) -> InputLeakage:
    """How much of the hidden input one call shows.

    Args:
        answers: the right answers, by task. What is hidden and is the answer does not count as input.
        looks: as `probe_tools` returns them.
    """
    by_tool: dict[str, list[Probe]] = defaultdict(list)
    parts = []
    for task, answer, seen in zip(tasks, answers, looks, strict=True):
        secret = _secret(environment, task, answer)
        rates = [(_part_shown(secret, look.value), look) for look in seen]
        parts.append(round(max((rate for rate, _ in rates), default=0.0), 4))
        for tool in environment.tools:
            enough = [look for rate, look in rates if look.tool == tool.name and rate >= MOST_OF_INPUT]
            by_tool[tool.name] += enough[:1]
    return InputLeakage(_most(by_tool, len(tasks)), parts)


def _secret(environment: Environment, task: Task, answer: Any) -> Counter[Any]:
    """The hidden values with their number, those that are the answer left out."""
    told = {
        name: value
        for name, value in hidden(environment, task).items()
        if not environment.answer.equal(answer, value)
    }
    return _scalars(told)


def _scalars(value: Any) -> Counter[Any]:
    # A boolean is not the number that equals it.
    return Counter((type(part) is bool, part) for _, part in walk(value) if not isinstance(part, list | dict))


def _part_shown(secret: Counter[Any], value: Any) -> float:
    if not secret:
        return 0.0
    seen = _scalars({"result": _read(value)})
    return sum((secret & seen).values()) / secret.total()


def _read(value: Any) -> Any:
    """A result with the texts in it that are JSON as what they say, and others with their numbers."""
    if isinstance(value, str):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            numbers = [float(number) if "." in number else int(number) for number in _NUMBER.findall(value)]
            return [value, *numbers]
    if isinstance(value, list):
        return [_read(item) for item in value]
    if isinstance(value, dict):
        return {key: _read(member) for key, member in value.items()}
    return value


# --- the answer


def measure_answer_leakage(
    environment: Environment, answers: Sequence[Any], looks: Sequence[Sequence[Probe]]
) -> AnswerLeakage:
    """Whether one call shows the answer, always in the same place of its result.

    Args:
        answers: the right answers, by task.
        looks: as `probe_tools` returns them.
    """
    hits: dict[tuple[str, str, str], dict[int, Probe]] = defaultdict(dict)
    for number, (answer, seen) in enumerate(zip(answers, looks, strict=True)):
        for look in seen:
            for place, value in _places(look.value):
                if environment.answer.equal(answer, value):
                    hits[look.tool, look.manner, place][number] = look
    kinds = _kinds(environment, answers)
    best: dict[int, Probe] = {}
    for found in hits.values():
        # Where tasks are few, or answers repeat, a value that happens to be one of them shows nothing.
        different = len({kinds[number] for number in found})
        if len(found) > max(len(best), _BY_CHANCE) and different >= min(_MANY_ANSWERS, len(set(kinds))) > 1:
            best = found
    if _is_chance(kinds, len(best)):
        best = {}
    most = _most({"": list(best.values())}, len(answers))
    return AnswerLeakage(most, [number in best for number in range(len(answers))])


def _places(value: Any) -> Iterator[tuple[str, Any]]:
    read = _read(value)
    yield "itself", value
    yield "as data", read
    for path, part in walk(read):
        if not any(isinstance(step, int) and step >= _ITEMS for step in path):
            yield ".".join(map(str, path)), part


def _kinds(environment: Environment, answers: Sequence[Any]) -> list[int]:
    """For each answer the number of the first one that is the same."""
    return [
        next(first for first, other in enumerate(answers) if environment.answer.equal(other, answer))
        for answer in answers
    ]


def _is_chance(kinds: Sequence[int], hits: int) -> bool:
    """Whether one answer repeats so often that so many hits mean nothing."""
    if not kinds:
        return True
    commonest = Counter(kinds).most_common(1)[0][1] / len(kinds)
    return commonest >= _OFTEN and hits < _NEARLY_ALL * len(kinds)


def _most(looks: dict[str, list[Probe]], tasks: int) -> LeakageFigures:
    most = max(looks.values(), key=len, default=[])
    if not most:
        return LeakageFigures()
    return LeakageFigures(rate=round(len(most) / tasks, 4), call=call_text(most[0].tool, most[0].arguments))
