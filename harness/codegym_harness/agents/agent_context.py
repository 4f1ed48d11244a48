"""What an agent receives for one episode: the task, its tools, and the means to record what it does."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from pydantic_core import from_json, to_json

from codegym_harness.deadline import Deadline
from codegym_harness.records.episode_result import EpisodeUsage
from codegym_harness.records.recorder import TrajectoryRecorder
from codegym_harness.records.trajectory import (
    InvalidCall,
    Metrics,
    MetricsExtra,
    ProgramRecord,
    ResultExtra,
    RolloutError,
    Step,
    StopReason,
    ToolCallExtra,
)
from codegym_mcp.control_plane_messages import EventInfo
from codegym_mcp.episode_protocol import CallResult, CallStatus, EpisodeProtocol, TaskView, ToolView
from codegym_mcp.errors import ConnectionFailedError
from codegym_mcp.opentelemetry_tracer import tracer
from codegym_mcp.policies.tool_schemas import submission_arguments

_Send = Callable[[dict[str, Any]], Awaitable[CallResult]]


@dataclass(frozen=True)
class EpisodeAddress:
    """Where an agent connects that is a program of its own.

    Attributes:
        mcp_url: the address of the episode. Every client that knows it can act in the episode.
        instructions: the task and the rules, as the server states them.
        socket_path: the Unix socket that the server listens on, if it does not listen at the URL's port.
    """

    mcp_url: str
    instructions: str
    socket_path: Path | None = None


class AsyncAgentContext:
    """One episode as an agent receives it. It is an `EpisodeProtocol`, and every call is recorded.

    It gives no access to the verdict, the hidden configuration, or the events of the episode.

    Attributes:
        task: the task.
        tools: the tools, without the submission.
        submission: the tool that submits the answer.
        scored: whether the server accepts an answer.
        epoch: number of the attempt at the task, starting at 1.
        random: a random generator that is seeded by the run's seed, the task and the epoch.
        deadline: the time that the agent has left.
        address: where a program connects by itself; None if the episode has no address.
        recorder: the steps of the trajectory.
        calls: tool calls made so far, including refused calls and refused submissions.
        malformed_calls: calls that were not sent since their arguments were not a JSON object.
        stop: why the agent ended, if it says so.
        program: how the agent's program ended, if the agent is a program.
        error: an error that the agent reports about itself.
        lost: the error by which the connection was lost, if it was.
    """

    def __init__(
        self,
        episode: EpisodeProtocol,
        *,
        scored: bool = True,
        epoch: int = 1,
        seed: int = 0,
        max_calls: int | None = None,
        deadline: Deadline | None = None,
        address: EpisodeAddress | None = None,
        read_events: Callable[[], Awaitable[list[EventInfo]]] | None = None,
    ) -> None:
        """Wraps an episode.

        Args:
            seed: the seed of the run.
            max_calls: the calls that the episode allows; None without a limit.
            read_events: reads the events of the episode from its server.
        """
        self.task: TaskView = episode.task
        self.tools: Sequence[ToolView] = episode.tools
        self.submission: ToolView = episode.submission
        self.scored = scored
        self.epoch = epoch
        self.random = Random(f"{seed} {self.task.environment} {self.task.id} {epoch}")  # noqa: S311 - repeatable
        self.deadline = deadline or Deadline()
        self.address = address
        self.recorder = TrajectoryRecorder(self.task.text)
        self.calls = 0
        self.malformed_calls = 0
        self.stop: StopReason | None = None
        self.program: ProgramRecord | None = None
        self.error: RolloutError | None = None
        self.lost: ConnectionFailedError | None = None
        self._max_calls = max_calls
        self._next_step: Step | None = None
        # Closures, so that no attribute leads from the context to the episode and its verdict.
        self._send_call, self._send_answer = _senders(episode)
        self._read_events = read_events

    @property
    def offered(self) -> Sequence[ToolView]:
        """All tools that can be called; the submission is the last, if the server accepts an answer."""
        return [*self.tools, self.submission] if self.scored else self.tools

    @property
    def remaining_calls(self) -> int | None:
        """Calls that are left, or None without a limit. Malformed calls count."""
        if self._max_calls is None:
            return None
        return max(0, self._max_calls - self.calls - self.malformed_calls)

    @property
    def max_calls(self) -> int | None:
        """Calls that the episode allows in all, or None without a limit."""
        return self._max_calls

    @property
    def remaining_seconds(self) -> float:
        """Seconds that are left until the deadline; infinite without one."""
        return self.deadline.remaining

    async def call(self, name: str, arguments: dict[str, Any] | None = None, /, **named: Any) -> CallResult:
        """Calls a tool, with its arguments as a dictionary or by name.

        A refused call is a result, never an exception. Calling the submission by its name submits.

        Raises:
            TypeError: arguments are given in both ways.
            ValueError: the arguments are not JSON data.
            ConnectionFailedError: the server cannot be reached any more.

        Example:
            result = await context.call("move", floors=1)
            print(result.status, result.value)
        """
        plain = _plain(merge_arguments(arguments, named))
        return await self._turn().call(name, plain)

    async def submit(self, answer: Any = None) -> CallResult:
        """Submits the answer, which is ignored if the episode takes none. A valid answer ends the episode.

        Raises:
            ValueError: the answer is not JSON data.
            ConnectionFailedError: the server cannot be reached any more.
        """
        plain = _plain(submission_arguments(self.submission, answer))
        return await self._turn().submit(plain)

    def record_message(
        self, text: str, *, reasoning: str = "", model: str = "", usage: EpisodeUsage | None = None
    ) -> None:
        """Records a message of the agent. The next call is recorded in the same step.

        Args:
            text: the message.
            reasoning: the reasoning that led to it.
            model: name of the model that wrote it.
            usage: tokens and cost of the model's reply.
        """
        self._next_step = self.recorder.begin_turn(
            message=text,
            reasoning_content=reasoning or None,
            model_name=model or None,
            metrics=_metrics(usage) if usage is not None else None,
        )

    def record_system_prompt(self, text: str) -> None:
        """Records a system prompt, which precedes the task. Call it before anything else is recorded."""
        self.recorder.add_system_prompt(text)

    def record_user_message(self, text: str) -> None:
        """Records a message that the agent receives."""
        self._next_step = None
        self.recorder.add_user_message(text)

    def begin_turn(self, **fields: Any) -> "RecordedTurn":
        """Begins a step in which the agent makes any number of calls.

        Args:
            fields: fields of the step: message, model_name, reasoning_content, metrics.
        """
        self._next_step = None
        return RecordedTurn(self, self.recorder.begin_turn(**fields))

    async def record_events(self, task_text: str) -> int:
        """Replaces the recorded steps by the calls that the server received from the agent's program.

        Args:
            task_text: the task as the program received it.

        Returns:
            How many calls the server received.

        Raises:
            CodegymError: the server cannot be asked.
        """
        events = await self._read_events() if self._read_events is not None else []
        self.recorder.replace_by_events(task_text, events)
        return len(events)

    def _turn(self) -> "RecordedTurn":
        """Returns the step of the last recorded message if it has no call yet, or else a new step."""
        step, self._next_step = self._next_step, None
        return RecordedTurn(self, step or self.recorder.begin_turn())


class RecordedTurn:
    """One step of the agent, in which it makes calls one after the other."""

    def __init__(self, context: AsyncAgentContext, step: Step) -> None:
        self._context = context
        self._step = step

    async def call(
        self, name: str, arguments: dict[str, Any], *, id: str = "", extra: ToolCallExtra | None = None
    ) -> CallResult:
        """Calls a tool and records the call with its result.

        Args:
            arguments: JSON data.
            id: identifies the call; generated if empty.

        Raises:
            ConnectionFailedError: the server cannot be reached any more.
        """
        context = self._context
        return await self._record(
            name, arguments, lambda plain: context._send_call(name, plain), id=id, extra=extra
        )

    async def submit(self, arguments: dict[str, Any]) -> CallResult:
        """Submits an answer, given as the arguments of the submission. Raises as `call` does."""
        context = self._context
        return await self._record(
            context.submission.name,
            arguments,
            lambda plain: context._send_answer(next(iter(plain.values()), None)),
        )

    def decline(
        self,
        name: str,
        text: str,
        *,
        arguments: dict[str, Any] | None = None,
        id: str = "",
        extra: ToolCallExtra | None = None,
    ) -> None:
        """Records a call that is not sent.

        Args:
            text: the reason, as the agent receives it.
            arguments: the arguments, if they are a JSON object.
        """
        call = TrajectoryRecorder.add_call(self._step, name, arguments or {}, id=id, extra=extra)
        after_end = extra is not None and extra.invalid is InvalidCall.AFTER_END
        status = CallStatus.OVER if after_end else CallStatus.INVALID
        TrajectoryRecorder.add_result(
            self._step, call, text, ResultExtra(seconds=0.0, is_error=True, status=status, by="agent")
        )

    async def _record(
        self,
        name: str,
        arguments: dict[str, Any],
        send: _Send,
        *,
        id: str = "",
        extra: ToolCallExtra | None = None,
    ) -> CallResult:
        context = self._context
        call = TrajectoryRecorder.add_call(self._step, name, arguments, id=id, extra=extra)
        start = time.perf_counter()
        attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name}
        with tracer.start_as_current_span(f"execute_tool {name}", attributes=attributes) as span:
            try:
                result = await send(arguments)
            except ConnectionFailedError as error:
                context.lost = error
                raise
            if result.is_error:
                span.set_attribute("error.type", result.status.value)
        seconds = round(time.perf_counter() - start, 6)
        TrajectoryRecorder.add_result(
            self._step,
            call,
            result.text,
            ResultExtra(
                seconds=seconds,
                is_error=result.is_error,
                status=result.status,
                structured=result.structured,
            ),
        )
        if name != context.submission.name or result.is_error:
            context.calls += 1
        return result


def _senders(
    episode: EpisodeProtocol,
) -> tuple[Callable[[str, dict[str, Any]], Awaitable[CallResult]], Callable[[Any], Awaitable[CallResult]]]:
    def send_call(name: str, arguments: dict[str, Any]) -> Awaitable[CallResult]:
        return episode.call(name, arguments)

    def send_answer(answer: Any) -> Awaitable[CallResult]:
        return episode.submit(answer)

    return send_call, send_answer


def merge_arguments(arguments: dict[str, Any] | None, named: dict[str, Any]) -> dict[str, Any]:
    """Returns the arguments of a call, which are given as a dictionary or by name.

    Raises:
        TypeError: they are given in both ways.
    """
    if arguments is not None and named:
        raise TypeError("give the arguments of a tool as a dictionary or by name, not both")
    return named if arguments is None else arguments


def tool_definitions(tools: Sequence[ToolView]) -> list[dict[str, Any]]:
    """Returns tools in the format of OpenAI's function calling."""
    return [
        {
            "type": "function",
            "function": {"name": tool.name, "description": tool.description, "parameters": tool.input_schema},
        }
        for tool in tools
    ]


def _plain(arguments: dict[str, Any]) -> dict[str, Any]:
    """Returns a copy as plain JSON data, so that later changes by the agent do not change the record."""
    plain: dict[str, Any] = from_json(to_json(arguments), allow_inf_nan=False)
    return plain


def _metrics(usage: EpisodeUsage) -> Metrics:
    return Metrics(
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        cached_tokens=usage.cached_tokens,
        cost_usd=usage.cost_usd,
        extra=MetricsExtra(),
    )
