"""One agent, one episode: one trajectory. A bad rollout is data, not a crash."""

import time
from dataclasses import dataclass, field
from traceback import format_exception
from typing import Literal

from codegym_harness.agents.agent import Agent
from codegym_harness.episode_sources.sources import Assignment, EpisodeSource, OpenEpisode
from codegym_harness.records.recorder import Recorder, tool_definitions
from codegym_harness.records.trajectory import (
    AgentInfo,
    FinalMetrics,
    Outcome,
    RolloutError,
    RolloutRecord,
    Step,
    Trajectory,
    timestamp,
)
from codegym_harness.deadline import Deadline
from codegym_mcp.episodes.episode import EpisodeState
from codegym_mcp.errors import CodegymError, ModelError, RemoteError, RunHaltedError
from codegym_mcp.server.control_plane import EpisodeInfo

DEFAULT_SECONDS = 600.0
_TRACEBACK_KEPT = 4000

_LIMITS = {EpisodeState.OUT_OF_CALLS: "calls", EpisodeState.EXPIRED: "idle_seconds"}
"""Which limit ended an episode that is in this state."""


@dataclass
class _Attempt:
    """What is known of a rollout so far."""

    episode: OpenEpisode | None = None
    recorder: Recorder | None = None
    standing: EpisodeInfo | None = None
    error: RolloutError | None = None
    limits_met: list[str] = field(default_factory=list)

    def fail(self, error: Exception) -> None:
        """Keeps the first error."""
        if self.error is None:
            fault = _fault(error)
            kind = error.kind if isinstance(error, RemoteError) else type(error).__name__
            trace = "".join(format_exception(error))[-_TRACEBACK_KEPT:] if fault == "agent" else None
            self.error = RolloutError(fault=fault, kind=kind, message=str(error), traceback=trace)

    @property
    def outcome(self) -> Outcome:
        """A verdict stands whatever came after it. Without one, a failure of ours is not the agent's."""
        standing = self.standing
        if standing is not None and standing.verdict is not None:
            return "correct" if standing.verdict.correct else "incorrect"
        if self.episode is None or (self.error is not None and self.error.fault != "agent"):
            return "failed"
        if self.episode.standing is None:
            return "unscored"
        return "failed" if standing is None or standing.state is EpisodeState.FAILED else "no_submission"


def _fault(error: Exception) -> Literal["ours", "provider", "agent"]:
    if isinstance(error, ModelError) and error.fault == "provider":
        return "provider"
    return "ours" if isinstance(error, CodegymError) else "agent"


async def roll_out(
    agent: Agent, source: EpisodeSource, assignment: Assignment, *, seconds: float = DEFAULT_SECONDS
) -> Trajectory:
    """Opens an episode, lets the agent play it, and records it with its verdict.

    Args:
        seconds: how long the agent may take, from when the episode is open.

    Returns:
        The trajectory, whatever happened: errors, ours or the agent's, stand in it.

    Raises:
        RunHaltedError: this rollout is not to be kept, and no further one could come to anything.
    """
    start = time.perf_counter()
    attempt = _Attempt()
    try:
        async with source.open(assignment) as episode:
            attempt.episode = episode
            attempt.recorder = Recorder(
                episode.playable, scored=episode.standing is not None, address=episode.address
            )
            await _play(agent, attempt.recorder, assignment.epoch, seconds, attempt)
            if episode.standing is not None:
                attempt.standing = await episode.standing()
    except RunHaltedError:
        raise
    except CodegymError as error:
        attempt.fail(error)
    return _trajectory(agent.info, assignment, attempt, time.perf_counter() - start)


async def _play(agent: Agent, recorder: Recorder, epoch: int, seconds: float, attempt: _Attempt) -> None:
    raised: Exception | None = None
    with Deadline.after(seconds) as deadline:
        recorder.deadline = deadline
        try:
            await agent.play(recorder, epoch)
        except RunHaltedError:
            raise
        except Exception as error:
            raised = error
    if deadline.passed:
        attempt.limits_met.append("deadline_seconds")
    # What the connection raised an agent may have wrapped in anything, or ignored.
    raised = recorder.lost or raised
    if raised is not None:
        attempt.fail(raised)
    else:
        attempt.error = recorder.error


def _trajectory(agent: AgentInfo, assignment: Assignment, attempt: _Attempt, seconds: float) -> Trajectory:
    if attempt.recorder is not None:
        steps = attempt.recorder.steps
        agent = agent.model_copy(update={"tool_definitions": tool_definitions(attempt.recorder)})
    else:
        message = "The episode could not be opened."
        steps = [Step(step_id=1, timestamp=timestamp(), source="system", message=message)]
    return Trajectory(
        session_id=attempt.episode.id if attempt.episode is not None else assignment.key,
        agent=agent,
        steps=steps,
        final_metrics=FinalMetrics.of(steps),
        extra=_record(assignment, attempt, seconds),
    )


def _record(assignment: Assignment, attempt: _Attempt, seconds: float) -> RolloutRecord:
    standing = attempt.standing
    record = RolloutRecord(
        key=assignment.key,
        environment=assignment.environment,
        task=assignment.task_id,
        difficulty=assignment.difficulty,
        epoch=assignment.epoch,
        outcome=attempt.outcome,
        calls=attempt.recorder.calls if attempt.recorder is not None else 0,
        limits_met=attempt.limits_met,
        error=attempt.error,
        seconds=round(seconds, 6),
    )
    if attempt.recorder is not None:
        record.stop = attempt.recorder.stop
        record.malformed_calls = attempt.recorder.malformed_calls
        record.program = attempt.recorder.program
    if standing is not None:
        record.calls, record.state, record.verdict = standing.calls, standing.state, standing.verdict
        record.tags, record.difficulty = standing.tags, standing.difficulty
        record.oracle_calls = standing.oracle_calls
        if standing.state in _LIMITS:
            record.limits_met = [*attempt.limits_met, _LIMITS[standing.state]]
        if standing.state is EpisodeState.FAILED and record.error is None:
            record.error = RolloutError(fault="ours", kind="EpisodeFailed", message=standing.reason)
    return record
