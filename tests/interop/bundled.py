"""One fixed task of every bundled environment, with its right answer."""

import json
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

BUNDLED = Path(__file__).parents[2] / "environments"


@dataclass(frozen=True)
class BundledTask:
    """A task that no agent has to solve: the answer is computed from its hidden configuration."""

    environment: str
    id: str
    answer: Any


def bundled_tasks() -> list[BundledTask]:
    """The first task of each environment."""
    return [_first_task(file) for file in sorted(BUNDLED.glob("*.jsonl"))]


def _first_task(file: Path) -> BundledTask:
    with file.open() as lines:
        task = json.loads(next(lines))
    environment = import_module(f"environments.{file.stem}")
    return BundledTask(file.stem, task["id"], environment.reference(**task["config"]))
