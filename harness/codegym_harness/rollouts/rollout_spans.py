"""Spans of rollouts, by OpenTelemetry's conventions for generative AI."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.trace import Span, StatusCode

from codegym_harness.episode_sources.episode_source import Assignment
from codegym_harness.records.trajectory import AgentInfo, Trajectory
from codegym_mcp.opentelemetry_tracer import tracer


@contextmanager
def rollout_span(agent: AgentInfo, assignment: Assignment) -> Iterator[Span]:
    """Begins the span of a rollout; what is done in the block belongs to it."""
    attributes = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": agent.name,
        "codegym.key": assignment.key,
        "codegym.environment": assignment.environment,
    }
    with tracer.start_as_current_span(f"invoke_agent {agent.name}", attributes=attributes) as span:
        yield span


def record_result(span: Span, trajectory: Trajectory) -> None:
    """Adds to a span what came of its rollout."""
    if not span.is_recording():
        return
    record = trajectory.extra
    span.set_attributes(
        {
            "gen_ai.conversation.id": trajectory.session_id,
            "codegym.outcome": record.outcome.value,
            "codegym.calls": record.calls,
        }
    )
    if record.error is not None:
        span.set_attribute("error.type", record.error.kind)
        span.set_status(StatusCode.ERROR, record.error.message)
    reward = record.verdict.reward if record.verdict is not None else None
    if reward is not None:
        span.add_event(
            "gen_ai.evaluation.result",
            {
                "gen_ai.evaluation.name": "reward",
                "gen_ai.evaluation.score.value": reward,
                "gen_ai.evaluation.score.label": record.outcome.value,
            },
        )
