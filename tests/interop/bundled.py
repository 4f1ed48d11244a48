"""One fixed task of every bundled environment, with the oracle's calls and its answer."""

import json
from copy import deepcopy
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

BUNDLED = Path(__file__).parents[2] / "environments"


@dataclass(frozen=True)
class BundledTask:
    """A task that no agent has to solve: the oracle was run on its hidden configuration.

    Attributes:
        calls: the names and arguments of the oracle's calls.
        submission: the arguments of the submission; empty where the state alone is judged.
    """

    environment: str
    id: str
    calls: list[tuple[str, dict[str, Any]]] = field(repr=False)
    submission: dict[str, Any] = field(repr=False)


def bundled_tasks() -> list[BundledTask]:
    """The first task of each environment."""
    return [_first_task(file) for file in sorted(BUNDLED.glob("*.jsonl"))]


def _first_task(file: Path) -> BundledTask:
    with file.open() as lines:
        task = json.loads(next(lines))
    module, config = import_module(f"environments.{file.stem}"), task["config"]
    tools = _RecordedTools(_environment(module, config))
    answer = module.solve(tools, **{name: deepcopy(config[name]) for name in module.META["public"]})
    takes_answer = hasattr(module, "reference")
    return BundledTask(file.stem, task["id"], tools.calls, {"answer": answer} if takes_answer else {})


def _environment(module: ModuleType, config: dict[str, Any]) -> Any:
    config = deepcopy(config)
    return module.Environment(config) if hasattr(module, "Config") else module.Environment(**config)


class _RecordedTools:
    """The tools of an environment in this process; each call is recorded."""

    def __init__(self, environment: Any) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self._environment = environment

    def __getattr__(self, name: str) -> Any:
        def call(**arguments: Any) -> Any:
            self.calls.append((name, deepcopy(arguments)))
            # What a process receives is a copy, in JSON's types.
            return json.loads(json.dumps(getattr(self._environment, name)(**arguments)))

        return call
