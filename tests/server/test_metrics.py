"""The metrics for Prometheus, read with its own parser."""

import sys

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_open_metrics
from prometheus_client.parser import text_string_to_metric_families

from codegym_mcp.sandbox.process.pool import SandboxPool

from .serving import WORDS, Server, http_server


async def read(server: Server, accept: str = "") -> dict[tuple[str, str], float]:
    """The samples by name and the value of their first label."""
    async with server.control() as control:
        response = await control.get("/metrics", headers={"accept": accept})
    assert response.status_code == 200, response.text
    parse = (
        read_open_metrics
        if "openmetrics" in response.headers["content-type"]
        else text_string_to_metric_families
    )
    return {
        (sample.name, next(iter(sample.labels.values()), "")): sample.value
        for family in parse(response.text)
        for sample in family.samples
    }


async def test_episodes_calls_and_processes_are_counted(pool: SandboxPool) -> None:
    async with http_server(pool) as server:
        before = await read(server)
        solved, failed, _ = [await server.open() for _ in range(3)]
        await solved.call("turn", {"wheel": 1})
        await failed.call("nothing", {})
        await solved.submit(WORDS["blue"])
        await failed.submit("heron")
        found = await read(server)
    assert found["codegym_open_episodes", ""] == 1
    assert found["codegym_episodes_opened_total", ""] == 3
    assert found["codegym_episodes_ended_total", "correct"] == 1
    assert found["codegym_episodes_ended_total", "incorrect"] == 1
    calls = {label: value for (name, label), value in found.items() if name == "codegym_calls_total"}
    assert sum(calls.values()) == 4
    assert calls["invalid"] == 2, "an unknown tool, and a tool that is unknown too"
    assert found["codegym_call_duration_seconds_bucket", "+Inf"] == 4
    assert found["codegym_call_duration_seconds_count", ""] == 4
    started = "codegym_environment_processes_started_total", ""
    assert found[started] >= before[started] + 3
    if sys.platform == "linux":
        assert found["process_resident_memory_bytes", ""] > 1 << 20


async def test_the_metrics_are_also_there_in_the_openmetrics_format(pool: SandboxPool) -> None:
    async with http_server(pool) as server:
        found = await read(server, "application/openmetrics-text; version=1.0.0")
    assert found["codegym_open_episodes", ""] == 0


async def test_the_metrics_need_the_control_planes_token(pool: SandboxPool) -> None:
    async with http_server(pool) as server, server.client() as anyone:
        assert (await anyone.get("/metrics")).status_code == 401


async def test_without_the_client_library_the_error_says_how_to_install_it(
    pool: SandboxPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client.exposition", None)
    async with http_server(pool) as server, server.control() as control:
        response = await control.get("/metrics")
    assert response.status_code == 501
    assert "codegym-mcp[metrics]" in response.json()["error"]["hint"]
