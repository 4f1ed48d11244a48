"""The gates that an environment passes before it is served, and what verification says of it."""

from collections.abc import Collection
from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Gate(StrEnum):
    """What must hold of an environment."""

    LOADS = "loads"
    """The policy accepts its source, it has tasks, and its parts run on every one of them."""
    DESCRIBED = "described"
    """Every tool has a description and a full schema."""
    SOLVED = "solved"
    """The oracle, which sees nothing but the port, earns the reward on every task."""
    DETERMINISTIC = "deterministic"
    """The same run gives the same trajectory: again, after other episodes, and under another hash seed."""
    LIMITS = "limits"
    """Every call ends within its limits, whatever arguments the schema allows, and none ends the episode."""
    RESULTS = "results"
    """Every result is data of the declared type; what a tool refuses, it refuses in words for the agent."""
    TOOLS_USED = "tools_used"
    """The oracle has a use for every tool."""


class GateState(StrEnum):
    """Where a gate stands."""

    PASSED = "passed"
    FAILED = "failed"
    UNDECIDED = "undecided"
    """Something else is in the way; a gate that failed says what."""


class GateProblem(BaseModel):
    """Why a gate failed, with its evidence."""

    model_config = ConfigDict(frozen=True)

    gate: Gate
    message: str
    task: str = ""
    """The id of the task that shows it, or the empty string where no task is needed."""
    call: str = ""
    """The call that shows it, as Python would write it."""
    difference: str = ""
    """What was expected, and what came instead."""

    def __str__(self) -> str:
        where = ", ".join(part for part in (self.task, self.call) if part)
        evidence = ": ".join(part for part in (where, self.difference) if part)
        return f"{self.gate}: {self.message}" + (f" ({evidence})" if evidence else "")


class Verification(BaseModel):
    """What verification says of an environment."""

    model_config = ConfigDict(frozen=True)

    environment: str
    verified: bool
    """Whether every gate was passed."""
    gates: dict[Gate, GateState]
    problems: list[GateProblem]

    @classmethod
    def of(
        cls, environment: str, problems: Collection[GateProblem], undecided: Collection[Gate] = ()
    ) -> "Verification":
        """Sums up.

        Args:
            problems: what was found.
            undecided: the gates of which nothing can be said, unless there is a problem with them.
        """
        failed = {problem.gate for problem in problems}
        gates = {}
        for gate in Gate:
            state = GateState.UNDECIDED if gate in undecided else GateState.PASSED
            gates[gate] = GateState.FAILED if gate in failed else state
        return cls(
            environment=environment,
            verified=all(state is GateState.PASSED for state in gates.values()),
            gates=gates,
            problems=sorted(problems, key=lambda problem: list(Gate).index(problem.gate)),
        )
