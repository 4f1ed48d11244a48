"""Repeats the parts of recorded plays and finds the first difference.

The tools receive the calls that the oracle made, the oracle receives the results that the tools gave, and the
answers are judged again. If all three parts repeat, the whole play does. One process repeats one play after
another, so that state left behind by an episode is noticed.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

from codegym_mcp.environment_definition.environment import Environment, Judge
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episodes.episode_outcome import EpisodeState
from codegym_mcp.episodes.events import CallEvent
from codegym_mcp.episodes.scoring import judge_assignment
from codegym_mcp.episodes.tool_outcome import ToolOutcome
from codegym_mcp.errors import (
    CodegymError,
    EnvironmentFailedError,
    WorkerLostError,
)
from codegym_mcp.policies.oracle import solve_assignment, solve_reply
from codegym_mcp.sandbox.process.confined_process import ConfinedProcess
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.sandbox.process.process_messages import (
    ComputeReference,
    JudgeAnswer,
    OracleCall,
    OracleFinished,
    ProcessMessage,
    Reply,
    ReplyStatus,
)
from codegym_mcp.verification.process_without_episode import EnvironmentProcess
from codegym_mcp.verification.recorded_play import (
    RecordedPlay,
    format_call,
    format_submission,
    format_value,
)


class Divergence(NamedTuple):
    """The first difference between a play and its repetition.

    Attributes:
        play: the play that was repeated.
        call: the call at which they differ, or the empty string.
        difference: what happened first and what happened in the repetition.
        lost: whether the process was lost, which the environment may not have caused.
    """

    play: RecordedPlay
    call: str
    difference: str
    lost: bool = False


Repeat = Callable[[SandboxPool, Environment, Sequence[RecordedPlay], Limits], Awaitable[Divergence | None]]
"""Repeats a part of some plays in a process of a pool and returns the first difference, or None.

