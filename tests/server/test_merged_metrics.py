"""The figures of all processes of a server."""

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from codegym_mcp.server.merged_metrics import MergedMetrics


def figures(calls: int, seconds: float) -> str:
    registry = CollectorRegistry()
    Counter("codegym_calls", "Calls.", ["status"], registry=registry).labels("ok").inc(calls)
    Histogram("codegym_call_duration_seconds", "Time.", registry=registry, buckets=[1.0]).observe(seconds)
    return generate_latest(registry).decode()


def test_every_figure_has_the_label_of_its_process() -> None:
    registry = CollectorRegistry()
    registry.register(MergedMetrics({"1": figures(3, 0.5), "2": figures(4, 2.0)}, []))
    families = {
        family.name: family for family in text_string_to_metric_families(generate_latest(registry).decode())
    }
    calls = {
        (sample.labels["worker"], sample.labels["status"]): sample.value
        for sample in families["codegym_calls"].samples
        if sample.name == "codegym_calls_total"
    }
    assert calls == {("1", "ok"): 3, ("2", "ok"): 4}
    within_a_second = {
        sample.labels["worker"]: sample.value
        for sample in families["codegym_call_duration_seconds"].samples
        if sample.labels.get("le") == "1.0"
    }
    assert within_a_second == {"1": 1, "2": 0}
    assert families["codegym_call_duration_seconds"].type == "histogram"
