"""How a scripted model plays `tests/fixtures/counter.py`: it needs what the tools return to go on."""

from typing import Any

BELL_TASK = {"difficulty": 2, "seed": 0}
"""Its bell hangs three floors above the lift."""

BELL_CALLS = 7
"""Listening four times and moving three times, before the answer."""

Move = tuple[str, dict[str, Any]]
"""A tool's name and its arguments."""


def next_move(returned: Any = None) -> Move:
    """The call to make, given what the last one returned; None where there was none."""
    match returned:
        case None | {"result": int()} | int():
            return "listen", {}
        case {"floor": floor, "sound": "here"}:
            return "submit_answer", {"answer": floor}
        case {"sound": "above"}:
            return "move", {"floors": 1}
        case {"sound": "below"}:
            return "move", {"floors": -1}
    raise AssertionError(f"No tool of the environment returns {returned!r}.")
