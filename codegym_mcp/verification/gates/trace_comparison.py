"""Repeats what an oracle has played, in parts, and finds where it goes another way.

The tools are given the calls that the oracle made, the oracle is given the results that the tools gave, and
the answers are judged once more. Where all three say the same again, so does the whole. One process repeats
one play after another, so that nothing that an episode leaves behind goes unnoticed.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

from pydantic_core import to_json

from codegym_mcp.episodes.episode import EpisodeState
from codegym_mcp.errors import CodegymError, SandboxError, WorkerLostError
from codegym_mcp.limits import Limits
from codegym_mcp.policies.oracle import solve_message, solve_reply
from codegym_mcp.sandbox.process.environment_program import Role
from codegym_mcp.sandbox.process.pool import SandboxPool
from codegym_mcp.sandbox.process.worker import ConfinedProcess, Frame
from codegym_mcp.spec.environment import Environment
from codegym_mcp.verification.environment_process import CallOutcome, EnvironmentProcess
from codegym_mcp.verification.recorded_play import PlayedCall, RecordedPlay, call_text, shown


class Divergence(NamedTuple):
    """Where a repetition went another way.

    Attributes:
        play: what was repeated.
        call: the call at which it happened, or the empty string.
        difference: what came first, and what came then.
        lost: the process was lost, which may be no fault of the environment's.
    """

    play: RecordedPlay
    call: str
    difference: str
    lost: bool = False


Repeat = Callable[[SandboxPool, Environment, Sequence[RecordedPlay], Limits], Awaitable[Divergence | None]]
"""Repeats a part of some plays in a process of a pool, until one goes another way.

