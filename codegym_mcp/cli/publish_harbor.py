"""`codegym-mcp publish --format harbor`: writes task folders for Harbor."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from pydantic import ValidationError

from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.cli.batch_progress import batch_progress
from codegym_mcp.cli.command_output import run
from codegym_mcp.cli.export_tasks import print_task_files, read_selection
from codegym_mcp.errors import CodegymError
from codegym_mcp.synthesis.set_publication import Publishable
from codegym_mcp.validation_messages import first_fault

if TYPE_CHECKING:
    from codegym_harness.task_sets.harbor_tasks import HarborOptions
    from codegym_harness.task_sets.task_set_contents import TaskSelection
    from codegym_harness.task_sets.task_set_files import TaskSetSummary

HARBOR_OPTIONS = frozenset(
    {"difficulties", "seeds", "held_out", "calls", "organization", "server_image", "no_solutions"}
)
"""The parameters of the command that are for task folders only."""


@dataclass(frozen=True)
class HarborPublication:
    """What the options of the command ask for.

    Attributes:
        target: the directory to create.
        selection: the tasks.
        options: how the folders are written.
        allow_unconfined: run environments also where this system cannot confine them.
    """

    target: Path
    selection: "TaskSelection"
    options: "HarborOptions"
    allow_unconfined: bool

    @classmethod
    def read(cls, target: Path, options: dict[str, Any]) -> "HarborPublication":
        """Reads the options.

        Raises:
            click.UsageError: an option is wrong.
            CodegymError: the directory exists.
        """
        from codegym_harness.runs.task_selection import SeedRange

        if target.exists():
            raise CodegymError(
                f"{target} exists already.", hint="Name another directory, or remove this one."
            )
        seeds = options["seeds"]
        if seeds is None and options["difficulties"]:
            seeds = SeedRange(first=0, last=9)
        selection = read_selection(options | {"tags": (), "grade": None, "seeds": seeds})
        return cls(target, selection, _read_folder_options(options), options["allow_unconfined"])

    def publish(self, chosen: Sequence[Publishable], *, as_json: bool) -> None:
        """Writes the task folders of environments."""
        from codegym_harness.task_sets.harbor_tasks import write_harbor_tasks

        catalog = Catalog.of([each.environment for each in chosen])
        parts = self.selection.tasks(catalog)

        async def write() -> "TaskSetSummary":
            with batch_progress("write", sum(map(len, parts.values()))) as count:
                return await write_harbor_tasks(
                    catalog,
                    parts,
                    self.target,
                    self.options,
                    licenses={each.environment.name: each.license for each in chosen},
                    allow_unconfined=self.allow_unconfined,
                    on_task=lambda task: count(task.environment),
                )

        print_task_files(run(write), self.selection, as_json=as_json)


def _read_folder_options(options: dict[str, Any]) -> "HarborOptions":
    from codegym_harness.task_sets.harbor_tasks import HarborOptions

    given = {name: options[name] for name in ("organization", "server_image", "calls")}
    try:
        return HarborOptions(
            solutions=not options["no_solutions"],
            **{name: value for name, value in given.items() if value is not None},
        )
    except ValidationError as error:
        fault = first_fault(error)
        raise click.UsageError(f"--{fault.path.replace('_', '-')} is wrong: {fault.message}.") from None
