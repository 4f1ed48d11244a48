"""The harness: lets agents play episodes, records what they do, and computes the figures of a run.

Use `codegym_mcp.evaluate`, `open_run`, `compare`, `report` and `export`. The types that they take and return
are here.
Each name is imported with its first use (PEP 562).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from codegym_harness.agents.agent import Agent
    from codegym_harness.agents.agent_context import AsyncAgentContext
    from codegym_harness.agents.blocking_context import AgentContext
    from codegym_harness.agents.configured_agents import CommandAgent, ModelAgent
    from codegym_harness.agents.function_agent import FunctionAgent
    from codegym_harness.export.export_summary import ExportSummary
    from codegym_harness.records.episode_result import EpisodeResult, EpisodeUsage
    from codegym_harness.records.trajectory import Outcome, Trajectory
    from codegym_harness.report.report_contents import Report
    from codegym_harness.runs.comparison import Comparison
    from codegym_harness.runs.recorded_run import Run
    from codegym_harness.runs.run_config import RunConfig
    from codegym_harness.runs.run_observer import Observer
    from codegym_harness.statistics.estimators import Estimate
    from codegym_harness.statistics.run_metrics import Summary

__all__ = [
    "Agent",
    "AgentContext",
    "AsyncAgentContext",
    "CommandAgent",
    "Comparison",
    "EpisodeResult",
    "EpisodeUsage",
    "Estimate",
    "ExportSummary",
    "FunctionAgent",
    "ModelAgent",
    "Observer",
    "Outcome",
    "Report",
    "Run",
    "RunConfig",
    "Summary",
    "Trajectory",
]

_HOMES = {
    "Agent": "agents.agent",
    "AgentContext": "agents.blocking_context",
    "AsyncAgentContext": "agents.agent_context",
    "CommandAgent": "agents.configured_agents",
    "Comparison": "runs.comparison",
    "EpisodeResult": "records.episode_result",
    "EpisodeUsage": "records.episode_result",
    "Estimate": "statistics.estimators",
    "ExportSummary": "export.export_summary",
    "FunctionAgent": "agents.function_agent",
    "ModelAgent": "agents.configured_agents",
    "Observer": "runs.run_observer",
    "Outcome": "records.trajectory",
    "Report": "report.report_contents",
    "Run": "runs.recorded_run",
    "RunConfig": "runs.run_config",
    "Summary": "statistics.run_metrics",
    "Trajectory": "records.trajectory",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
