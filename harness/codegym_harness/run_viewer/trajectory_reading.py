"""Reads one line of a run's trajectories, as far as it can be read.

A run of another version, or one whose files were damaged, is still shown: what does not fit the format is
left out or replaced, and named.
"""

from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails, from_json, to_json

from codegym_harness.records.trajectory import SCHEMA_VERSION, Trajectory
from codegym_mcp.validation_messages import fault_message

_ROUNDS = 8
"""How often a trajectory is repaired and validated again: a repair can reveal faults one level below."""
_PROBLEMS_NAMED = 5
_PLACEHOLDERS: dict[str, Any] = {
    **dict.fromkeys(("session_id", "name", "version", "tool_call_id", "function_name", "source_call_id"), ""),
    **dict.fromkeys(("content", "message", "timestamp", "error", "kind", "stdout", "stderr"), ""),
    **dict.fromkeys(("step_id", "total_steps", "calls"), 0),
    **dict.fromkeys(("seconds", "waited"), 0.0),
    **dict.fromkeys(("environment", "task"), "unknown"),
    "key": "",
    "epoch": 1,
    "source": "agent",
    "outcome": "failed",
    "fault": "harness",
    "enclosed": "none",
    "schema_version": SCHEMA_VERSION,
}
"""Values for required members that are missing or invalid."""
_CONTAINERS: dict[str, type[list[Any]] | type[dict[str, Any]]] = {
    **dict.fromkeys(("results", "steps"), list),
    **dict.fromkeys(("agent", "final_metrics", "extra", "arguments"), dict),
}


class ReadTrajectory(NamedTuple):
    """A line as it was read.

    Attributes:
        trajectory: the trajectory, or None if the line is not a trajectory at all.
        problems: what is wrong with the line, and what was replaced or left out.
    """

    trajectory: Trajectory | None
    problems: tuple[str, ...] = ()


def read_trajectory(line: bytes) -> ReadTrajectory:
    """Reads the trajectory of a line; one that does not fit the format is repaired."""
    try:
        return ReadTrajectory(Trajectory.model_validate_json(line))
    except ValidationError:
        pass
    try:
        data = from_json(line)
    except ValueError as error:
        return ReadTrajectory(None, (f"The line is not JSON: {error}.",))
    if not isinstance(data, dict) or not isinstance(data.get("steps"), list):
        return ReadTrajectory(None, ("The line is JSON, but not a trajectory: it has no list of steps.",))
    return _repair(data)


def _repair(data: dict[str, Any]) -> ReadTrajectory:
    problems: dict[str, None] = {}
    for _ in range(_ROUNDS):
        try:
            trajectory = Trajectory.model_validate(data)
        except ValidationError as error:
            for detail in error.errors(include_url=False, include_context=False):
                where = ".".join(map(str, detail["loc"]))
                if not _repair_one(data, detail):
                    return ReadTrajectory(None, (f"The line is not a trajectory: {where}: {detail['msg']}.",))
                problems[f"{where}: {fault_message(detail)}"] = None
        else:
            return ReadTrajectory(trajectory, _summarized(list(problems)))
    return ReadTrajectory(None, _summarized(list(problems)))


def _repair_one(data: dict[str, Any], detail: ErrorDetails) -> bool:
    """Removes or replaces one value that does not fit; returns whether that is possible."""
    *path, name = detail["loc"]
    parent: Any = data
    try:
        for part in path:
            parent = parent[part]
    except (LookupError, TypeError):
        # An earlier repair removed it.
        return True
    if isinstance(parent, list) and isinstance(name, int):
        parent[name] = {}
        return True
    if not isinstance(parent, dict) or not isinstance(name, str):
        return False
    if detail["type"] == "string_type" and parent.get(name) is not None:
        parent[name] = to_json(parent[name]).decode()
    elif name in _PLACEHOLDERS and detail["type"] != "extra_forbidden":
        parent[name] = _PLACEHOLDERS[name]
    elif name in _CONTAINERS and detail["type"] != "extra_forbidden":
        parent[name] = _CONTAINERS[name]()
    else:
        parent.pop(name, None)
    return True


def _summarized(problems: list[str]) -> tuple[str, ...]:
    more = len(problems) - _PROBLEMS_NAMED
    return (
        "The record is of another version of this program or was changed; what does not fit is left out.",
        *problems[:_PROBLEMS_NAMED],
        *([f"{more} more of this kind"] if more > 0 else []),
    )
