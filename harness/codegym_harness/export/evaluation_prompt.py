"""Gives the trajectories of agents without a system prompt the prompt under which a model is evaluated.

An agent such as the oracle plays without one. A model that is trained on its episodes must see the prompt
that it will receive later, with the number of calls that the episode allowed.
"""

from typing import Any

from codegym_harness.agents.system_prompt import DEFAULT_SYSTEM_PROMPT, render_system_prompt
from codegym_harness.export.conversion_counts import LossCounts
from codegym_harness.records.trajectory import Outcome, Step, Trajectory

PROMPT_ADDED = "system prompts added"


def with_system_prompt(trajectory: Trajectory, counts: LossCounts) -> Trajectory:
    """Returns a trajectory that begins with a system prompt, if a model would have received one.

    Trajectories of models are returned as they are, also if their system prompt was empty.
    """
    if not _lacks_prompt(trajectory):
        return trajectory
    counts.changed[PROMPT_ADDED] += 1
    first, *_ = trajectory.steps
    prompt = Step(
        step_id=1, timestamp=first.timestamp, source="system", message=_evaluation_prompt(trajectory)
    )
    moved = [step.model_copy(update={"step_id": step.step_id + 1}) for step in trajectory.steps]
    metrics = trajectory.final_metrics
    return trajectory.model_copy(
        update={
            "steps": [prompt, *moved],
            "final_metrics": metrics.model_copy(update={"total_steps": metrics.total_steps + 1}),
        }
    )


def _lacks_prompt(trajectory: Trajectory) -> bool:
    """Returns whether the agent played without the prompt that a model receives, such as the oracle."""
    scored = trajectory.extra.outcome is not Outcome.UNSCORED
    prompted = trajectory.steps[0].source == "system"
    return trajectory.agent.model_name is None and scored and bool(_tools(trajectory)) and not prompted


def _evaluation_prompt(trajectory: Trajectory) -> str:
    """Returns the system prompt under which a model would have played the episode."""
    submission = _tools(trajectory)[-1]["function"]["name"]
    return render_system_prompt(DEFAULT_SYSTEM_PROMPT, submission, trajectory.extra.max_calls)


def _tools(trajectory: Trajectory) -> list[dict[str, Any]]:
    return trajectory.agent.tool_definitions or []
