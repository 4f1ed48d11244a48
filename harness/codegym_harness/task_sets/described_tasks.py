"""Describes tasks as an agent sees them: the text, the tools, and the system prompt of evaluations."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from pydantic_core import to_json

from codegym_harness.agents.system_prompt import DEFAULT_SYSTEM_PROMPT, render_system_prompt
from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.environment_definition.environment import Environment
from codegym_mcp.environment_definition.tools import tool_view
from codegym_mcp.episode_protocol import ToolView
from codegym_mcp.episodes.episode_task import select_task
from codegym_mcp.sandbox.process.pool import SERVING_CPU_GRACE, SandboxPool
from codegym_mcp.task_reference import TaskReference

Message = dict[str, str]


@dataclass(frozen=True)
class DescribedTask:
    """A task as an agent sees it.

    Attributes:
        reference: names the task.
        id: the id of the task within its environment.
        text: the task text.
        tools: the tools, the submission last.
        submission: the name of the tool that submits the answer.
        calls: the calls that an episode allows, as the system prompt says.
        configuration: a digest of the configuration; equal for equal tasks.
    """

    reference: TaskReference
    id: str
    text: str
    tools: Sequence[ToolView]
    submission: str
    calls: int
    configuration: bytes

    @property
    def system_prompt(self) -> str:
        """The system prompt under which models are evaluated."""
        return render_system_prompt(DEFAULT_SYSTEM_PROMPT, self.submission, self.calls)

    @property
    def messages(self) -> list[Message]:
        """The messages with which an episode begins."""
        return [
            {"role": "system", "content": self.system_prompt},
            {"role": "user", "content": self.text},
        ]

    @property
    def opening_messages(self) -> list[Message]:
        """The same messages without the task text, for environments that add it."""
        return opening_messages(DEFAULT_SYSTEM_PROMPT, self.submission, self.calls)

    @property
    def columns(self) -> dict[str, Any]:
        """The columns of a row that name the task; see `TaskReference.from_row`."""
        return self.reference.model_dump(include=set(TaskReference.model_fields))


def opening_messages(system_prompt: str, submission: str, calls: int) -> list[Message]:
    """Returns the system prompt and an empty message of the user, to which the task text is added.

    Args:
        system_prompt: the template of the system prompt; without a text, there is no such message.
        submission: the name of the tool that submits the answer.
        calls: the calls that an episode allows.
    """
    system = render_system_prompt(system_prompt, submission, calls)
    messages = [{"role": "system", "content": system}] if system else []
    return [*messages, {"role": "user", "content": ""}]


class TaskDescriber:
    """Describes tasks of a catalog. Use `TaskDescriber.open`."""

    def __init__(self, pool: SandboxPool, catalog: Catalog, calls: int) -> None:
        self._pool = pool
        self._catalog = catalog
        self._calls = calls
        self._environments: dict[str, tuple[Environment, list[ToolView]]] = {}

    @classmethod
    @asynccontextmanager
    async def open(
        cls, catalog: Catalog, *, calls: int, allow_unconfined: bool = False
    ) -> AsyncIterator["TaskDescriber"]:
        """Opens a describer until the block is left.

        Args:
            calls: the calls that an episode of the tasks allows.
            allow_unconfined: generate tasks also where this system cannot confine the generator.

        Raises:
            SandboxError: generators cannot be confined here.
        """
        async with SandboxPool.open(allow_unconfined=allow_unconfined, cpu_grace=SERVING_CPU_GRACE) as pool:
            yield cls(pool, catalog, calls)

    async def describe(self, references: Sequence[TaskReference]) -> list[DescribedTask]:
        """Describes tasks, all at the same time.

        Raises:
            NotFoundError, TaskError: a task does not exist.
            SourceError: an environment cannot be used.
            EnvironmentFailedError, SandboxError: a generator failed.
        """
        return await asyncio.gather(*map(self._describe, references))

    async def _describe(self, reference: TaskReference) -> DescribedTask:
        environment, tools = self._environment(reference.environment)
        task = await select_task(
            self._pool, environment, reference.task, reference.difficulty, reference.seed
        )
        return DescribedTask(
            reference=reference,
            id=task.id,
            text=environment.task_text(task),
            tools=tools,
            submission=environment.submission.name,
            calls=self._calls,
            configuration=sha256(environment.name.encode() + b"\0" + to_json(task.config)).digest(),
        )

    def _environment(self, name: str) -> tuple[Environment, list[ToolView]]:
        if name not in self._environments:
            environment = self._catalog.get(name)
            tools = [tool_view(tool) for tool in (*environment.tools, environment.submission)]
            self._environments[name] = environment, tools
        return self._environments[name]