Raises SandboxError where nothing can be repeated.
"""


# --- the tools


async def repeat_tools(
    pool: SandboxPool, environment: Environment, plays: Sequence[RecordedPlay], limits: Limits
) -> Divergence | None:
    """Gives the tools the calls that were made."""
    acting = [play for play in plays if any(step.digest for step in play.steps)]
    if not acting:
        return None
    play = acting[0]
    try:
        async with EnvironmentProcess.start(pool, environment, play.task.config, limits) as process:
            departure = await _call_again(process, play)
            for play in acting[1:]:
                if departure is not None:
                    break
                await process.reopen(play.task.config)
                departure = await _call_again(process, play)
            return departure
    except SandboxError:
        raise
    except CodegymError as error:
        lost = isinstance(error, WorkerLostError)
        return Divergence(play, "", f"first it could be opened, then not: {error}", lost)


async def _call_again(process: EnvironmentProcess, play: RecordedPlay) -> Divergence | None:
    steps = [step for step in play.steps if step.digest]
    outcomes = await process.call_all([(step.name, step.arguments) for step in steps])
    for step, outcome in zip(steps, outcomes, strict=False):
        if outcome.digest != step.digest:
            difference = f"first {_said(step)}, then {_said_then(outcome)}"
            return Divergence(play, step.call, difference, lost=outcome.status == "lost")
    return None


def _said(step: PlayedCall) -> str:
    return step.reason or shown(step.result.text if step.result.is_error else step.result.value)


def _said_then(outcome: CallOutcome) -> str:
    return shown(outcome.value) if outcome.status in ("ok", "refused") else str(outcome.value)


# --- the oracle


async def repeat_oracle(
    pool: SandboxPool, environment: Environment, plays: Sequence[RecordedPlay], limits: Limits
) -> Divergence | None:
    """Gives the oracle the results that it had."""
    worker: ConfinedProcess | None = None
    try:
        for play in plays:
            message = solve_message(environment, environment.public_values(play.task))
            if worker is None:
                worker = await pool.start(environment.program, Role.SOLVE, limits, **message)
            else:
                worker.send(to_json(message))
            rehearsal = _Rehearsal(worker, environment, play, limits)
            difference = await rehearsal.run()
            if difference:
                return Divergence(play, rehearsal.call, difference, lost=not worker.alive)
            if not rehearsal.finished:
                worker.kill()
                worker = None
    finally:
        if worker is not None:
            worker.kill()
    return None


class _Rehearsal:
    """One play, gone through with the oracle alone.

    Attributes:
        call: the call at which it goes another way, or the empty string.
        finished: whether the oracle has come to its end, and is ready for another play.
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
        """What the oracle does otherwise, or nothing."""
        steps = self._play.steps
        self._worker.expect(len(steps) + 1)
        for step in steps:
            if not step.result.over:
                self._worker.send(solve_reply(self._environment, step.name, step.result))
        try:
            for step in steps:
                frame = await self._worker.receive(self._limits.start_seconds)
                if not self._is_call(frame, step.name, list(step.arguments.values())):
                    self.call = step.call
                    return f"first {step.call}, then {_told(frame)}"
            if steps and steps[-1].result.over:
                return ""
            return self._compare_end(await self._worker.receive(self._limits.start_seconds))
        except SandboxError:
            raise
        except CodegymError as error:
            return self._compare_error(error)

    def _is_call(self, frame: Frame, name: str, arguments: list[Any]) -> bool:
        match frame:
            case [int(), "call", str(called), dict(given)]:
                return called == name and list(given.values()) == arguments
        return False

    def _compare_end(self, frame: Frame) -> str:
        play = self._play
        if play.state is EpisodeState.OUT_OF_CALLS:
            return "" if frame[1:2] == ["call"] else f"first one call more, then {_told(frame)}"
        if frame[1:2] == ["call"]:
            # A class in the CodeGym format submits by a call like any other.
            if play.submitted and self._is_call(frame, self._environment.submission.name, [play.answer]):
                return ""
            return f"first {self._end()}, then {_told(frame)}"
        self.finished = True
        if frame == [0, "finished", None]:
            return f"first {self._end()}, then nothing" if play.submitted else ""
        answer = self._worker.outcome(frame)
        if play.submitted and answer == play.answer:
            return ""
        return f"first {self._end()}, then the answer {shown(answer)}"

    def _compare_error(self, error: CodegymError) -> str:
        if str(error) == str(self._play.player_error):
            return ""
        return f"first {self._end()}, then it failed: {error}"

    def _end(self) -> str:
        if self._play.submitted:
            return f"the answer {shown(self._play.answer)}"
        return f"it failed: {self._play.player_error}" if self._play.player_error else "nothing"


def _told(frame: Frame) -> str:
    match frame:
        case [int(), "call", str(name), dict(arguments)]:
            return call_text(name, arguments)
        case [0, "ok", value]:
            return f"the answer {shown(value)}"
        case [0, str(status), value]:
            return f"{status}: {value}"
    return "nothing"


# --- the verdict


async def repeat_verdict(
    pool: SandboxPool, environment: Environment, plays: Sequence[RecordedPlay], limits: Limits
) -> Divergence | None:
    """Has the answers judged that were submitted."""
    worker: ConfinedProcess | None = None
    role = Role.REFERENCE if environment.judge == "reference" else Role.JUDGE
    try:
        for play in plays:
            if play.verdict is None:
                continue
            message = {"config": play.task.config, "answer": play.answer}
            if worker is None:
                worker = await pool.start(environment.program, role, limits, **message)
            else:
                worker.send(to_json(message))
            try:
                said = worker.outcome(await worker.receive(limits.start_seconds))
                right = (
                    environment.answer.equal(said, play.answer) if role is Role.REFERENCE else said is True
                )
                then = _verdict(right)
            except SandboxError:
                raise
            except CodegymError as error:
                then = f"not to be judged: {error}"
            first = _verdict(play.verdict.correct)
            if then != first:
                submission = call_text(environment.submission.name, {"answer": play.answer})
                return Divergence(play, submission, f"first {first}, then {then}", lost=not worker.alive)
    finally:
        if worker is not None:
            worker.kill()
    return None


def _verdict(right: bool) -> str:
    return "right" if right else "wrong"
