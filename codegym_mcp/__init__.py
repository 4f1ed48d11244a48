"""Coding problems as tool-use environments, served over MCP, recorded and scored.

These functions block; `codegym_mcp.aio` has the same ones to be awaited. Importing this package loads no
server, sandbox or model library: each name is imported with its first use (PEP 562).

Example:
    import codegym_mcp as gym

    with gym.open_episode("night_courier", difficulty=2, seed=7) as episode:
        print(episode.task.text, [tool.name for tool in episode.tools])
        signs = episode.call("look").value["signs"]
        episode.submit([signs[0]["street"]])
    print(episode.outcome, episode.reward)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from codegym_mcp.version import VERSION

if TYPE_CHECKING:
    from codegym_harness import CommandAgent, ModelAgent, Run, Trajectory
    from codegym_harness.clients.remote_client import Client
    from codegym_harness.trainers.trl_gym_spec import GymSpec
    from codegym_mcp.catalog.catalog import Catalog
    from codegym_mcp.environment_definition.environment import Environment, Task
    from codegym_mcp.episode_api import load, open_episode
    from codegym_mcp.episode_limits import Limits
    from codegym_mcp.episode_protocol import CallResult
    from codegym_mcp.episodes.episode_outcome import Verdict
    from codegym_mcp.errors import CodegymError
    from codegym_mcp.evaluation_api import (
        audit,
        audit_many,
        compare,
        evaluate,
        export,
        open_run,
        report,
        serve,
        verify,
        verify_many,
    )
    from codegym_mcp.runtime.blocking_episode import Episode
    from codegym_mcp.runtime.blocking_runtime import Runtime
    from codegym_mcp.server.background_server import Server
    from codegym_mcp.verification.audit.audit import Audit
    from codegym_mcp.verification.gate_results import Verification

__version__ = VERSION

__all__ = [
    "Audit",
    "CallResult",
    "Catalog",
    "Client",
    "CodegymError",
    "CommandAgent",
    "Environment",
    "Episode",
    "GymSpec",
    "Limits",
    "ModelAgent",
    "Run",
    "Runtime",
    "Server",
    "Task",
    "Trajectory",
    "Verdict",
    "Verification",
    "__version__",
    "audit",
    "audit_many",
    "compare",
    "evaluate",
    "export",
    "load",
    "open_episode",
    "open_run",
    "report",
    "serve",
    "verify",
    "verify_many",
]

_HOMES = {
    "Audit": "codegym_mcp.verification.audit.audit",
    "CallResult": "codegym_mcp.episode_protocol",
    "Catalog": "codegym_mcp.catalog.catalog",
    "Client": "codegym_harness.clients.remote_client",
    "CodegymError": "codegym_mcp.errors",
    "CommandAgent": "codegym_harness",
    "Environment": "codegym_mcp.environment_definition.environment",
    "Episode": "codegym_mcp.runtime.blocking_episode",
    "GymSpec": "codegym_harness.trainers.trl_gym_spec",
    "Limits": "codegym_mcp.episode_limits",
    "ModelAgent": "codegym_harness",
    "Run": "codegym_harness",
    "Runtime": "codegym_mcp.runtime.blocking_runtime",
    "Server": "codegym_mcp.server.background_server",
    "Task": "codegym_mcp.environment_definition.environment",
    "Trajectory": "codegym_harness",
    "Verdict": "codegym_mcp.episodes.episode_outcome",
    "Verification": "codegym_mcp.verification.gate_results",
    **dict.fromkeys(
        (
            "audit",
            "audit_many",
            "compare",
            "evaluate",
            "export",
            "open_run",
            "report",
            "serve",
            "verify",
            "verify_many",
        ),
        "codegym_mcp.evaluation_api",
    ),
    **dict.fromkeys(("load", "open_episode"), "codegym_mcp.episode_api"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
