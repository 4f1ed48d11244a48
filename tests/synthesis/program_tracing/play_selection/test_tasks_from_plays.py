"""Which plays become tasks."""

from codegym_mcp.synthesis.program_tracing.oracle_play_record import Play, ToolCall
from codegym_mcp.synthesis.program_tracing.play_selection.tasks_from_plays import quickest


def play(values: int, calls: int) -> Play:
    """Returns a play with so many hidden values and calls."""
    call = ToolCall("look", {}, 1)
    return Play(((),), {"xs": list(range(values)), "limit": 3}, values, (call,) * calls, correct=True)


def test_plays_with_few_calls_for_their_hidden_values_are_quick() -> None:
    plays = [play(10, 20), play(20, 10), play(10, 10), play(30, 10)]
    assert [each.answer for each in quickest(plays, ["xs"], 2)] == [30, 20]
