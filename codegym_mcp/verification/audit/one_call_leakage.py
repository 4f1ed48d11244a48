"""Measures how much of the hidden input, and whether the answer, a single call reveals."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

from codegym_mcp.answer_scoring.answer_comparison import AnswerType
from codegym_mcp.environment_definition.environment import Environment, Task
from codegym_mcp.environment_definition.tools import Tool, tool_view
from codegym_mcp.errors import EnvironmentFailedError
from codegym_mcp.policies.schema_sampler import SchemaSampler
from codegym_mcp.policies.tool_schemas import needs_no_argument
from codegym_mcp.verification.audit.audit_measurements import LeakageFigures
from codegym_mcp.verification.audit.config_invariants import walk
from codegym_mcp.verification.process_without_episode import EnvironmentProcess
from codegym_mcp.verification.recorded_play import RecordedPlay, format_call
from codegym_mcp.verification.verification_context import VerificationContext

MOST_OF_INPUT = 0.8
"""Share of the hidden values that a call must reveal for the input to count as revealed."""
_DRAWN = 3
_ITEMS = 50
_BY_CHANCE = 2
_MANY_ANSWERS = 3
_OFTEN = 0.25
_NEARLY_ALL = 0.9
_NUMBER = re.compile(r"-?\d{1,18}(?:\.\d{1,18})?")


@dataclass(frozen=True)
class Probe:
    """A successful call at the beginning of an episode.

    Attributes:
        tool: name of the tool.
        method: how the arguments were chosen; probes with the same method are compared between tasks.
        arguments: the arguments.
        value: the result.
    """

    tool: str
    method: str
    arguments: dict[str, Any]
    value: Any


@dataclass(frozen=True)
class InputLeakage:
    """How much of the hidden input one call reveals.

    Attributes:
        most: the call that reveals it on most tasks.
        parts: the largest share that one call reveals, by task.
    """

    most: LeakageFigures
    parts: list[float]


@dataclass(frozen=True)
class AnswerLeakage:
    """Whether one call reveals the answer.

    Attributes:
        most: the call that reveals it on most tasks, always in the same place of its result.
        tasks: whether that call reveals it, by task.
    """

    most: LeakageFigures
    tasks: list[bool]


async def probe_tools(
    context: VerificationContext, environment: Environment, plays: Sequence[RecordedPlay]
) -> list[list[Probe]]:
    """Makes single calls, each at the beginning of an episode.

    Args:
        plays: the oracle's plays, one for each task; its first call is one of the probes.

    Returns:
        The successful calls, by play.
    """
    return await context.run_all(partial(_probe, context, environment), plays)


async def _probe(context: VerificationContext, environment: Environment, play: RecordedPlay) -> list[Probe]:
    probes: list[Probe] = []
    calls = [call for tool in environment.tools for call in _calls_to_probe(environment, tool, play)]
    try:
        while calls:
            async with EnvironmentProcess.start(
                context.pool, environment, play.task.config, context.limits
            ) as process:
                while calls and process.alive:
                    name, method, arguments = calls.pop(0)
                    outcome = await process.call(name, arguments)
                    if outcome.status == "ok":
                        probes.append(Probe(name, method, arguments, outcome.value))
                    if process.alive:
                        await process.reopen(play.task.config)
    except EnvironmentFailedError:
        # An environment that cannot be opened is reported by the oracle's plays.
        pass
    return probes


def _calls_to_probe(
    environment: Environment, tool: Tool, play: RecordedPlay
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    if needs_no_argument(tool_view(tool)):
        yield tool.name, "without arguments", {}
    # Later arguments of the oracle contain what it has learnt from earlier calls.
    if play.steps and play.steps[0].name == tool.name and play.steps[0].arguments:
        yield tool.name, "as the oracle", play.steps[0].arguments
    if tool.parameters:
        for number in range(_DRAWN):
            drawer = SchemaSampler(Random(f"{tool.name} {number}"))  # noqa: S311 - the same for every task
            drawer.see(environment.public_values(play.task).values())
            yield tool.name, f"drawn {number}", drawer.draw(tool.input_schema)


# --- the input


def measure_input_leakage(
    environment: Environment, tasks: Sequence[Task], answers: Sequence[Any], probes: Sequence[Sequence[Probe]]
) -> InputLeakage:
    """Measures how much of the hidden input one call reveals.

    Args:
        answers: the right answers, by task; a hidden value that equals the answer does not count as input.
        probes: the result of `probe_tools`.
    """
    by_tool: dict[str, list[Probe]] = defaultdict(list)
    parts = []
    for task, answer, seen in zip(tasks, answers, probes, strict=True):
        secret = _secret(environment, task, answer)
        rates = [(_revealed_share(secret, probe.value), probe) for probe in seen]
        parts.append(round(max((rate for rate, _ in rates), default=0.0), 4))
        for tool in environment.tools:
            enough = [probe for rate, probe in rates if probe.tool == tool.name and rate >= MOST_OF_INPUT]
            by_tool[tool.name] += enough[:1]
    return InputLeakage(_most(by_tool, len(tasks)), parts)


def _secret(environment: Environment, task: Task, answer: Any) -> Counter[Any]:
    """Counts the scalars in the hidden input, without values that equal the answer."""
    values = {
        name: value
        for name, value in environment.hidden_values(task).items()
        if not environment.answer.equal(answer, value)
    }
    return _scalars(values)


def _scalars(value: Any) -> Counter[Any]:
    # A boolean is not the number that equals it.
    return Counter((type(part) is bool, part) for _, part in walk(value) if not isinstance(part, list | dict))


def _revealed_share(secret: Counter[Any], value: Any) -> float:
    if not secret:
        return 0.0
    revealed = _scalars({"result": _parse_texts(value)})
    return sum((secret & revealed).values()) / secret.total()


def _parse_texts(value: Any) -> Any:
    """Returns a result with JSON texts parsed, and other texts together with the numbers in them."""
    if isinstance(value, str):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            numbers = [float(number) if "." in number else int(number) for number in _NUMBER.findall(value)]
            return [value, *numbers]
    if isinstance(value, list):
        return [_parse_texts(item) for item in value]
    if isinstance(value, dict):
        return {key: _parse_texts(member) for key, member in value.items()}
    return value


# --- the answer


def measure_answer_leakage(
    declared: AnswerType, answers: Sequence[Any], probes: Sequence[Sequence[Probe]]
) -> AnswerLeakage:
    """Measures whether one call reveals the answer, always in the same place of its result.

    Args:
        declared: the type of the answers, by which they are compared.
        answers: the right answers, by task.
        probes: the result of `probe_tools`.
    """
    hits: dict[tuple[str, str, str], dict[int, Probe]] = defaultdict(dict)
    for number, (answer, seen) in enumerate(zip(answers, probes, strict=True)):
        for probe in seen:
            for place, value in _places(probe.value):
                if declared.equal(answer, value):
                    hits[probe.tool, probe.method, place][number] = probe
    kinds = _kinds(declared, answers)
    best: dict[int, Probe] = {}
    for found in hits.values():
        # With few tasks or repeated answers, a value that equals an answer may do so by chance.
        different = len({kinds[number] for number in found})
        if len(found) > max(len(best), _BY_CHANCE) and different >= min(_MANY_ANSWERS, len(set(kinds))) > 1:
            best = found
    if _is_chance(kinds, len(best)):
        best = {}
    most = _most({"": list(best.values())}, len(answers))
    return AnswerLeakage(most, [number in best for number in range(len(answers))])


def _places(value: Any) -> Iterator[tuple[str, Any]]:
    parsed = _parse_texts(value)
    yield "itself", value
    yield "as data", parsed
    for path, part in walk(parsed):
        if not any(isinstance(step, int) and step >= _ITEMS for step in path):
            yield ".".join(map(str, path)), part


def _kinds(declared: AnswerType, answers: Sequence[Any]) -> list[int]:
    """Returns for each answer the index of the first equal one.

    The state of an episode that failed is None, which does not equal itself if the declared type is another.
    """
    kinds = []
    for place, answer in enumerate(answers):
        earlier = (first for first, other in enumerate(answers[:place]) if declared.equal(other, answer))
        kinds.append(next(earlier, place))
    return kinds


def _is_chance(kinds: Sequence[int], hits: int) -> bool:
    """Returns whether one answer is so common that this number of hits may be chance."""
    if not kinds:
        return True
    commonest = Counter(kinds).most_common(1)[0][1] / len(kinds)
    return commonest >= _OFTEN and hits < _NEARLY_ALL * len(kinds)


def _most(probes: dict[str, list[Probe]], tasks: int) -> LeakageFigures:
    most = max(probes.values(), key=len, default=[])
    if not most:
        return LeakageFigures()
    return LeakageFigures(rate=round(len(most) / tasks, 4), call=format_call(most[0].tool, most[0].arguments))
