"""`codegym-mcp audit`."""

from collections.abc import Sequence
from pathlib import Path

import click
from rich.table import Table

from codegym_mcp.cli.batch_progress import batch_progress
from codegym_mcp.cli.command_output import (
    echo,
    environments_option,
    json_option,
    out,
    print_json,
    run,
    unconfined_option,
)
from codegym_mcp.cli.environment_selection import jobs_option, names_argument, select_entries
from codegym_mcp.cli.ray_option import ray_option, ray_verification
from codegym_mcp.episode_limits import Limits
from codegym_mcp.verification.audit.audit import Audit
from codegym_mcp.verification.audit.audit_files import AuditFiles
from codegym_mcp.verification.audit.audit_measurements import Agreement
from codegym_mcp.verification.audit.grading_rules import Grade
from codegym_mcp.verification.batch.audit_many import Unaudited, audit_many
from codegym_mcp.verification.verification_context import VerificationContext


@click.command()
@names_argument
@environments_option
@jobs_option
@click.option(
    "--out",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write the audits to this folder instead of beside the environments.",
)
@click.option("--again", is_flag=True, help="Audit unchanged environments again.")
@ray_option
@unconfined_option
@json_option
def audit(
    *,
    names: tuple[str, ...],
    paths: tuple[Path, ...],
    jobs: int | None,
    directory: Path | None,
    again: bool,
    ray_address: str | None,
    allow_unconfined: bool,
    as_json: bool,
) -> None:
    """Measure the quality of environments and grade them from A to D.

    The audit measures the rewards of the baselines, what a single call reveals, how much the answers differ,
    whether oracle and reference agree on generated and perturbed inputs, and whether later calls depend on
    earlier results. It is written beside the environment. NAMES are environments, or files, folders and sets
    of them; without NAMES all environments are audited.

    \b
    Example:
      codegym-mcp audit
      codegym-mcp audit my_environment.py --json
    """
    entries = select_entries(names, paths)

    files = AuditFiles(directory)

    async def main() -> list[Audit | Unaudited]:
        with batch_progress("audit", len(entries)) as count:

            def on_result(result: Audit | Unaudited) -> None:
                count(result.environment)

            if ray_address is not None:
                async with ray_verification(
                    ray_address, Limits(), jobs, allow_unconfined=allow_unconfined
                ) as cluster:
                    return await cluster.audit(entries, files=files, again=again, on_result=on_result)
            async with VerificationContext.open(jobs=jobs, allow_unconfined=allow_unconfined) as context:
                return await audit_many(context, entries, files=files, again=again, on_result=on_result)

    results = run(main)
    audits = [result for result in results if isinstance(result, Audit)]
    if as_json:
        print_json([result.model_dump(mode="json") for result in audits])
    else:
        _print_audits(audits)
    unaudited = [result for result in results if isinstance(result, Unaudited)]
    for result in unaudited:
        echo(f"Not audited: {result.environment}: {result.problem}", err=True)
    if unaudited:
        raise SystemExit(1)


def _print_audits(audits: Sequence[Audit]) -> None:
    headings = (
        "grade",
        "calls",
        "constant",
        "observe",
        "random",
        "answers",
        "fresh",
        "perturbed",
        "adaptive",
        "answer only",
        "mistakes",
    )
    table = Table("environment", *headings, box=None, pad_edge=False)
    for column in table.columns[2:]:
        column.justify = "right"
    for audit in audits:
        figures = audit.figures
        table.add_row(
            audit.environment,
            audit.grade,
            f"{figures.oracle_calls.median:g}",
            f"{figures.answers.best_constant:.0%}",
            f"{figures.observe:.0%}",
            f"{figures.random:.0%}",
            f"{figures.answers.distinct}/{figures.answers.tasks}",
            _agreement(figures.on_generated),
            _agreement(figures.on_perturbed),
            "-" if figures.adaptive is None else f"{figures.adaptive:.0%}",
            "-" if figures.answer_only is None else f"{figures.answer_only:.0%}",
            f"{max(mistake.right for mistake in figures.mistakes):.0%}" if figures.mistakes else "-",
        )
    out.print(table, highlight=False, soft_wrap=True)
    for audit in audits:
        if audit.findings:
            out.print(f"\n{audit.environment}: {audit.grade}", markup=False, highlight=False)
        for finding in audit.findings:
            line = f"  {finding.grade} {finding.weakness}: {finding.message} {finding.evidence}".rstrip()
            out.print(line, markup=False, highlight=False, soft_wrap=True)
    counts = [(grade, sum(audit.grade is grade for audit in audits)) for grade in Grade]
    out.print("\n" + ", ".join(f"{count} {grade}" for grade, count in counts if count), highlight=False)


def _agreement(agreement: Agreement) -> str:
    return f"{agreement.agreed}/{agreement.compared}" if agreement.tried else "-"
