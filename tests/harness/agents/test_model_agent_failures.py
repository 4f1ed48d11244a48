"""Failures of a model's provider, and their trace in the trajectory."""

import time
from types import SimpleNamespace
from typing import Any

import pytest

from codegym_harness.agents.model_agent import LanguageModelAgent, ModelAgentOptions
from codegym_mcp.errors import ModelAccessError
from codegym_mcp.models import Retries
from tests.harness.agents.model_episodes import LISTEN, SUBMIT, AgentEndpoint, Play, calls


async def test_a_retry_is_announced_while_it_waits(openai: AgentEndpoint, play: Play) -> None:
    fault = {"status": 500, "body": {"error": {"message": "boom"}}}
    events = []
    async with openai.agent(fault, fault, SUBMIT) as agent:
        agent.model.on_retry = events.append
        await play(agent)
    assert [(event.attempt, event.status, event.error) for event in events] == [
        (1, 500, "status 500: boom"),
        (2, 500, "status 500: boom"),
    ]


FAULTS = [
    {"status": 429, "headers": {"Retry-After": "0"}},
    {"status": 500, "body": {"error": {"message": "boom"}}},
    {"fault": "cut"},
    {"fault": "garbage"},
    {"fault": "empty"},
]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
async def test_failed_attempts_are_recorded(
    endpoint: AgentEndpoint, play: Play, fault: dict[str, Any]
) -> None:
    async with endpoint.agent(calls(LISTEN), fault, fault, SUBMIT) as agent:
        trajectory = await play(agent)
    assert trajectory.extra.outcome == "correct"
    assert trajectory.steps[2].metrics.extra.failed_attempts is None
    failed = trajectory.steps[3].metrics.extra.failed_attempts
    assert [each.status for each in failed] == [fault.get("status")] * 2
    assert trajectory.extra.calls == 1


@pytest.mark.parametrize("fault", FAULTS, ids=str)
async def test_a_provider_that_keeps_failing_is_not_the_agents_failure(
    endpoint: AgentEndpoint, play: Play, fault: dict[str, Any]
) -> None:
    async with endpoint.agent(calls(LISTEN), fault, attempts=2) as agent:
        trajectory = await play(agent)
    record = trajectory.extra
    assert (record.outcome, record.verdict, record.stop) == ("failed", None, None)
    assert (record.error.fault, record.error.kind, record.error.traceback) == ("provider", "ModelError", None)
    assert "failed 2 times" in record.error.message
    assert len(trajectory.steps) == 3


async def test_a_request_without_an_answer_is_the_providers_failure(
    endpoint: AgentEndpoint, play: Play
) -> None:
    async with endpoint.agent({"fault": "hang"}, attempts=2, request_seconds=0.2) as agent:
        trajectory = await play(agent)
    assert (trajectory.extra.outcome, trajectory.extra.error.fault) == ("failed", "provider")
    assert "no answer in 0.2 seconds" in trajectory.extra.error.message


async def test_a_rejected_request_is_the_harness_failure(endpoint: AgentEndpoint, play: Play) -> None:
    body = {"error": {"type": "invalid_request_error", "message": "no such setting"}}
    async with endpoint.agent({"status": 400, "body": body}) as agent:
        trajectory = await play(agent)
    assert (trajectory.extra.outcome, trajectory.extra.error.fault) == ("failed", "harness")


async def test_a_verdict_is_kept_if_the_provider_fails_later(endpoint: AgentEndpoint, play: Play) -> None:
    async with endpoint.agent(SUBMIT, {"status": 500}) as agent:
        trajectory = await play(agent)
    assert (trajectory.extra.outcome, trajectory.extra.error) == ("correct", None)


async def test_a_refused_key_halts_the_run(endpoint: AgentEndpoint, play: Play) -> None:
    async with endpoint.agent({"status": 401, "body": {"error": {"message": "no"}}}) as agent:
        with pytest.raises(ModelAccessError):
            await play(agent)


async def test_waits_for_the_provider_are_not_part_of_the_models_time(
    openai: AgentEndpoint, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited = 0.0
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + waited)
    monkeypatch.setattr("codegym_harness.deadline.time", clock)

    async def wait(_):
        nonlocal waited
        waited += 1000.0

    fault = {"status": 500}
    options = ModelAgentOptions(name=openai.name(fault, fault, SUBMIT), base_url=openai.url)
    async with LanguageModelAgent.open(options, retries=Retries(sleep=wait)) as agent:
        trajectory = await play(agent, seconds=60)
    assert waited == 2000.0
    assert (trajectory.extra.outcome, trajectory.extra.limits_met) == ("correct", [])


async def test_a_model_that_takes_too_long_reaches_the_deadline(openai: AgentEndpoint, play: Play) -> None:
    async with openai.agent({"fault": "hang"}) as agent:
        trajectory = await play(agent, seconds=0.2)
    record = trajectory.extra
    assert (record.outcome, record.limits_met, record.error) == ("no_submission", ["deadline_seconds"], None)
