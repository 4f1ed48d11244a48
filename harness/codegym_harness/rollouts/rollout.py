"""Plays one episode with one agent and records it as a trajectory, whatever happens."""

import time
from dataclasses import dataclass, field
from traceback import format_exception

from codegym_harness.agents.agent import Agent
from codegym_harness.agents.agent_context import AsyncAgentContext, tool_definitions
from codegym_harness.agents.policy_agents import ORACLE
from codegym_harness.deadline import Deadline
from codegym_harness.episode_sources.episode_source import Assignment, EpisodeSource, OpenEpisode
from codegym_harness.records.trajectory import (
    AgentInfo,
    Fault,
    FinalMetrics,
    Outcome,
    RolloutError,
    RolloutRecord,
    Step,
    Trajectory,
    timestamp,
)
from codegym_harness.rollouts.rollout_spans import record_result, rollout_span
from codegym_mcp.control_plane_messages import EpisodeInfo
from codegym_mcp.episodes.episode_outcome import EpisodeState
from codegym_mcp.errors import CodegymError, ModelError, RemoteError, RunHaltedError

DEFAULT_SECONDS = 600.0
_TRACEBACK_KEPT = 4000

_CALLS = "calls"
_LIMITS = {EpisodeState.OUT_OF_CALLS: _CALLS, EpisodeState.EXPIRED: "idle_seconds"}
"""The limit that ended an episode in this state."""


@dataclass
class _Attempt:
    """The state of a rollout."""

    episode: OpenEpisode | None = None
    context: AsyncAgentContext | None = None
    status: EpisodeInfo | None = None
    error: RolloutError | None = None
    limits_met: list[str] = field(default_factory=list)

    def fail(self, error: Exception) -> None:
        """Keeps an error, unless one is kept already."""
        if self.error is None:
            fault = _fault(error)
            kind = error.kind if isinstance(error, RemoteError) else type(error).__name__
            trace = "".join(format_exception(error))[-_TRACEBACK_KEPT:] if fault is Fault.AGENT else None
            self.error = RolloutError(fault=fault, kind=kind, message=str(error), traceback=trace)

    @property
    def outcome(self) -> Outcome:
        """The outcome. A verdict counts whatever happened after it."""
        status = self.status
        if status is not None and status.verdict is not None:
            return Outcome.CORRECT if status.verdict.correct else Outcome.INCORRECT
        if self.episode is None or (self.error is not None and self.error.fault is not Fault.AGENT):
            return Outcome.FAILED
        if self.episode.read_status is None:
            return Outcome.UNSCORED
        if status is None or status.state is EpisodeState.FAILED:
            return Outcome.FAILED
        return Outcome.NO_SUBMISSION


def _fault(error: Exception) -> Fault:
    if isinstance(error, ModelError) and error.fault == "provider":
        return Fault.PROVIDER
    return Fault.HARNESS if isinstance(error, CodegymError) else Fault.AGENT


async def roll_out(
    agent: Agent,
    source: EpisodeSource,
    assignment: Assignment,
    *,
    seconds: float = DEFAULT_SECONDS,
    seed: int = 0,
) -> Trajectory:
    """Opens an episode, lets the agent play it, and records it with its verdict.

    Args:
        seconds: the agent's time in seconds, from the moment at which the episode is open.
        seed: seeds the random generator of the agent's context.

    Returns:
        The trajectory. Errors are recorded in it, not raised.

    Raises:
        RunHaltedError: the rollout must not be kept, and no further episode could succeed.
    """
    with rollout_span(agent.info, assignment) as span:
        trajectory = await _roll_out(agent, source, assignment, seconds, seed)
        record_result(span, trajectory)
    return trajectory


async def _roll_out(
    agent: Agent, source: EpisodeSource, assignment: Assignment, seconds: float, seed: int
) -> Trajectory:
    start = time.perf_counter()
    attempt = _Attempt()
    try:
        async with source.open(assignment) as episode:
            attempt.episode = episode
            attempt.context = AsyncAgentContext(
                episode.episode,
                scored=episode.read_status is not None,
                epoch=assignment.epoch,
                seed=seed,
                max_calls=episode.max_calls,
                address=episode.address,
                read_events=episode.read_events,
            )
            await _play(agent, attempt.context, seconds, attempt)
            if episode.is_out_of_calls is not None and episode.is_out_of_calls():
                attempt.limits_met.append(_CALLS)
            if episode.read_status is not None:
                attempt.status = await episode.read_status()
    except RunHaltedError:
        raise
    except CodegymError as error:
        attempt.fail(error)
    return _trajectory(agent.info, assignment, attempt, time.perf_counter() - start)


async def _play(agent: Agent, context: AsyncAgentContext, seconds: float, attempt: _Attempt) -> None:
    raised: Exception | None = None
    with Deadline.after(seconds) as deadline:
        context.deadline = deadline
        try:
            await agent.play(context)
        except RunHaltedError:
            raise
        except Exception as error:
            raised = error
    if deadline.passed:
        attempt.limits_met.append("deadline_seconds")
    # The agent may have wrapped or ignored the error by which the connection was lost.
    raised = context.lost or raised
    if raised is not None:
        attempt.fail(raised)
    else:
        attempt.error = context.error


def _trajectory(agent: AgentInfo, assignment: Assignment, attempt: _Attempt, seconds: float) -> Trajectory:
    if attempt.context is not None:
        steps = attempt.context.recorder.steps
        agent = agent.model_copy(update={"tool_definitions": tool_definitions(attempt.context.offered)})
    else:
        message = "The episode could not be opened."
        steps = [Step(step_id=1, timestamp=timestamp(), source="system", message=message)]
    return Trajectory(
        session_id=attempt.episode.id if attempt.episode is not None else assignment.key,
        agent=agent,
        steps=steps,
        final_metrics=FinalMetrics.of(steps),
        extra=_record(agent, assignment, attempt, seconds),
    )


def _record(agent: AgentInfo, assignment: Assignment, attempt: _Attempt, seconds: float) -> RolloutRecord:
    status, context = attempt.status, attempt.context
    record = RolloutRecord(
        key=assignment.key,
        environment=assignment.environment,
        task=assignment.task_id,
        difficulty=assignment.difficulty,
        seed=(assignment.seed or 0) if assignment.difficulty is not None else None,
        epoch=assignment.epoch,
        outcome=attempt.outcome,
        calls=context.calls if context is not None else 0,
        transport=attempt.episode.transport if attempt.episode is not None else None,
        limits_met=attempt.limits_met,
        error=attempt.error,
        seconds=round(seconds, 6),
    )
    if context is not None:
        record.stop = context.stop
        record.malformed_calls = context.malformed_calls
        record.program = context.program
        record.max_calls = context.max_calls
    if status is not None:
        record.calls, record.state, record.verdict = status.calls, status.state, status.verdict
        record.tags, record.difficulty = status.tags, status.difficulty
        record.oracle_calls = status.oracle_calls
        if status.state in _LIMITS:
            record.limits_met = [*attempt.limits_met, _LIMITS[status.state]]
        if status.state is EpisodeState.FAILED and record.error is None:
            record.error = RolloutError(fault=Fault.HARNESS, kind="EpisodeFailed", message=status.reason)
        if record.oracle_calls is None and agent.name == ORACLE and record.outcome is Outcome.CORRECT:
            record.oracle_calls = record.calls
    return record
