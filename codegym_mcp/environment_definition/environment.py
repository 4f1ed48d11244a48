"""An environment: its tools, task text, tasks, type of answer, and the program that runs in the sandbox."""

import os
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field

from codegym_mcp.answer_scoring.answer_comparison import AnswerType
from codegym_mcp.environment_definition.environment_digests import audited_content_digest, environment_digest
from codegym_mcp.environment_definition.environment_metadata import JudgeErrors
from codegym_mcp.environment_definition.tools import Tool, result_text
from codegym_mcp.errors import InvalidArgumentsError, NotFoundError, SourceError, TaskError
from codegym_mcp.json_line_escapes import json_line
from codegym_mcp.sandbox.process.process_role_code import EnvironmentProgram
from codegym_mcp.storage.atomic_files import write_atomically

DIFFICULTIES = range(1, 6)


class Judge(StrEnum):
    """What decides whether an answer is correct."""

    REFERENCE = "reference"
    """A comparison with the environment's reference answer."""
    ACCEPTS = "accepts"
    """The environment's function `accepts`."""
    DONE = "done"
    """The method `Done` of a class in the CodeGym format."""


class Task(BaseModel):
    """One configuration of an environment."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(min_length=1)
    """Unique within the environment."""
    config: dict[str, Any]
    """The configuration, public and hidden values. An agent never sees it as a whole."""
    difficulty: int | None = Field(default=None, ge=1, le=5)
    """From 1 to 5, or None if it is unknown."""
    oracle_calls: int | None = Field(default=None, ge=0)
    """Number of tool calls that the oracle needs, without the submission."""
    text: str | None = None
    """Task text in place of the environment's own."""


