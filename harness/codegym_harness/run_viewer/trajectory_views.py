"""Turns a trajectory into what the viewer shows of it."""

from collections.abc import Iterator
from typing import NamedTuple

from codegym_harness.records.episode_result import EpisodeResult, calls_with_results
from codegym_harness.records.trajectory import (
    ObservationResult,
    RolloutRecord,
    Step,
    ToolCall,
    Trajectory,
)
from codegym_mcp.episode_viewer.episode_views import (
    STEPS_PER_REQUEST,
    CallView,
    EpisodeRow,
    EpisodeView,
    Excerpt,
    StepView,
    TextPart,
    TextQuery,
    arguments_text,
)


class Submission(NamedTuple):
    """The call that submitted the answer of an episode, and whether the answer is right."""

    call: ToolCall
    correct: bool


def episode_row(trajectory: Trajectory, id: str, *, superseded: bool = False) -> EpisodeRow:
    """Returns the row of an episode in a list."""
    record, sums = trajectory.extra, trajectory.final_metrics
    result = _result(trajectory)
    known = [each for each in (sums.total_prompt_tokens, sums.total_completion_tokens) if each is not None]
    return EpisodeRow(
        id=id,
        environment=record.environment,
        task=record.task,
        epoch=record.epoch,
        difficulty=record.difficulty,
        tags=record.tags,
        agent=trajectory.agent.model_name or trajectory.agent.name,
        outcome=record.outcome,
        reward=result.reward if result is not None else None,
        ended=_ending(record),
        calls=record.calls,
        oracle_calls=record.oracle_calls,
        failed_calls=sum(_failures(step) for step in trajectory.steps),
        invalid_calls=result.invalid_calls if result is not None else record.malformed_calls,
        steps=len(trajectory.steps),
        tokens=sum(known) if known else None,
        cost_usd=sums.total_cost_usd,
        seconds=record.seconds,
        at=trajectory.steps[0].timestamp if trajectory.steps else "",
        error=f"{record.error.kind}: {record.error.message}" if record.error is not None else "",
        superseded=superseded,
    )


def episode_view(
    trajectory: Trajectory, row: EpisodeRow, *, run: str, run_name: str, first: int = 0, search: str = ""
) -> EpisodeView:
    """Returns an episode with a part of its steps.

    Args:
        row: its row in the list.
        first: the position of the first step to include.
        search: a text whose steps are named in `matches`.
    """
    record, sums = trajectory.extra, trajectory.final_metrics
    error, program = record.error, record.program
    result = _result(trajectory)
    end = first + STEPS_PER_REQUEST
    submission = _submission(trajectory)
    return EpisodeView(
        run=run,
        run_name=run_name,
        row=row,
        seed=record.seed,
        max_calls=record.max_calls,
        state=record.state or "",
        stop=record.stop or "",
        submitted=Excerpt.optional(_submitted(trajectory)),
        overlap=record.verdict.overlap if record.verdict is not None else None,
        limits_met=record.limits_met,
        repeated_calls=result.repeated_calls if result is not None else None,
        fault=error.fault if error is not None else "",
        error=Excerpt.optional(_error_text(record)),
        stdout=Excerpt.optional(program.stdout if program is not None else None),
        stderr=Excerpt.optional(program.stderr if program is not None else None),
        exit_code=program.exit_code if program is not None else None,
        prompt_tokens=sums.total_prompt_tokens,
        completion_tokens=sums.total_completion_tokens,
        steps=[step_view(step, submission) for step in trajectory.steps[first:end]],
        next_step=end if end < len(trajectory.steps) else None,
        failures=[step.step_id for step in trajectory.steps if _failures(step)],
        matches=[step.step_id for step in trajectory.steps if search and _contains(step, search.casefold())],
    )


def step_view(step: Step, submission: Submission | None) -> StepView:
    """Returns what is shown of a step.

    Args:
        submission: the call that submitted the answer of the episode.
    """
    metrics = step.metrics
    extra = metrics.extra if metrics is not None else None
    attempts = (extra.failed_attempts if extra is not None else None) or []
    return StepView(
        number=step.step_id,
        source=step.source,
        at=step.timestamp,
        model=step.model_name or "",
        message=Excerpt.optional(step.message),
        reasoning=Excerpt.optional(step.reasoning_content),
        calls=[_call_view(call, result, submission) for call, result in calls_with_results(step)],
        prompt_tokens=metrics.prompt_tokens if metrics is not None else None,
        completion_tokens=metrics.completion_tokens if metrics is not None else None,
        cached_tokens=metrics.cached_tokens if metrics is not None else None,
        cost_usd=metrics.cost_usd if metrics is not None else None,
        reasoning_tokens=extra.reasoning_tokens if extra is not None else None,
        seconds=extra.seconds if extra is not None else None,
        finish_reason=(extra.finish_reason if extra is not None else None) or "",
        failed_attempts=[f"{each.error} ({each.seconds:.1f} s)" for each in attempts],
        request_changes=(extra.request_changes if extra is not None else None) or [],
    )


