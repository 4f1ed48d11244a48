"""Events of a journal as steps of the page."""

from codegym_mcp.episode_protocol import CallResult, CallStatus
from codegym_mcp.episode_viewer.episode_views import EXCERPT_CHARACTERS, TextPart, TextQuery
from codegym_mcp.episode_viewer.event_steps import EventSteps
from codegym_mcp.episodes.episode_outcome import EpisodeState, Verdict
from codegym_mcp.episodes.events import CallEvent, EndedEvent, Event, StateEvent, SubmittedEvent

LONG = "a bell\n" * EXCERPT_CHARACTERS
RECEIVED = CallResult(text="Your answer was received.", over=True)
EVENTS: list[Event] = [
    CallEvent(at=1, name="look", arguments={"floor": 2}, result=CallResult(text=LONG)),
    CallEvent(at=2, name="", arguments={}, result=CallResult(text="too large", status=CallStatus.INVALID)),
    SubmittedEvent(at=3, arguments={"answer": 7}),
    StateEvent(at=4, state={"bells": [1, float("inf")]}),
    EndedEvent(at=5, state=EpisodeState.SUBMITTED, verdict=Verdict(correct=False, reward=0)),
]


def steps(count: int = len(EVENTS)) -> EventSteps:
    received = RECEIVED if count > 4 else None
    return EventSteps("Find the bell.", EVENTS[:count], submission="submit_answer", acknowledgement=received)


def query(part: TextPart, step: int = 0) -> TextQuery:
    return TextQuery(run="", episode="", part=part, step=step)


def test_the_task_the_calls_and_the_submission_are_steps() -> None:
    views = steps().views(0, 10)
    assert [view.number for view in views] == [1, 2, 3, 4]
    assert views[0].message is not None
    assert views[0].message.text == "Find the bell."
    assert [call.name for view in views for call in view.calls] == [
        "look",
        "(a request that is too large to be stored)",
        "submit_answer",
    ]
    assert steps().failures == [3]
    assert [view.number for view in steps().views(2, 1)] == [3]


def test_a_submission_that_is_being_judged_has_no_result() -> None:
    (view,) = steps(3).views(3, 1)
    assert view.calls[0].result is None


def test_texts_are_found_and_given_in_full() -> None:
    found = steps()
    assert found.matches("BELL") == [1, 2]
    assert found.matches("") == []
    assert found.text(query(TextPart.RESULT, 2)) == LONG
    assert found.text(query(TextPart.ARGUMENTS, 4)) == '{"answer":7}'
    assert found.text(query(TextPart.SUBMITTED)) == '{"answer":7}'
    assert found.text(query(TextPart.FINAL_STATE)) == '{"bells":[1,Infinity]}'
    assert found.text(query(TextPart.REASONING, 2)) is None
    assert found.text(query(TextPart.RESULT, 99)) is None
    assert steps(2).submitted is None
    assert steps(2).final_state is None
