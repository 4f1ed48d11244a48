"""`codegym-mcp verify`."""

from collections.abc import Sequence
from pathlib import Path

import click
from rich.table import Table

from codegym_mcp.cli.batch_progress import batch_progress
from codegym_mcp.cli.command_output import (
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
from codegym_mcp.storage.cache_directory import DIRECTORY_VARIABLE
from codegym_mcp.verification.batch.verify_many import verify_many
from codegym_mcp.verification.gate_results import GateState, Verification
from codegym_mcp.verification.verification_cache import VerificationCache
from codegym_mcp.verification.verification_context import VerificationContext

_MAX_ROWS = 50


@click.command()
@names_argument
@environments_option
@jobs_option
@click.option(
    "--cache",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    envvar=DIRECTORY_VARIABLE,
    help=f"Folder of cached results of unchanged environments.  [env: {DIRECTORY_VARIABLE}]",
)
@click.option("--no-cache", is_flag=True, help="Verify everything again and cache nothing.")
@ray_option
@unconfined_option
@json_option
def verify(
    *,
    names: tuple[str, ...],
    paths: tuple[Path, ...],
    jobs: int | None,
    directory: Path | None,
    no_cache: bool,
    ray_address: str | None,
    allow_unconfined: bool,
    as_json: bool,
) -> None:
    """Check whether environments may be served. Exits with 0 only if all of them pass every gate.

    An environment is verified if its source is accepted, its tools are described, its oracle earns every
    reward through the tools only and uses all of them, repeated runs give the same trajectory, every call
    keeps its limits and its declared result type, and every answer can be judged. NAMES are environments, or
    files, folders and sets of them; without NAMES all environments are verified.

    \b
    Example:
      codegym-mcp verify
      codegym-mcp verify my_environment.py --json
    """
    entries = select_entries(names, paths)
    limits = Limits()
    if no_cache:
        cache = None
    else:
        cache = VerificationCache(directory, limits) if directory else VerificationCache.default(limits)

    async def main() -> list[Verification]:
        with batch_progress("verify", len(entries)) as count:
            if ray_address is not None:
                async with ray_verification(
                    ray_address, limits, jobs, allow_unconfined=allow_unconfined
                ) as cluster:
                    return await cluster.verify(
                        entries, cache=cache, on_result=lambda result: count(result.environment)
                    )
            async with VerificationContext.open(
                jobs=jobs, limits=limits, allow_unconfined=allow_unconfined
            ) as context:
                return await verify_many(
                    context, entries, cache=cache, on_result=lambda result: count(result.environment)
                )

    results = run(main)
    if as_json:
        print_json([result.model_dump(mode="json") for result in results])
    else:
        _print_results(results)
    if not all(result.verified for result in results):
        raise SystemExit(1)


def _print_results(results: Sequence[Verification]) -> None:
    refused = [result for result in results if not result.verified]
    table = Table("environment", "verified", "failed gates", box=None, pad_edge=False)
    for result in results if len(results) <= _MAX_ROWS else refused:
        failed = [gate for gate, state in result.gates.items() if state is GateState.FAILED]
        table.add_row(result.environment, "yes" if result.verified else "no", ", ".join(failed))
    if table.rows:
        out.print(table, highlight=False, soft_wrap=True)
    for result in refused:
        out.print(f"\n{result.environment}", markup=False, highlight=False)
        for problem in result.problems:
            out.print(f"  {problem}", markup=False, highlight=False, soft_wrap=True)
    out.print(f"\n{len(results) - len(refused)} of {len(results)} verified.", highlight=False)
