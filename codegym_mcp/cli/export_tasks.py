"""`codegym-mcp export --tasks`: writes a set of tasks for a trainer."""

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click
from pydantic import ValidationError

from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.cli.batch_progress import batch_progress
from codegym_mcp.cli.command_output import out, print_json, run
from codegym_mcp.validation_messages import first_fault

if TYPE_CHECKING:
    from codegym_harness.task_sets.task_set_contents import TaskSelection
    from codegym_harness.task_sets.task_set_files import TaskSetSummary

TASK_FORMATS = ("trl", "verl", "skyrl", "nemo-gym")


def export_tasks(name: str, target: Path, options: dict[str, Any], *, as_json: bool) -> None:
    """Writes the tasks that the options of the command select."""
    from codegym_harness.task_sets.task_set_export import export_tasks as write_tasks

    selection = read_selection(options)
    catalog = Catalog.load(options["paths"])
    parts = selection.tasks(catalog)

    async def write() -> "TaskSetSummary":
        with batch_progress("describe", sum(map(len, parts.values()))) as count:
            return await write_tasks(
                catalog,
                parts,
                name,
                target,
                calls=options["calls"],
                allow_unconfined=options["allow_unconfined"],
                on_task=lambda task: count(task.environment),
            )

    print_task_files(run(write), selection, as_json=as_json)


def read_selection(options: dict[str, Any]) -> "TaskSelection":
    """Returns the tasks that the options of a command select.

    Raises:
        click.UsageError: the options contradict each other.
    """
    from codegym_harness.task_sets.task_set_contents import TaskSelection

    given = {name: options[name] for name in TaskSelection.model_fields if options[name] is not None}
    given["difficulties"] = tuple(
        dict.fromkeys(number for numbers in options["difficulties"] for number in numbers)
    )
    if given.get("difficulties") == () and "seeds" in given:
        raise click.UsageError("Fixed tasks have no seeds: add --difficulty, or leave --seed out.")
    try:
        return TaskSelection(**given)
    except ValidationError as error:
        raise click.UsageError(f"{first_fault(error)}.") from None


def print_task_files(summary: "TaskSetSummary", selection: "TaskSelection", *, as_json: bool) -> None:
    """Prints what was written, and which seeds are held out."""
    from codegym_harness.task_sets.task_set_contents import Part

    if as_json:
        print_json(summary.model_dump(mode="json"))
        return
    for file in summary.files:
        seeds = selection.seeds_by_part.get(file.part)
        chosen = f", seeds {seeds[0]} to {seeds[-1]}" if seeds else ""
        _print(f"{file.path}: tasks {file.tasks}, environments {file.environments}{chosen}")
        if file.left_out:
            _print(f"held-out tasks left out since equal tasks are in the training part: {file.left_out}")
    if held_out := selection.seeds_by_part.get(Part.HELD_OUT):
        globs = "".join(f" --env {quote(glob)}" for glob in selection.environments)
        difficulties = ",".join(map(str, selection.difficulties))
        _print(
            "Evaluate on the held-out tasks with: "
            f"codegym-mcp eval{globs} --difficulty {difficulties} --seed {held_out[0]}-{held_out[-1]}"
        )


def _print(text: str) -> None:
    out.print(text, highlight=False, markup=False, soft_wrap=True)
