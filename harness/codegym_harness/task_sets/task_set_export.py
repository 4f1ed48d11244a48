"""Writes task sets."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from codegym_harness.export.row_writers import check_target, open_rows
from codegym_harness.task_sets import nemo_gym_tasks, skyrl_tasks, trl_tasks, verl_tasks
from codegym_harness.task_sets.described_tasks import TaskDescriber
from codegym_harness.task_sets.task_format import TaskFormat
from codegym_harness.task_sets.task_set_contents import Part
from codegym_harness.task_sets.task_set_files import (
    HeldOutFilter,
    TaskFile,
    TaskSetSummary,
    check_not_empty,
)
from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.episode_limits import Limits
from codegym_mcp.errors import CodegymError, NotFoundError
from codegym_mcp.task_reference import TaskReference

TASK_FORMATS: Mapping[str, TaskFormat] = {
    "trl": trl_tasks.FORMAT,
    "verl": verl_tasks.FORMAT,
    "skyrl": skyrl_tasks.FORMAT,
    "nemo-gym": nemo_gym_tasks.FORMAT,
}
"""The formats of task sets by name."""

_AT_ONCE = 16
"""Tasks that are generated at the same time."""


async def export_tasks(
    catalog: Catalog,
    parts: Mapping[Part, Sequence[TaskReference]],
    name: str,
    out: Path,
    *,
    calls: int | None = None,
    allow_unconfined: bool = False,
    on_task: Callable[[TaskReference], object] = lambda _: None,
) -> TaskSetSummary:
    """Writes a task set: one file, or `tasks.train.jsonl` and `tasks.held_out.jsonl` for two parts.

    A held-out task is left out if the training part has a task of the same configuration. Existing files are
    replaced when all are complete; if anything fails, they are left as they were.

    Args:
        parts: the tasks of each part; see `TaskSelection.tasks`.
        name: the name of a format, one of `TASK_FORMATS`.
        out: the file, .jsonl or .parquet.
        calls: the calls that an episode allows, as system prompts say; the default of `Limits` without it.
        on_task: called with each task that is written or left out.

    Raises:
        NotFoundError: the format does not exist, or a task.
        CodegymError: a tool has a name that the trainer reserves, a task cannot be generated, no held-out
            task is left, or a file cannot be written.
        MissingExtraError: the file is Parquet, and pyarrow is not installed.
    """
    if name not in TASK_FORMATS:
        raise NotFoundError("format", name, TASK_FORMATS)
    chosen = TASK_FORMATS[name]
    check_target(out)
    if out.suffix not in chosen.suffixes:
        raise CodegymError(f"{name} reads {' and '.join(chosen.suffixes)} files, not {out.suffix}.")
    files = [TaskFile(path=_path(out, part, parts), part=part) for part in parts]
    held_out = HeldOutFilter()
    with ExitStack() as stack:
        writers = [stack.enter_context(open_rows(file.path, chosen.columns)) for file in files]
        describing = TaskDescriber.open(
            catalog, calls=calls or Limits().calls, allow_unconfined=allow_unconfined
        )
        async with describing as describer:
            for file, write in zip(files, writers, strict=True):
                environments: set[str] = set()
                for references in _batches(parts[file.part]):
                    for task in await describer.describe(references):
                        on_task(task.reference)
                        if held_out.leaves_out(task, file.part):
                            file.left_out += 1
                            continue
                        chosen.check_tools(task)
                        write(chosen.row(task, file.tasks))
                        file.tasks += 1
                        environments.add(task.reference.environment)
                file.environments = len(environments)
                check_not_empty(file)
    return TaskSetSummary(format=name, files=files)


def _path(out: Path, part: Part, parts: Mapping[Part, object]) -> Path:
    return out if len(parts) == 1 else out.with_name(f"{out.stem}.{part}{out.suffix}")


def _batches(references: Sequence[TaskReference]) -> Iterator[Sequence[TaskReference]]:
    for start in range(0, len(references), _AT_ONCE):
        yield references[start : start + _AT_ONCE]