Raises SandboxError if the sandbox does not work on this system.
"""


# --- the tools


async def repeat_tools(
    pool: SandboxPool, environment: Environment, plays: Sequence[RecordedPlay], limits: Limits
) -> Divergence | None:
    """Sends the recorded calls to the tools."""
    with_calls = [play for play in plays if any(step.digest for step in play.steps)]
    if not with_calls:
        return None
    play = with_calls[0]
    try:
        async with EnvironmentProcess.start(pool, environment, play.task.config, limits) as process:
            divergence = await _repeat_calls(process, play)
            for play in with_calls[1:]:
                if divergence is not None:
                    break
                await process.reopen(play.task.config)
                divergence = await _repeat_calls(process, play)
            return divergence
    except EnvironmentFailedError as error:
        lost = isinstance(error, WorkerLostError)
        return Divergence(play, "", f"first the task could be opened, then not: {error}", lost)


async def _repeat_calls(process: EnvironmentProcess, play: RecordedPlay) -> Divergence | None:
    steps = [step for step in play.steps if step.digest]
    outcomes = await process.call_all([(step.name, step.arguments) for step in steps])
    for step, outcome in zip(steps, outcomes, strict=False):
        if outcome.digest != step.digest:
            difference = f"first {_format_step(step)}, then {_format_outcome(outcome)}"
            return Divergence(
                play, format_call(step.name, step.arguments), difference, lost=outcome.status == "lost"
            )
    return None


def _format_step(step: CallEvent) -> str:
    return step.reason or format_value(step.result.text if step.result.is_error else step.result.value)


def _format_outcome(outcome: ToolOutcome) -> str:
    return format_value(outcome.value) if outcome.status in ("ok", "refused") else str(outcome.value)


# --- the oracle


async def repeat_oracle(
    pool: SandboxPool, environment: Environment, plays: Sequence[RecordedPlay], limits: Limits
) -> Divergence | None:
    """Sends the recorded results to the oracle."""
    worker: ConfinedProcess | None = None
    try:
        for play in plays:
            assignment = solve_assignment(environment, environment.public_values(play.task))
            if worker is None:
                worker = await pool.start(environment.program, assignment, limits)
            else:
                worker.assign_again(assignment)
            repetition = _OracleRepetition(worker, environment, play, limits)
            difference = await repetition.run()
            if difference:
                return Divergence(play, repetition.call, difference, lost=not worker.alive)
            if not repetition.finished:
                worker.kill()
                worker = None
    finally:
        if worker is not None:
            worker.kill()
    return None


class _OracleRepetition:
    """Repeats one play with the oracle alone.

    Attributes:
        call: the call at which the repetition differs, or the empty string.
        finished: whether the oracle has returned, so that its process can repeat another play.
    """

    def __init__(
        self, worker: ConfinedProcess, environment: Environment, play: RecordedPlay, limits: Limits
    ) -> None:
        self.call = ""
        self.finished = False
        self._worker = worker
        self._environment = environment
        self._play = play
        self._limits = limits

    async def run(self) -> str:
        """Returns what the oracle does differently, or the empty string."""
        steps = self._play.steps
        self._worker.expect(len(steps) + 1)
        for step in steps:
            if not step.result.over:
                self._worker.send_call_reply(solve_reply(self._environment, step.name, step.result))
        try:
            for step in steps:
                message = await self._worker.receive(self._limits.start_seconds)
                if not self._is_call(message, step.name, list(step.arguments.values())):
                    self.call = format_call(step.name, step.arguments)
                    return f"first {format_call(step.name, step.arguments)}, then {_format_message(message)}"
            if steps and steps[-1].result.over:
                return ""
            return self._compare_end(await self._worker.receive(self._limits.start_seconds))
        except EnvironmentFailedError as error:
            return self._compare_error(error)

    def _is_call(self, message: ProcessMessage, name: str, arguments: list[Any]) -> bool:
        match message:
            case OracleCall(_, called, given):
                return called == name and list(given.values()) == arguments
        return False

    def _compare_end(self, message: ProcessMessage) -> str:
        play = self._play
        if play.state is EpisodeState.OUT_OF_CALLS:
            return (
                ""
                if isinstance(message, OracleCall)
                else f"first another call, then {_format_message(message)}"
            )
        if isinstance(message, OracleCall):
            # A class in the CodeGym format submits its answer by a tool call.
            if play.submitted and self._is_call(message, self._environment.submission.name, [play.answer]):
                return ""
            return f"first {self._format_end()}, then {_format_message(message)}"
        self.finished = True
        if isinstance(message, OracleFinished):
            return f"first {self._format_end()}, then nothing" if play.submitted else ""
        answer = self._worker.result_of(message)
        if play.submitted and (answer == play.answer or not self._environment.takes_answer):
            return ""
        return f"first {self._format_end()}, then the answer {format_value(answer)}"

    def _compare_error(self, error: CodegymError) -> str:
        if str(error) == str(self._play.policy_error):
            return ""
        return f"first {self._format_end()}, then an error: {error}"

    def _format_end(self) -> str:
        if self._play.submitted:
            return f"the answer {format_value(self._play.answer)}"
        return f"an error: {self._play.policy_error}" if self._play.policy_error else "nothing"


def _format_message(message: ProcessMessage) -> str:
    match message:
        case OracleCall(_, name, arguments):
            return format_call(name, arguments)
        case Reply(_, ReplyStatus.OK, value):
            return f"the answer {format_value(value)}"
        case Reply(_, status, value):
            return f"{status}: {value}"
        case OracleFinished():
            return "nothing"


# --- the verdict


async def repeat_verdict(
    pool: SandboxPool, environment: Environment, plays: Sequence[RecordedPlay], limits: Limits
) -> Divergence | None:
    """Judges the submitted answers again."""
    worker: ConfinedProcess | None = None
    by_reference = environment.judge is Judge.REFERENCE
    assignment: ComputeReference | JudgeAnswer
    try:
        for play in plays:
            if play.verdict is None:
                continue
            if by_reference:
                assignment = ComputeReference(play.task.config)
            else:
                assignment = judge_assignment(environment, play.task, play.answer, play.final_state)
            if worker is None:
                worker = await pool.start(environment.program, assignment, limits)
            else:
                worker.assign_again(assignment)
            try:
                result = await worker.result(seconds=limits.start_seconds)
                correct = environment.answer.equal(result, play.answer) if by_reference else result is True
                then = _format_verdict(correct)
            except EnvironmentFailedError as error:
                then = f"an error: {error}"
            first = _format_verdict(play.verdict.correct)
            if then != first:
                submission = format_submission(environment, play.answer)
                return Divergence(play, submission, f"first {first}, then {then}", lost=not worker.alive)
    finally:
        if worker is not None:
            worker.kill()
    return None


def _format_verdict(correct: bool) -> str:
    return "right" if correct else "wrong"
