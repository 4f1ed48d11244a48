"""Takes the parts of an episode that a report shows: its task, its first turns and its last ones."""

import re
from collections.abc import Iterator

from pydantic_core import to_json

from codegym_harness.records.episode_result import calls_with_results, last_submission
from codegym_harness.records.trajectory import Step, Trajectory
from codegym_harness.report.report_contents import ExcerptKind, ExcerptPart

_FIRST_TURNS = 2
_LAST_TURNS = 4
_CALLS_PER_TURN = 4
_TASK_LENGTH = 400
_REST_LENGTH = 4000
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n\s*\n")
_PART_LENGTH = 400


def excerpt(trajectory: Trajectory) -> list[ExcerptPart]:
    """Returns the parts of an episode that a report shows, each shortened."""
    before = [step for step in trajectory.steps if step.source == "user"][:1]
    turns = [step for step in trajectory.steps if step.source == "agent"]
    parts = [_task(step.message) for step in before]
    omitted = len(turns) - _FIRST_TURNS - _LAST_TURNS
    for number, turn in enumerate(turns):
        if number < _FIRST_TURNS or number >= len(turns) - _LAST_TURNS:
            parts += _turn(turn)
        elif number == _FIRST_TURNS:
            parts.append(ExcerptPart(kind=ExcerptKind.OMITTED, text=f"{omitted} turns are left out"))
    error = trajectory.extra.error
    if error is not None:
        text = shorten(f"{error.kind}: {error.message}", _PART_LENGTH)
        parts.append(ExcerptPart(kind=ExcerptKind.ERROR, text=text))
    return parts


def last_answer(trajectory: Trajectory) -> str | None:
    """Returns the arguments of the last submission as JSON, shortened, or None if there was none."""
    submission = last_submission(trajectory)
    return shorten(_as_json(submission.arguments), _PART_LENGTH) if submission is not None else None


def shorten(text: str, length: int) -> str:
    """Returns the text, or its beginning and end with the number of characters between them."""
    if len(text) <= length:
        return text
    end = length // 4
    return f"{text[: length - end]} … {len(text) - length:,} characters … {text[-end:]}"


def first_sentences(text: str, length: int) -> str:
    """Returns as many whole sentences from the beginning of a text as fit, but at least one."""
    end = 0
    for sentence in _SENTENCE_END.finditer(text):
        if end and sentence.start() > length:
            return text[:end]
        end = sentence.start()
    return text if len(text) <= length or not end else text[:end]


def _task(text: str) -> ExcerptPart:
    beginning = first_sentences(text, _TASK_LENGTH)
    if len(beginning) > 2 * _TASK_LENGTH:
        beginning = text[:_TASK_LENGTH].rpartition(" ")[0] or text[:_TASK_LENGTH]
    rest = shorten(text[len(beginning) :].strip(), _REST_LENGTH)
    return ExcerptPart(kind=ExcerptKind.TASK, text=beginning, rest=rest)


def _turn(step: Step) -> Iterator[ExcerptPart]:
    if step.reasoning_content:
        yield ExcerptPart(kind=ExcerptKind.REASONING, text=shorten(step.reasoning_content, _PART_LENGTH))
    if step.message:
        yield ExcerptPart(kind=ExcerptKind.MESSAGE, text=shorten(step.message, _PART_LENGTH))
    for number, (call, result) in enumerate(calls_with_results(step)):
        if number == _CALLS_PER_TURN:
            omitted = len(step.tool_calls or []) - _CALLS_PER_TURN
            yield ExcerptPart(kind=ExcerptKind.OMITTED, text=f"{omitted} calls of this turn are left out")
            return
        raw = call.extra.raw_arguments if call.extra is not None else None
        arguments = raw if raw is not None else _as_json(call.arguments)
        text = shorten(f"{call.function_name} {arguments}", _PART_LENGTH)
        yield ExcerptPart(kind=ExcerptKind.CALL, text=text)
        if result is not None:
            kind = ExcerptKind.ERROR if result.extra.is_error else ExcerptKind.RESULT
            yield ExcerptPart(kind=kind, text=shorten(result.content, _PART_LENGTH))


def _as_json(arguments: dict[str, object]) -> str:
    return to_json(arguments).decode()
