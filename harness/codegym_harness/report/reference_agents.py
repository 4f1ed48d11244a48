"""Tells which runs were played by the oracle or a baseline, and what these agents do."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class ReferenceAgent(StrEnum):
    """An agent that shows which reward is possible with or without solving a task."""

    ORACLE = "oracle"
    RANDOM = "random"
    CONSTANT = "constant"
    OBSERVE = "observe"


DESCRIPTIONS = {
    ReferenceAgent.ORACLE: "plays the environment's own solution",
    ReferenceAgent.RANDOM: "calls tools with random arguments and submits a random answer",
    ReferenceAgent.CONSTANT: "calls no tool and submits the most common right answer of the other tasks",
    ReferenceAgent.OBSERVE: "calls each tool without required arguments once and submits what it saw",
}
"""What reference agents do."""


def reference_agent(configuration: Mapping[str, Any]) -> ReferenceAgent | None:
    """Returns the reference agent that played a run, or None if another agent did.

    Args:
        configuration: the recorded configuration of the run.
    """
    agent = configuration.get("agent")
    if any(configuration.get(name) for name in ("model", "command", "custom_agent")):
        return None
    return ReferenceAgent(agent) if isinstance(agent, str) and agent in {*ReferenceAgent} else None
