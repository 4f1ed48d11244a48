"""Logs of Inspect (`.eval`), which `inspect view` opens: each run is a log, each episode a sample.

https://inspect.aisi.org.uk/eval-logs.html. They are written by `inspect_ai.log` itself. What a message of
Inspect has no field for is in its `metadata`, what a sample has no field for in the sample's.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from codegym_harness.export.conversion_counts import LossCounts
from codegym_harness.export.whole_run_format import ExportedRun, OpenRun, ViewerFormat, WriteEpisode
from codegym_harness.records.episode_result import EpisodeResult, calls_with_results, last_submission
from codegym_harness.records.trajectory import Step, Trajectory, timestamp
from codegym_harness.statistics.run_metrics import summarize
from codegym_mcp.errors import CodegymError, MissingExtraError
from codegym_mcp.version import VERSION

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog, EvalSample
    from inspect_ai.model import ChatMessage

SCORER = "codegym"
_STEP = {"step_id", "source", "message", "reasoning_content", "tool_calls", "observation"}


@contextmanager
def open_logs(out: str) -> Iterator[OpenRun]:
    """Opens a directory of logs, one for each run; a log of the same name is replaced.

    The samples of a run are in memory until its log is written, since Inspect writes a log as a whole.
    """
    if find_spec("inspect_ai") is None:
        raise MissingExtraError("The format of Inspect", "pip install 'codegym-mcp[inspect]'")
    directory = Path(out)

    @contextmanager
    def open_run(run: ExportedRun) -> Iterator[WriteEpisode]:
        samples: list[EvalSample] = []
        results: list[EpisodeResult] = []

        def write(trajectory: Trajectory, result: EpisodeResult, _: LossCounts) -> None:
            samples.append(_sample(trajectory, result))
            results.append(result)

        yield write
        _write_log(_log(run, samples, results), directory / f"{run.name}.eval")

    yield open_run


def _write_log(log: "EvalLog", path: Path) -> None:
    from inspect_ai.log import write_eval_log

    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_eval_log(log, str(unfinished), format="eval")
        unfinished.replace(path)
    except OSError as error:
        raise CodegymError(f"{path} cannot be written: {error}.") from None
    finally:
        unfinished.unlink(missing_ok=True)


def _log(run: ExportedRun, samples: "list[EvalSample]", results: list[EpisodeResult]) -> "EvalLog":
    from inspect_ai.log import (
        EvalConfig,
        EvalDataset,
        EvalLog,
        EvalMetric,
        EvalResults,
        EvalScore,
        EvalSpec,
        EvalStats,
    )

    created = run.started or timestamp()
    summary = summarize(str(run.path), run.agent, results)
    estimate = summary.reward_estimate
    metrics = {}
    if estimate is not None:
        metrics["mean"] = EvalMetric(name="mean", value=estimate.mean)
        if estimate.stderr is not None:
            metrics["stderr"] = EvalMetric(name="stderr", value=estimate.stderr)
    scored = estimate.count if estimate is not None else 0
    tasks = list(dict.fromkeys(str(sample.id) for sample in samples))
    epochs = max(result.epoch for result in results)
    return EvalLog(
        # Readers expect every sample in every epoch of a log that succeeded.
        status="success" if len(samples) == len(tasks) * epochs else "cancelled",
        eval=EvalSpec(
            eval_id=run.name,
            run_id=run.name,
            task_id=run.name,
            created=created,
            task=f"codegym-mcp/{run.name}",
            task_version=VERSION,
            model=run.agent,
            dataset=EvalDataset(name="codegym-mcp", samples=len(tasks), sample_ids=tasks),
            config=EvalConfig(epochs=epochs),
            packages={"codegym-mcp": VERSION},
            metadata={"run": str(run.path), "configuration": dict(run.configuration)},
        ),
        results=EvalResults(
            total_samples=len(samples),
            completed_samples=sum(sample.error is None for sample in samples),
            scores=[
                EvalScore(
                    name=SCORER,
                    scorer=SCORER,
                    scored_samples=scored,
                    unscored_samples=len(samples) - scored,
                    metrics=metrics,
                )
            ],
        ),
        stats=EvalStats(
            started_at=created, completed_at=max(sample.completed_at or created for sample in samples)
        ),
        samples=samples,
    )


def _sample(trajectory: Trajectory, result: EpisodeResult) -> "EvalSample":
    from inspect_ai.log import EvalError, EvalSample
    from inspect_ai.model import ModelOutput, ModelUsage
    from inspect_ai.scorer import Score

    messages = [message for step in trajectory.steps for message in _messages(step)]
    record, usage = trajectory.extra, result.usage
    first = trajectory.steps[0].timestamp
    model = trajectory.agent.model_name or trajectory.agent.name
    error, answer = record.error, last_submission(trajectory)
    return EvalSample(
        id=f"{result.environment}/{result.task}",
        epoch=result.epoch,
        input=next((step.message for step in trajectory.steps if step.source == "user"), ""),
        target="",
        messages=messages,
        output=ModelOutput(model=model),
        scores={
            SCORER: Score(
                value=result.reward,
                answer=to_json(answer.arguments).decode() if answer is not None else None,
                explanation=str(result.outcome),
                metadata=result.model_dump(mode="json", exclude_none=True),
            )
        }
        if result.reward is not None
        else None,
        metadata={
            "schema_version": trajectory.schema_version,
            "session_id": trajectory.session_id,
            "agent": trajectory.agent.model_dump(mode="json", exclude_none=True),
            "final_metrics": trajectory.final_metrics.model_dump(mode="json", exclude_none=True),
            **record.model_dump(mode="json", exclude_none=True),
        },
        model_usage={
            model: ModelUsage(
                input_tokens=usage.prompt_tokens,
                output_tokens=usage.completion_tokens,
                total_tokens=usage.tokens,
                input_tokens_cache_read=usage.cached_tokens,
            )
        }
        if usage is not None
        else {},
        started_at=first,
        completed_at=trajectory.steps[-1].timestamp,
        total_time=result.seconds,
        error=EvalError(
            message=f"{error.kind}: {error.message}",
            traceback=error.traceback or "",
            traceback_ansi=error.traceback or "",
        )
        if error is not None
        else None,
    )


def _messages(step: Step) -> "Iterator[ChatMessage]":
    from inspect_ai.model import (
        ChatMessageAssistant,
        ChatMessageSystem,
        ChatMessageTool,
        ChatMessageUser,
        ContentReasoning,
        ContentText,
    )
    from inspect_ai.tool import ToolCall, ToolCallError

    rest = step.model_dump(mode="json", exclude_none=True, exclude=_STEP)
    if step.source == "system":
        yield ChatMessageSystem(content=step.message, metadata=rest)
        return
    if step.source == "user":
        yield ChatMessageUser(content=step.message, metadata=rest)
        return
    calls, results = [], []
    kept: dict[str, Any] = {}
    for call, result in calls_with_results(step):
        extra = call.extra
        if extra is not None:
            kept[call.tool_call_id] = extra.model_dump(mode="json", exclude_none=True)
        invalid = str(extra.invalid) if extra is not None and extra.invalid is not None else None
        calls.append(ToolCall(call.tool_call_id, call.function_name, call.arguments, parse_error=invalid))
        if result is not None:
            results.append(
                ChatMessageTool(
                    content=result.content,
                    tool_call_id=call.tool_call_id,
                    function=call.function_name,
                    error=ToolCallError("unknown", result.content) if result.extra.is_error else None,
                    metadata=result.extra.model_dump(mode="json", exclude_none=True),
                )
            )
    text = step.message
    yield ChatMessageAssistant(
        content=[ContentReasoning(reasoning=step.reasoning_content), ContentText(text=text)]
        if step.reasoning_content is not None
        else text,
        tool_calls=calls or None,
        model=step.model_name,
        source="generate" if step.metrics is not None else None,
        metadata={**rest, "tool_calls": kept} if kept else rest,
    )
    yield from results


FORMAT = ViewerFormat(open_logs)
