"""Trajectories of models, made by hand and at random, and what anybody should find again in them."""

from typing import Any

from hypothesis import strategies as st

from codegym_harness.records.trajectory import (
    AgentInfo,
    FinalMetrics,
    Metrics,
    MetricsExtra,
    Observation,
    ObservationResult,
    ResultExtra,
    RolloutRecord,
    Step,
    ToolCall,
    ToolCallExtra,
    Trajectory,
)
from codegym_mcp.episodes.episode_outcome import Verdict
from tests.made_runs import AT, TOOLS

Exchange = tuple[Any, ...]


def asked(
    name: str, arguments: dict[str, Any], result: str | None = "ok", **extra: Any
) -> tuple[ToolCall, str | None]:
    """A call and what came back; None where nothing did. `extra` as in `ToolCallExtra`."""
    # What names it is given with its step.
    call = ToolCall(tool_call_id="", function_name=name, arguments=arguments)
    if extra:
        call.extra = ToolCallExtra(**extra)
    return call, result


def user(text: str) -> Step:
    return Step(step_id=0, timestamp=AT, source="user", message=text)


def system(text: str) -> Step:
    return Step(step_id=0, timestamp=AT, source="system", message=text)


def agent(text: str = "", *calls: tuple[ToolCall, str | None], reasoning: str | None = None) -> Step:
    """A turn of the agent, with as many calls as it makes at once."""
    step = Step(step_id=0, timestamp=AT, source="agent", message=text, reasoning_content=reasoning)
    if calls:
        step.tool_calls = [call for call, _ in calls]
        answered = [
            ObservationResult(source_call_id=str(n), content=result, extra=ResultExtra(seconds=0.1))
            for n, (_, result) in enumerate(calls)
            if result is not None
        ]
        step.observation = Observation(results=answered) if answered else None
    return step


def refused(step: Step) -> Step:
    """The same, all its results being errors."""
    assert step.observation is not None
    for result in step.observation.results:
        result.extra.is_error = True
    return step


def trajectory(*steps: Step, key: str = "lift/low/1", tools: Any = TOOLS, **record: Any) -> Trajectory:
    """A trajectory of these steps, which are numbered and their calls named; correct unless it is said.

    Args:
        key: environment, task and epoch.
        record: further fields of the `RolloutRecord`.
    """
    for number, step in enumerate(steps, 1):
        step.step_id = number
        for n, call in enumerate(step.tool_calls or []):
            call.tool_call_id = f"call_{number}_{n}"
        for result in step.observation.results if step.observation is not None else []:
            result.source_call_id = f"call_{number}_{result.source_call_id}"
    environment, task, epoch = key.split("/")
    outcome = record.get("outcome", "correct")
    reward = {"correct": 1.0, "incorrect": 0.0}.get(outcome)
    made: dict[str, Any] = {
        "outcome": outcome,
        "verdict": Verdict(correct=bool(reward), reward=reward) if reward is not None else None,
        "calls": sum(len(step.tool_calls or []) for step in steps),
        "seconds": 1.0,
        **record,
    }
    return Trajectory(
        session_id="0123456789abcdef",
        agent=AgentInfo(name="model", version="1", model_name="test:model", tool_definitions=tools),
        steps=[*steps],
        final_metrics=FinalMetrics.of(steps),
        extra=RolloutRecord(key=key, environment=environment, task=task, epoch=int(epoch), **made),
    )


def metrics(**told: Any) -> Metrics:
    return Metrics(prompt_tokens=10, completion_tokens=5, extra=MetricsExtra(seconds=1.0), **told)


EXAMPLE = [
    system("You play."),
    user("Find the floor of the bell. Ünïcödé 🔔"),
    agent(
        "I look, and move.",
        asked("look", {}, ""),
        asked("move", {"floors": 2, "why": None, "deep": {"ä": [1, {"b": "<tool_call>"}]}}, "went\n2 ↑"),
        reasoning="Two at once.",
    ),
    agent("", asked("move", {"floors": -1}, "There is no floor there.")),
    agent("Which floor is it?"),
    user("Go on with the tools."),
    agent("", asked("submit_answer", {"answer": 3}, "received"), reasoning="It must be 3."),
]
"""Everything that a conversation may hold."""


def example(**record: Any) -> Trajectory:
    return trajectory(*(step.model_copy(deep=True) for step in EXAMPLE), **record)


def exchanges(record: Trajectory) -> list[Exchange]:
    """What was said, called for and read, in order, straight from the record."""
    found: list[Exchange] = []
    for step in record.steps:
        if step.source != "agent":
            found.append((step.source, step.message))
            continue
        calls = [(call.function_name, call.arguments) for call in step.tool_calls or []]
        found.append(("agent", step.message, step.reasoning_content, calls))
        if step.observation is not None:
            found += [("result", result.content) for result in step.observation.results]
    return found


texts = st.text(max_size=20)
numbers = st.integers(-(2**63), 2**64 - 1) | st.floats(-1e300, 1e300)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
arguments = st.dictionaries(texts, values, max_size=3)
calls = st.builds(asked, st.sampled_from(["look", "move", "submit_answer"]), arguments, texts)
calling = st.builds(
    lambda text, made, reasoning: [agent(text, *made, reasoning=reasoning)],
    texts,
    st.lists(calls, min_size=1, max_size=3),
    st.none() | texts,
)
talking = st.builds(
    lambda text, reasoning, answer: [agent(text, reasoning=reasoning), user(answer)],
    texts,
    st.none() | texts,
    texts,
)
trajectories = st.builds(
    lambda prompt, task, rounds: trajectory(*prompt, task, *(step for each in rounds for step in each)),
    st.lists(st.builds(system, texts), max_size=1),
    st.builds(user, texts),
    st.lists(calling | talking, min_size=1, max_size=4),
)
"""Trajectories of models, in which every call is answered."""
