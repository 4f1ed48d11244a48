"""The public names, so that none appears or goes by accident."""

import importlib
import inspect
import subprocess
import sys
from collections.abc import Callable

import pytest

import codegym_mcp
from codegym_mcp import aio

PUBLIC = {
    "codegym_mcp": [
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
    ],
    "codegym_mcp.aio": [
        "AsyncClient",
        "AsyncEpisode",
        "AsyncRuntime",
        "AsyncServer",
        "audit",
        "audit_many",
        "evaluate",
        "open_episode",
        "serve",
        "verify",
        "verify_many",
    ],
    "codegym_mcp.testing": ["check_environment", "play_oracle", "reference_answer"],
    "codegym_harness": [
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
    ],
}


@pytest.mark.parametrize("module", PUBLIC)
def test_a_module_exports_exactly_its_public_names(module: str) -> None:
    found = importlib.import_module(module)
    assert sorted(found.__all__) == PUBLIC[module]
    assert set(PUBLIC[module]) <= set(dir(found))


@pytest.mark.parametrize(
    ("module", "name"),
    [(module, name) for module, names in PUBLIC.items() for name in names if name != "__version__"],
)
def test_every_public_name_is_documented(module: str, name: str) -> None:
    value = getattr(importlib.import_module(module), name)
    assert inspect.getdoc(value) or name == "Agent"


def test_importing_the_package_loads_no_heavy_module() -> None:
    script = (
        "import sys, codegym_mcp; "
        "print([name for name in ('starlette', 'pydantic', 'pydantic_ai', 'codegym_mcp.sandbox', 'mcp') "
        "if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def parameters(function: Callable[..., object]) -> list[tuple[str, object, object]]:
    """Returns names, kinds and defaults. Annotations differ where one form takes a Runtime."""
    found = inspect.signature(function).parameters.values()
    return [(each.name, each.kind, each.default) for each in found]


BOTH = sorted(set(codegym_mcp.__all__) & set(aio.__all__))


@pytest.mark.parametrize("name", BOTH)
def test_blocking_and_awaited_functions_have_the_same_parameters(name: str) -> None:
    assert parameters(getattr(codegym_mcp, name)) == parameters(getattr(aio, name))


PAIRS = [("Episode", "AsyncEpisode"), ("Runtime", "AsyncRuntime"), ("Client", "AsyncClient")]


@pytest.mark.parametrize(("blocking", "awaited"), PAIRS)
def test_every_public_method_to_be_awaited_has_a_blocking_one(blocking: str, awaited: str) -> None:
    def methods(kind: type) -> dict[str, list[tuple[str, object, object]]]:
        return {
            name: parameters(value)
            for name, value in inspect.getmembers(kind, inspect.isfunction)
            if not name.startswith("_")
        }

    first, second = methods(getattr(codegym_mcp, blocking)), methods(getattr(aio, awaited))
    shared = {name: parameters for name, parameters in second.items() if name in first}
    assert {name: first[name] for name in shared} == shared


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'gymnasium'"):
        _ = codegym_mcp.gymnasium  # type: ignore[attr-defined]


def test_an_episode_in_this_process_loads_neither_the_harness_nor_a_server() -> None:
    script = (
        "import sys, codegym_mcp\n"
        "with codegym_mcp.open_episode('night_courier', difficulty=1) as episode: episode.call('look')\n"
        "print([name for name in ('codegym_harness', 'mcp', 'mcp_types', 'starlette') if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
