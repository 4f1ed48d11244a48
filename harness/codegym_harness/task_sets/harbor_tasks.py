"""Writes task folders for Harbor, each with a server that holds one episode of its task.

https://www.harborframework.com/docs/tasks. The agent works in the container `main` and reaches the episode
over MCP. The episode and its verdict are in the container `codegym`; after the agent was stopped, the episode
is ended there, and a verifier in a container of its own reads the reward.

A folder contains the source of its environment, from which the answer can be computed, and by default the
calls of the environment's own solution. Agents see neither.
"""

import json
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment as Templates
from jinja2 import PackageLoader, StrictUndefined
from pydantic import BaseModel, ConfigDict, Field

from codegym_harness.export.output_directories import new_directory
from codegym_harness.task_sets.described_tasks import DescribedTask, TaskDescriber
from codegym_harness.task_sets.task_set_contents import Part
from codegym_harness.task_sets.task_set_files import (
    HeldOutFilter,
    TaskFile,
    TaskSetSummary,
    check_not_empty,
)
from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.episode_limits import Limits
from codegym_mcp.episodes.episode_task import select_task
from codegym_mcp.errors import CodegymError, TaskError
from codegym_mcp.policies.oracle import OraclePolicy
from codegym_mcp.policies.tool_schemas import takes_answer
from codegym_mcp.sandbox.process.pool import SERVING_CPU_GRACE, SandboxPool
from codegym_mcp.task_reference import TaskReference
from codegym_mcp.verification.recorded_play import play_episode
from codegym_mcp.version import VERSION

_FILES = {
    "task.toml": "task.toml",
    "instruction.md": "instruction.md",
    "docker-compose.yaml": "environment/docker-compose.yaml",
    "main.Dockerfile": "environment/Dockerfile",
    "codegym.Dockerfile": "environment/codegym/Dockerfile",
    "start.sh": "environment/codegym/start.sh",
    "collect.py": "environment/codegym/collect.py",
    "tests.Dockerfile": "tests/Dockerfile",
    "test.sh": "tests/test.sh",
}
_SOLUTION = {"solve.sh": "solution/solve.sh", "solve.py": "solution/solve.py"}
"""The templates, and the files of a task folder that are rendered from them."""


