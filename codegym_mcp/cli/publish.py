"""`codegym-mcp publish`."""

from pathlib import Path
from typing import Any

import click

from codegym_mcp.bundled_environments import INSTALLED_SETS
from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.cli.batch_progress import batch_progress
from codegym_mcp.cli.command_output import json_option, out, print_json, run, unconfined_option
from codegym_mcp.cli.environment_selection import jobs_option
from codegym_mcp.cli.evaluate_options import DifficultiesParameter, SeedsParameter
from codegym_mcp.cli.publish_harbor import HARBOR_OPTIONS, HarborPublication
from codegym_mcp.cli.refused_options import refuse_options
from codegym_mcp.episode_limits import Limits
from codegym_mcp.synthesis.dataset_card import Card
from codegym_mcp.synthesis.set_publication import (
    Publishable,
    check_output,
    check_verified,
    select_publishable,
)
from codegym_mcp.synthesis.set_publication import publish as publish_set
from codegym_mcp.verification.audit.grading_rules import Grade
from codegym_mcp.verification.batch.verify_many import verify_many
from codegym_mcp.verification.gate_results import Verification
from codegym_mcp.verification.verification_cache import VerificationCache
from codegym_mcp.verification.verification_context import VerificationContext


class FolderParameter(click.ParamType[Path]):
    """An existing directory, or the word that names an installed set."""

    name = "folder"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        path = Path(value)
        if not path.is_dir() and str(value) not in INSTALLED_SETS:
            self.fail(
                f"{value!r} is not a directory, nor one of the words {' and '.join(INSTALLED_SETS)}.",
                param,
                ctx,
            )
        return path


@click.command()
@click.argument("folders", nargs=-1, required=True, metavar="DIR...", type=FolderParameter())
@click.option(
    "--output",
    "-o",
    "target",
    required=True,
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="set: a file that ends with .jsonl or .parquet; it is replaced if it exists. Its card is beside it. "
    "harbor: a new directory.",
)
@click.option(
    "--format",
    "name",
    type=click.Choice(["set", "harbor"]),
    default="set",
    show_default=True,
    help="set: one file of environments. harbor: a task folder for each task, to run with Harbor.",
)
@click.option("--env", "environments", multiple=True, metavar="GLOB", help="Only environments that match.")
@click.option(
    "--difficulty",
    "difficulties",
    multiple=True,
    type=DifficultiesParameter(),
    metavar="N[,N...]",
    help="Generate tasks of these difficulties; the fixed tasks without it. Repeatable (harbor).",
)
@click.option(
    "--seed",
    "seeds",
    type=SeedsParameter(),
    metavar="N[-M]",
    help="The seed of the generated tasks, or the range of their seeds; 0-9 without it. Seeds from 1000000 "
    "on are held out (harbor).",
)
@click.option(
    "--held-out",
    type=click.IntRange(1),
    metavar="N",
    help="Also write N held-out tasks for each environment and difficulty (harbor).",
)
@click.option(
    "--calls",
    type=click.IntRange(1, 100_000),
    help="Tool calls that an episode allows; 256 without it (harbor).",
)
@click.option("--organization", metavar="NAME", help="The organization in the names of the tasks (harbor).")
@click.option(
    "--server-image",
    metavar="IMAGE",
    help="A Docker image with codegym-mcp, in place of one that is built with this version (harbor).",
)
@click.option(
    "--no-solutions",
    is_flag=True,
    help="Leave out the calls of the environment's own solution (harbor).",
)
@click.option(
    "--grade",
    type=click.Choice([grade.value for grade in Grade]),
    default=Grade.D.value,
    show_default=True,
    help="Leave out environments with a lower grade.",
)
@click.option(
    "--adaptive",
    type=click.FloatRange(0, 1),
    default=0.0,
    show_default=True,
    help="Leave out environments with a lower share of tasks whose later calls depend on earlier results.",
)
@click.option(
    "--license",
    "licenses",
    multiple=True,
    metavar="GLOB",
    help="Only environments with a matching licence; may be given several times.",
)
@click.option(
    "--mixed-licenses",
    is_flag=True,
    help="Allow several licences, or unknown ones, in one set; each row states its own.",
)
@jobs_option
@unconfined_option
@json_option
@click.pass_context
def publish(
    context: click.Context,
    /,
    *,
    folders: tuple[Path, ...],
    target: Path,
    name: str,
    as_json: bool,
    **options: Any,
) -> None:
    """Write the environments of folders to one set with a card, or their tasks as folders for Harbor.

    Every environment has to be verified, have a current audit, and have the same licence as the others.
    Unchanged environments are not verified again. A set can be used like a folder, with --environments. The
    word bundled is the folder of the bundled environments.

    A task folder has a server that holds one episode of its task, beside the agent's container.

    \b
    Example:
      codegym-mcp publish made/ -o set.parquet --grade B --license 'CC BY 4.0'
      codegym-mcp list --environments set.parquet
      codegym-mcp publish bundled --format harbor -o tasks --env 'night_*' --difficulty 2 --seed 0-9
    """
    catalog = Catalog.load(folders).select(*options["environments"])
    if name == "harbor":
        publication = HarborPublication.read(target, options)
        publication.publish(_select(catalog, options), as_json=as_json)
        return
    refuse_options(context, HARBOR_OPTIONS, "--format harbor")
    check_output(target, catalog.entries)
    card = publish_set(_select(catalog, options), target)
    if as_json:
        print_json(card.model_dump(mode="json"))
    else:
        _print_card(card, target)


def _select(catalog: Catalog, options: dict[str, Any]) -> list[Publishable]:
    """Returns the environments to publish, which are verified."""
    chosen = select_publishable(
        catalog.entries,
        grade=Grade(options["grade"]),
        adaptive=options["adaptive"],
        licenses=options["licenses"],
        mixed_licenses=options["mixed_licenses"],
    )
    limits = Limits()

    async def verify() -> list[Verification]:
        async with VerificationContext.open(
            jobs=options["jobs"], limits=limits, allow_unconfined=options["allow_unconfined"]
        ) as context:
            with batch_progress("verify", len(chosen)) as count:
                cache = VerificationCache.default(limits)
                return await verify_many(
                    context,
                    [each.entry for each in chosen],
                    cache=cache,
                    on_result=lambda result: count(result.environment),
                )

    check_verified(run(verify))
    return chosen


def _print_card(card: Card, file: Path) -> None:
    lines = [
        f"set: {file}",
        f"environments: {card.environments}",
        f"tasks: {card.tasks}",
        f"tools: {card.tools}",
    ]
    for heading, counts in (
        ("licences", card.licenses),
        ("sources", card.sources),
        ("models", card.models),
        ("grades", card.grades),
    ):
        lines.append(f"{heading}: " + ", ".join(f"{name} ({count})" for name, count in counts.items()))
    lines.append(f"card: {file}.card.md")
    for line in lines:
        out.print(line, markup=False, highlight=False, soft_wrap=True)