@dataclass(frozen=True, eq=False)
class Environment:
    """An environment that was read and checked. None of its code has run.

    An environment is a value: it can be pickled, and reading the pickle reads the source again.

    Attributes:
        name: unique within a catalog.
        title: the name for people.
        tags: kinds of work.
        license: the license of the environment's text and code, as its author states it.
        origin: where the environment or its problem comes from.
        template: the task text, with public values in braces.
        public: the names of the configuration that agents and the oracle may see.
        tools: the tools that the agent can call, without the submission.
        submission: the tool that submits the answer; the server executes it, never the environment.
        answer: the type of the answer.
        configuration: the types of a task's configuration, checked like the arguments of a tool.
        program: the source, and the code of each role.
        judge: what decides whether an answer is correct.
        judge_errors: what an exception of the judge means.
        final_state: the method that returns the final state, which is no tool; None if no state is scored.
        names_mistakes: whether the source names misunderstandings, with `mistakes`.
        generates: whether tasks can be generated from a difficulty and a seed.
        tasks: the fixed tasks.
    """

    reads_task_file: ClassVar[bool] = True
    """Whether the tasks are in a `.jsonl` file beside the source."""

    name: str
    title: str
    tags: tuple[str, ...]
    license: str
    origin: str
    template: str
    public: tuple[str, ...]
    tools: tuple[Tool, ...]
    submission: Tool
    answer: AnswerType
    configuration: Tool
    program: EnvironmentProgram
    judge: Judge
    generates: bool
    judge_errors: JudgeErrors = JudgeErrors.FAULT
    final_state: Tool | None = None
    names_mistakes: bool = False
    tasks: tuple[Task, ...] = ()

    @classmethod
    def from_source(cls, source: str, *, name: str) -> "Environment":
        """Reads an environment from source text, in either dialect.

        Raises:
            SourceError: the source breaks the contract; the error names the line.
        """
        # The readers create environments, so this module cannot import them.
        from codegym_mcp.environment_definition.environment_reader import read_any_dialect

        return read_any_dialect(source, name=name, path=f"<{name}>")

    @classmethod
    def from_objects(
        cls,
        name: str,
        tools: type,
        /,
        *,
        reference: Callable[..., Any] | None = None,
        solve: Callable[..., Any],
        text: str,
        generate: Callable[..., Any] | None = None,
        accepts: Callable[..., Any] | None = None,
        mistakes: Callable[..., Any] | None = None,
        helpers: Sequence[type | Callable[..., Any]] = (),
        meta: Mapping[str, Any] | None = None,
    ) -> "Environment":
        """Reads an environment from the source texts of a class and functions; the objects are never called.

        Args:
            name: the environment's name.
            tools: the class whose public methods are the tools.
            reference: computes the correct answer from the configuration; None if `accepts` judges the final
                state alone.
            solve: the oracle.
            text: the task text, with public values in braces.
            generate: generates the configurations of tasks.
            accepts: judges an answer, a final state or both, in place of a comparison with the reference.
            mistakes: names what plausible misunderstandings lead to.
            helpers: functions and classes that the others use.
            meta: the entries of `META`; the title defaults to one made from the name.

        Raises:
            SourceError: the source text of an object is not available, an object uses a name that is neither
                built in nor given here, or the source breaks the contract.
        """
        from codegym_mcp.environment_definition.environment_from_objects import EnvironmentObjects

        functions = {
            "reference": reference,
            "solve": solve,
            "accepts": accepts,
            "mistakes": mistakes,
            "generate": generate,
        }
        defined = {key: function for key, function in functions.items() if function is not None}
        objects = EnvironmentObjects(name, tools, defined, text, helpers, meta)
        return cls.from_source(objects.source(), name=name)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes the environment as a `.py` file, and its fixed tasks beside it as `.jsonl`.

        Args:
            path: the file, or the directory in which the file gets the environment's name.

        Returns:
            The path of the `.py` file.

        Raises:
            SourceError: the name of the file is not the environment's name.
            UnwritableError: a file cannot be written.
        """
        file = Path(path)
        if file.suffix != ".py":
            file = file / f"{self.name}.py"
        if file.stem != self.name:
            raise SourceError(
                str(file),
                None,
                f"the file of the environment {self.name} must be named {self.name}.py",
                hint="The name of a file is the name of its environment.",
            )
        hint = "Choose another path."
        lines = (json_line(task.model_dump_json(exclude_none=True).encode()) for task in self.tasks)
        tasks = b"".join(lines).decode()
        if tasks and self.reads_task_file:
            write_atomically(file.with_suffix(".jsonl"), tasks, hint=hint)
        write_atomically(file, self.source, hint=hint)
        return file

    @property
    def source(self) -> str:
        """The source text."""
        return self.program.source

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the source and the fixed tasks, in hexadecimal; equal for equal environments."""
        return environment_digest(self.program, self.tasks)

    @cached_property
    def content_digest(self) -> str:
        """SHA-256 of the source, its dialect and the fixed tasks, in hexadecimal; stored in audits."""
        return audited_content_digest(self.program, self.tasks)

    @property
    def takes_answer(self) -> bool:
        """Whether the submission takes an answer; if not, the final state alone is scored."""
        return bool(self.submission.parameters)

    def submission_arguments(self, answer: Any) -> dict[str, Any]:
        """Returns the arguments of the submission of an answer, which is ignored if none is taken."""
        return {parameter.name: answer for parameter in self.submission.parameters}

    @cached_property
    def _tools_by_name(self) -> dict[str, Tool]:
        return {tool.name: tool for tool in self.tools}

    def tool(self, name: str) -> Tool:
        """Returns the tool with a name.

        Raises:
            NotFoundError: the environment has no such tool; the error names those that exist.
        """
        try:
            return self._tools_by_name[name]
        except KeyError:
            known = [*self._tools_by_name, self.submission.name]
            raise NotFoundError("tool", name, known) from None

    def task(self, task_id: str) -> Task:
        """Returns the fixed task with an id.

        Raises:
            NotFoundError: the environment has no such task.
        """
        for task in self.tasks:
            if task.id == task_id:
                return task
        raise NotFoundError("task", task_id, [task.id for task in self.tasks])

    def public_values(self, task: Task) -> dict[str, Any]:
        """Returns the part of a task's configuration that agents and the oracle may see."""
        return {name: task.config[name] for name in self.public}

    def hidden_values(self, task: Task) -> dict[str, Any]:
        """Returns the part of a task's configuration that agents do not see."""
        return {name: value for name, value in task.config.items() if name not in self.public}

    def with_values(self, task: Task, values: Mapping[str, Any]) -> dict[str, Any]:
        """Returns a task's configuration with other values, public and hidden ones."""
        return {name: values.get(name, value) for name, value in task.config.items()}

    def task_text(self, task: Task) -> str:
        """Returns the text that tells the agent what to do."""
        if task.text is not None:
            return task.text
        public = self.public_values(task)
        return "".join(
            literal + (result_text(public[name]) if name is not None else "")
            for literal, name, _, _ in string.Formatter().parse(self.template)
        )

    def check_task(self, task: Task) -> None:
        """Checks a task's configuration against the declared types.

        Raises:
            TaskError: the configuration is not valid.
        """
        try:
            self.configuration.validate_arguments(task.config)
        except InvalidArgumentsError as error:
            problem = f"The configuration of task {task.id!r} of {self.name} is not valid."
            raise TaskError(f"{problem} {error.message}") from None

    def with_tasks(self, tasks: tuple[Task, ...]) -> Self:
        """Returns the environment with other fixed tasks.

        Raises:
            TaskError: a configuration is not valid, or two tasks have the same id.
        """
        seen: set[str] = set()
        for task in tasks:
            if task.id in seen:
                raise TaskError(f"Two tasks of {self.name} have the id {task.id!r}.")
            seen.add(task.id)
            self.check_task(task)
        return replace(self, tasks=tasks)

    def __reduce__(self) -> tuple[Any, ...]:
        # The types in the tools are created when the source is read, and cannot be pickled.
        return _read_again, (self.program.source, self.name, self.program.path, self.origin, self.tasks)


def _read_again(source: str, name: str, path: str, origin: str, tasks: tuple[Task, ...]) -> Environment:
    """Creates an environment from its pickled parts."""
    from codegym_mcp.environment_definition.environment_reader import read_any_dialect

    return replace(read_any_dialect(source, name=name, path=path, origin=origin), tasks=tasks)


def template_names(template: str) -> list[str]:
    """Returns the names in braces of a task text.

    Raises:
        ValueError: a brace is not closed, or encloses more than a plain name.
    """
    names = []
    for _, name, specification, conversion in string.Formatter().parse(template):
        if name is not None:
            if not name.isidentifier() or specification or conversion:
                raise ValueError(f"{{{name}}} is not a plain name; write {{{{ and }}}} for literal braces")
            names.append(name)
    return names


def generated_id(difficulty: int, seed: int) -> str:
    """Returns the id of a generated task; the same difficulty and seed give the same task everywhere."""
    return f"d{difficulty}-s{seed}"
