"""`codegym-mcp publish`."""

from pathlib import Path

import click

from codegym_mcp.cli.batch_progress import batch_progress
from codegym_mcp.cli.command_output import json_option, out, print_json, run, unconfined_option
from codegym_mcp.cli.environment_selection import jobs_option
from codegym_mcp.episode_limits import Limits
from codegym_mcp.spec.catalog import Catalog
from codegym_mcp.synthesis.dataset_card import Card
from codegym_mcp.synthesis.publish import check_output, check_verified, select_publishable
from codegym_mcp.synthesis.publish import publish as publish_set
from codegym_mcp.verification.audit.grades import Grade
from codegym_mcp.verification.batch.verify_many import verify_many
from codegym_mcp.verification.gate_results import Verification
from codegym_mcp.verification.verification_cache import VerificationCache
from codegym_mcp.verification.verification_context import VerificationContext


@click.command()
@click.argument(
    "folders",
    nargs=-1,
    required=True,
    metavar="DIR...",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
)
@click.option(
    "--output",
    "-o",
    "file",
    required=True,
    metavar="SET",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File that ends with .jsonl or .parquet; an existing file is replaced. Its card is beside it.",
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
def publish(
    *,
    folders: tuple[Path, ...],
    file: Path,
    grade: str,
    adaptive: float,
    licenses: tuple[str, ...],
    mixed_licenses: bool,
    jobs: int | None,
    allow_unconfined: bool,
    as_json: bool,
) -> None:
    """Write the environments of folders to one set, with a card that describes it.

    Every environment has to be verified, have a current audit, and have the same licence as the others.
    Unchanged environments are not verified again. A set can be used like a folder, with --environments.

    \b
    Example:
      codegym-mcp publish made/ -o set.parquet --grade B --license 'CC BY 4.0'
      codegym-mcp list --environments set.parquet
    """
    entries = Catalog.load(folders).entries
    check_output(file, entries)
    chosen = select_publishable(
        entries, grade=Grade(grade), adaptive=adaptive, licenses=licenses, mixed_licenses=mixed_licenses
    )
    limits = Limits()

    async def verify() -> list[Verification]:
        async with VerificationContext.open(
            jobs=jobs, limits=limits, allow_unconfined=allow_unconfined
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
    card = publish_set(chosen, file)
    if as_json:
        print_json(card.model_dump(mode="json"))
    else:
        _print_card(card, file)


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