class HarborOptions(BaseModel):
    """How task folders are written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    organization: str = Field(default="codegym-mcp", pattern=r"^[a-zA-Z0-9][a-zA-Z0-9._-]*$")
    """The first part of the names of the tasks."""
    server_image: str | None = Field(default=None, pattern=r"^[\w][\w./:@-]*$")
    """A Docker image that has codegym-mcp; without it, an image with the version that writes the folders is
    built."""
    solutions: bool = True
    """Whether folders contain the calls of the environment's own solution, for Harbor's oracle agent."""
    calls: int = Field(default=Limits().calls, ge=1, le=100_000)
    """The tool calls that an episode allows."""


async def write_harbor_tasks(
    catalog: Catalog,
    parts: Mapping[Part, Sequence[TaskReference]],
    out: Path,
    options: HarborOptions | None = None,
    *,
    licenses: Mapping[str, str] | None = None,
    allow_unconfined: bool = False,
    on_task: Callable[[TaskReference], object] = lambda _: None,
) -> TaskSetSummary:
    """Writes a folder for each task, in a new directory; below it one for each part if there are several.

    Args:
        parts: the tasks of each part; see `TaskSelection.tasks`.
        licenses: the licences of environments by name; those that the environments state without it.
        on_task: called with each task whose folder is written or left out.

    Raises:
        CodegymError: the directory exists or cannot be written, or two tasks have the same name.
        TaskError: a task does not exist, or the environment's own solution does not solve it.
        SourceError, EnvironmentFailedError, SandboxError: a task cannot be generated or played.
    """
    options = options or HarborOptions()
    files = [TaskFile(path=out / part if len(parts) > 1 else out, part=part) for part in parts]
    with new_directory(out) as directory:
        async with SandboxPool.open(allow_unconfined=allow_unconfined, cpu_grace=SERVING_CPU_GRACE) as pool:
            writer = _FolderWriter(pool, catalog, options, licenses or {})
            for file in files:
                for reference in parts[file.part]:
                    await writer.write(reference, directory / file.path.relative_to(out), file)
                    on_task(reference)
                check_not_empty(file)
    return TaskSetSummary(format="harbor", files=files)


class _FolderWriter:
    """Writes task folders, one after another."""

    def __init__(
        self, pool: SandboxPool, catalog: Catalog, options: HarborOptions, licenses: Mapping[str, str]
    ) -> None:
        self._licenses = licenses
        self._pool = pool
        self._catalog = catalog
        self._options = options
        self._describer = TaskDescriber(pool, catalog, options.calls)
        self._held_out = HeldOutFilter()
        self._environments: dict[Part, set[str]] = {}

    async def write(self, reference: TaskReference, directory: Path, file: TaskFile) -> None:
        """Writes the folder of a task into a directory, and counts it."""
        (task,) = await self._describer.describe([reference])
        if self._held_out.leaves_out(task, file.part):
            file.left_out += 1
            return
        environment = self._catalog.get(reference.environment)
        name = f"{environment.name}-{re.sub('[^a-zA-Z0-9._-]+', '-', task.id)}"
        folder = directory / name
        if folder.exists():
            raise CodegymError(f"Two tasks of {environment.name} have the name {name}.")
        templates = dict(_FILES)
        if self._options.solutions:
            templates |= _SOLUTION
            calls = await self._solve(environment, reference)
            _write(folder / "solution" / "calls.json", json.dumps(calls))
        values = self._values(environment, task, name, file.part)
        for template, target in templates.items():
            _write(folder / target, _templates().get_template(f"{template}.j2").render(values))
        environment.save(folder / "environment" / "codegym")
        file.tasks += 1
        found = self._environments.setdefault(file.part, set())
        found.add(environment.name)
        file.environments = len(found)

    def _values(self, environment: Environment, task: DescribedTask, name: str, part: Part) -> dict[str, Any]:
        """Returns the values for the templates."""
        reference = task.reference
        choice = ["--task", task.id]
        if reference.difficulty is not None:
            choice = ["--difficulty", str(reference.difficulty), "--seed", str(reference.seed or 0)]
        return {
            "name": f"{self._options.organization}/{name}",
            "description": environment.title,
            "keywords": list(environment.tags),
            "license": self._licenses.get(environment.name, environment.license),
            "task": task,
            "part": part.value,
            "choice": shlex.join(choice),
            "takes_answer": takes_answer(task.tools[-1]),
            "server_image": self._options.server_image,
            "version": VERSION,
        }

    async def _solve(self, environment: Environment, reference: TaskReference) -> list[dict[str, Any]]:
        """Returns the calls by which the environment's own solution solves a task, the submission last."""
        limits = Limits(calls=self._options.calls)
        task = await select_task(
            self._pool, environment, reference.task, reference.difficulty, reference.seed
        )
        play = await play_episode(
            self._pool, environment, task, OraclePolicy(self._pool, environment), limits
        )
        if not play.correct:
            raise TaskError(
                f"The solution of {environment.name} does not solve {task.id} with {limits.calls} calls.",
                hint="Leave the task out, allow more calls, or write folders without solutions.",
            )
        answer = environment.submission_arguments(play.answer)
        made = [(step.name, step.arguments) for step in play.steps] + [(environment.submission.name, answer)]
        return [{"name": name, "arguments": arguments} for name, arguments in made]


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
    if path.suffix == ".sh":
        path.chmod(0o755)


@cache
def _templates() -> Templates:
    # Nothing of it is HTML; values are quoted for the language of each file.
    templates = Templates(  # noqa: S701
        loader=PackageLoader("codegym_harness.task_sets", "harbor_folder"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    templates.filters["toml"] = _toml
    return templates


def _toml(value: str | list[str]) -> str:
    """Returns a text or a list of texts in TOML, whose strings are those of JSON but for one character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