def whole_text(trajectory: Trajectory, query: TextQuery) -> str | None:
    """Returns a text of a trajectory in full, or None if it has no such text."""
    record = trajectory.extra
    if query.part is TextPart.ERROR:
        return _error_text(record)
    if query.part is TextPart.SUBMITTED:
        return _submitted(trajectory)
    if query.part in (TextPart.STDOUT, TextPart.STDERR):
        return getattr(record.program, query.part) if record.program is not None else None
    step = next((step for step in trajectory.steps if step.step_id == query.step), None)
    if step is None:
        return None
    if query.part is TextPart.MESSAGE:
        return step.message
    if query.part is TextPart.REASONING:
        return step.reasoning_content
    calls = list(calls_with_results(step))
    if query.call >= len(calls):
        return None
    call, result = calls[query.call]
    if query.part is TextPart.ARGUMENTS:
        return _written_arguments(call)
    return result.content if result is not None else None


def step_texts(step: Step) -> Iterator[str]:
    """Yields all texts of a step."""
    yield step.message
    if step.reasoning_content:
        yield step.reasoning_content
    for call, result in calls_with_results(step):
        yield call.function_name
        yield _written_arguments(call)
        if result is not None:
            yield result.content


def _call_view(call: ToolCall, result: ObservationResult | None, submission: Submission | None) -> CallView:
    extra = result.extra if result is not None else None
    return CallView(
        name=call.function_name,
        arguments=Excerpt.of(_written_arguments(call)),
        invalid=(call.extra.invalid if call.extra is not None else None) or "",
        # An empty result is a result.
        result=Excerpt.of(result.content) if result is not None else None,
        status=(extra.status if extra is not None else None) or "",
        is_error=extra is not None and extra.is_error,
        by_agent=extra is not None and extra.by == "agent",
        seconds=extra.seconds if extra is not None else None,
        answer_correct=submission.correct if submission is not None and submission.call is call else None,
    )


def _written_arguments(call: ToolCall) -> str:
    """Returns the arguments as JSON, or what the model wrote if that is not a JSON object."""
    extra = call.extra
    if extra is not None and extra.invalid is not None and extra.raw_arguments is not None:
        return extra.raw_arguments
    return arguments_text(call.arguments)


def _failures(step: Step) -> int:
    """Returns the number of calls of a step that were refused or failed."""
    return sum(
        (result is not None and result.extra.is_error)
        or (call.extra is not None and call.extra.invalid is not None)
        for call, result in calls_with_results(step)
    )


def _contains(step: Step, wanted: str) -> bool:
    return any(wanted in text.casefold() for text in step_texts(step))


def _error_text(record: RolloutRecord) -> str | None:
    error = record.error
    if error is None:
        return None
    return f"{error.kind}: {error.message}" + (f"\n\n{error.traceback}" if error.traceback else "")


def _ending(record: RolloutRecord) -> str:
    """Returns how an episode ended: a limit, why the agent stopped, an error, or the state of the episode."""
    if record.error is not None:
        return f"error: {record.error.fault}"
    if record.limits_met:
        return record.limits_met[0]
    if record.stop is not None:
        return f"agent stopped: {record.stop}"
    return record.state or ""


def _submission(trajectory: Trajectory) -> Submission | None:
    """Returns the call that submitted the answer; the tool that submits is the last of the definitions."""
    verdict = trajectory.extra.verdict
    if verdict is None:
        return None
    tools = trajectory.agent.tool_definitions or [{}]
    function = tools[-1].get("function")
    name = function.get("name") if isinstance(function, dict) else None
    for step in reversed(trajectory.steps):
        for call in reversed(step.tool_calls or []):
            if call.function_name == name:
                return Submission(call, verdict.correct)
    return None


def _submitted(trajectory: Trajectory) -> str | None:
    """Returns the arguments of the submission."""
    submission = _submission(trajectory)
    return _written_arguments(submission.call) if submission is not None else None


def _result(trajectory: Trajectory) -> EpisodeResult | None:
    try:
        return EpisodeResult.of(trajectory)
    except (LookupError, TypeError, ValueError):
        # The tool definitions of another program's record may have another form.
        return None
