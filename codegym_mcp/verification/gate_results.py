"""The gates that an environment has to pass before it is served, and the result of verifying one."""

from collections.abc import Collection
from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Gate(StrEnum):
    """A requirement that every environment has to meet."""

    LOADS = "loads"
    """The policy accepts the source, there are tasks, and every part of the environment runs on each task."""
    DESCRIBED = "described"
    """Every tool has a description and a complete schema."""
    SOLVED = "solved"
    """The oracle, which sees only what an agent sees, earns the reward on every task."""
    DETERMINISTIC = "deterministic"
    """Repeated runs give the same trajectory: again, after other episodes, and with another hash seed."""
    LIMITS = "limits"
    """Every call ends within its limits for all arguments that the schema allows."""
    RESULTS = "results"
    """Every result has the declared type, and tools refuse a call only by ValueError."""
    JUDGED = "judged"
    """Every answer of the declared type is judged right or wrong without an error."""
    TOOLS_USED = "tools_used"
    """The oracle uses every tool."""


class GateState(StrEnum):
    """The outcome of a gate."""

    PASSED = "passed"
    FAILED = "failed"
    UNDECIDED = "undecided"
    """The gate could not be checked because another gate failed."""


class GateProblem(BaseModel):
    """A reason why a gate failed, with its evidence."""

    model_config = ConfigDict(frozen=True)

    gate: Gate
    message: str
    task: str = ""
    """Id of the task on which the problem occurs, or the empty string if it concerns no task."""
    call: str = ""
    """The call at which the problem occurs, in Python syntax, or the empty string."""
    difference: str = ""
    """What was expected and what happened instead, or the empty string."""

    def __str__(self) -> str:
        where = ", ".join(part for part in (self.task, self.call) if part)
        evidence = ": ".join(part for part in (where, self.difference) if part)
        return f"{self.gate}: {self.message}" + (f" ({evidence})" if evidence else "")


class Verification(BaseModel):
    """The result of verifying an environment."""

    model_config = ConfigDict(frozen=True)

    environment: str
    """Name of the environment."""
    verified: bool
    """Whether every gate was passed."""
    gates: dict[Gate, GateState]
    problems: list[GateProblem]
    """The problems found, in the order of the gates."""

    @classmethod
    def of(
        cls, environment: str, problems: Collection[GateProblem], undecided: Collection[Gate] = ()
    ) -> "Verification":
        """Builds a verification from the problems that were found.

        Args:
            problems: a gate with a problem has failed.
            undecided: gates that were not checked; a problem decides them nevertheless.
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
