"""Records what an agent does while it plays."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic_core import from_json, to_json

from codegym_harness.deadline import Deadline
from codegym_harness.records.trajectory import (
    Observation,
    ObservationResult,
    ProgramRecord,
    ResultExtra,
    RolloutError,
    Step,
    Stop,
    ToolCall,
    ToolCallExtra,
    timestamp,
)
from codegym_mcp.episode_interface import CallResult, EpisodeProtocol, TaskView, ToolView
from codegym_mcp.errors import ConnectionFailedError
from codegym_mcp.policies.tool_schemas import answer_parameter
from codegym_mcp.server.control_plane import EventInfo

_Act = Callable[[dict[str, Any]], Awaitable[CallResult]]


@dataclass(frozen=True)
class EpisodeAddress:
    """Where an episode is for an agent that connects to it by itself.

    Attributes:
        mcp_url: whoever knows it can act in the episode.
        instructions: the task and the rules, as the server tells them.
        events: asks what was done there.
    """

    mcp_url: str
    instructions: str
    events: Callable[[], Awaitable[list[EventInfo]]]


class Recorder:
    """Passes calls on to what is played and keeps each as a step. It is a `EpisodeProtocol` itself.

    A model says something and makes several calls in one step: `turn` is for that. A program that connects
    by itself is recorded from what the server saw: `observe` is for that.

    Attributes:
        steps: what happened, the task's text first.
        scored: whether what is played takes an answer.
        deadline: the time that the agent has left.
        calls: tool calls made, refused ones and refused submissions included.
        malformed_calls: calls that were never made, their arguments being no JSON object.
        stop: why the agent ended, where it says so.
        lost: the error by which the connection was lost, if it was.
        address: where a program plays by itself; None where it cannot.
        program: what the program did besides, where one played.
        error: what went wrong, where the agent says so itself.
    """

    def __init__(
        self,
        playable: EpisodeProtocol,
        *,
        scored: bool = True,
        deadline: Deadline | None = None,
        address: EpisodeAddress | None = None,
    ) -> None:
        self._playable = playable
        self.steps = [Step(step_id=1, timestamp=timestamp(), source="user", message=playable.task.text)]
        self.scored = scored
        self.deadline = deadline or Deadline()
        self.calls = 0
        self.malformed_calls = 0
        self.stop: Stop | None = None
        self.lost: ConnectionFailedError | None = None
        self.address = address
        self.program: ProgramRecord | None = None
        self.error: RolloutError | None = None

    @property
    def task(self) -> TaskView:
        return self._playable.task

    @property
    def tools(self) -> Sequence[ToolView]:
        return self._playable.tools

    @property
    def submission(self) -> ToolView:
        return self._playable.submission

    @property
    def offered(self) -> Sequence[ToolView]:
        """All that can be called, the submission last where there is one."""
        return [*self.tools, self.submission] if self.scored else self.tools

    async def call(self, name: str, arguments: dict[str, Any]) -> CallResult:
        """Calls a tool; the submission by its name is a submission.

        Raises:
            ValueError: the arguments are no JSON data.
            ConnectionFailedError: the server is no longer there.
        """
        plain = _plain(arguments)
        return await self.turn().call(name, plain)

    async def submit(self, answer: Any) -> CallResult:
        """Submits an answer; see `EpisodeProtocol.submit`. Raises as `call` does."""
        parameter = answer_parameter(self.submission)
        plain = _plain({parameter: answer})
        turn = self.turn()
        return await turn._record(
            self.submission.name, plain, lambda arguments: self._playable.submit(arguments[parameter])
        )

    def prompt(self, system: str) -> None:
        """Records the system prompt, which comes before the task. To be called before anything else."""
        (task,) = self.steps
        self.steps = [
            Step(step_id=1, timestamp=timestamp(), source="system", message=system),
            task.model_copy(update={"step_id": 2}),
        ]

    def say(self, text: str) -> None:
        """Records something said to the agent."""
        self._add(source="user", message=text)

    def observe(self, task: str, events: Sequence[EventInfo]) -> None:
        """Records what was done past this recorder, in place of all before.

        Args:
            task: what the agent was told.
        """
        first = self.steps[0].model_copy(update={"message": task})
        self.steps = [first, *(_observed(number, event) for number, event in enumerate(events, start=2))]

    def turn(self, **said: Any) -> "Turn":
        """Records a step of the agent, and gives the means to make calls in it.

        Args:
            said: what the step holds besides calls: message, model_name, reasoning_content, metrics.
        """
        return Turn(self, self._add(source="agent", **{"message": "", **said}))

    def _add(self, *, source: Literal["user", "agent"], **said: Any) -> Step:
        step = Step(step_id=len(self.steps) + 1, timestamp=timestamp(), source=source, **said)
        self.steps.append(step)
        return step


class Turn:
    """A step of the agent, in which it makes calls one after the other."""

    def __init__(self, recorder: Recorder, step: Step) -> None:
        self._recorder = recorder
        self._step = step

    async def call(
        self, name: str, arguments: dict[str, Any], *, id: str = "", extra: ToolCallExtra | None = None
    ) -> CallResult:
        """Calls a tool.

        Args:
            arguments: plain JSON data.
            id: names the call; one is made without it.

        Raises:
            ConnectionFailedError: the server is no longer there.
        """
        return await self._record(
            name, arguments, lambda plain: self._recorder._playable.call(name, plain), id=id, extra=extra
        )

    def decline(self, name: str, text: str, *, id: str = "", extra: ToolCallExtra | None = None) -> None:
        """Records a call that is not made.

        Args:
            text: why, as the agent reads it.
        """
        call = self._add_call(name, {}, id, extra)
        self._add_result(call, text, ResultExtra(seconds=0.0, is_error=True, by="agent"))

    async def _record(
        self,
        name: str,
        arguments: dict[str, Any],
        act: _Act,
        *,
        id: str = "",
        extra: ToolCallExtra | None = None,
    ) -> CallResult:
        recorder = self._recorder
        call = self._add_call(name, arguments, id, extra)
        start = time.perf_counter()
        try:
            result = await act(arguments)
        except ConnectionFailedError as error:
            recorder.lost = error
            raise
        seconds = round(time.perf_counter() - start, 6)
        self._add_result(
            call,
            result.text,
            ResultExtra(seconds=seconds, is_error=result.is_error, structured=result.structured),
        )
        if name != recorder.submission.name or result.is_error:
            recorder.calls += 1
        return result

    def _add_call(
        self, name: str, arguments: dict[str, Any], id: str, extra: ToolCallExtra | None
    ) -> ToolCall:
        step = self._step
        made = step.tool_calls or []
        id = id or f"call_{step.step_id}"
        if any(call.tool_call_id == id for call in made):
            id = f"{id}#{len(made) + 1}"  # Some servers name all calls alike; results belong to one.
        call = ToolCall(tool_call_id=id, function_name=name, arguments=arguments, extra=extra)
        step.tool_calls = [*made, call]
        return call

    def _add_result(self, call: ToolCall, text: str, extra: ResultExtra) -> None:
        result = ObservationResult(source_call_id=call.tool_call_id, content=text, extra=extra)
        before = self._step.observation.results if self._step.observation is not None else []
        self._step.observation = Observation(results=[*before, result])


def _observed(number: int, event: EventInfo) -> Step:
    call = ToolCall(tool_call_id=f"call_{number}", function_name=event.name, arguments=event.arguments)
    result = event.result
    extra = ResultExtra(is_error=result.is_error, structured=result.structured)
    seen = ObservationResult(source_call_id=call.tool_call_id, content=result.text, extra=extra)
    return Step(
        step_id=number,
        timestamp=timestamp(event.at),
        source="agent",
        message="",
        tool_calls=[call],
        observation=Observation(results=[seen]),
    )


def _plain(arguments: dict[str, Any]) -> dict[str, Any]:
    """A copy, as plain data: what is written is what was sent, whatever the agent does with its own later."""
    plain: dict[str, Any] = from_json(to_json(arguments), allow_inf_nan=False)
    return plain


def tool_definitions(recorder: Recorder) -> list[dict[str, Any]]:
    """The tools that were offered as OpenAI's function calling describes them, the submission last."""
    return [
        {
            "type": "function",
            "function": {"name": tool.name, "description": tool.description, "parameters": tool.input_schema},
        }
        for tool in recorder.offered
    ]
