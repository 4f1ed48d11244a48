"""`codegym-mcp list`, and how an environment is shown."""

from pathlib import Path

import click
from rich.table import Table

from codegym_mcp.catalog.catalog import Catalog
from codegym_mcp.catalog.environment_query import PAGE, EnvironmentOrder, EnvironmentPage, EnvironmentQuery
from codegym_mcp.cli.command_output import echo, environments_option, json_option, out, print_json
from codegym_mcp.cli.environment_selection import names_argument

_MOST_PROBLEMS = 20


@click.command("list")
@names_argument
@environments_option
@click.option("--tag", "tags", multiple=True, help="Only those with this tag; may be repeated.")
@click.option("--grade", type=click.Choice(["A", "B", "C", "D"]), help="Only those graded so or better.")
@click.option("--search", default="", metavar="TEXT", help="Only those with a text in name, title or tags.")
@click.option(
    "--sort",
    type=click.Choice([order.value for order in EnvironmentOrder]),
    default=EnvironmentOrder.CATALOG.value,
    show_default=True,
    help="The order of the environments; catalog is that of files and sets.",
)
@click.option("--limit", type=click.IntRange(1), metavar="N", help=f"List at most N; {PAGE} without --json.")
@click.option("--offset", type=click.IntRange(0), default=0, metavar="N", help="Leave out the first N.")
@json_option
def list_command(
    *,
    names: tuple[str, ...],
    paths: tuple[Path, ...],
    tags: tuple[str, ...],
    grade: str | None,
    search: str,
    sort: str,
    limit: int | None,
    offset: int,
    as_json: bool,
) -> None:
    """List the environments. Exits with 1 if one of them cannot be used.

    NAMES are globs; without one, all environments are listed.

    \b
    Example:
      codegym-mcp list
      codegym-mcp list 'night_*' --environments my_environments/
      codegym-mcp list --environments set.parquet --grade A --sort name --limit 20
    """
    catalog = Catalog.load(paths)
    if names:
        catalog = catalog.select(*names)
    query = EnvironmentQuery(
        tag=tags,
        grade=grade,
        search=search,
        order=EnvironmentOrder(sort),
        limit=limit if limit is not None or as_json else PAGE,
        offset=offset,
    )
    page = query.page(catalog)
    if as_json:
        print_json(
            [
                {**info.model_dump(mode="json"), "grade": page.grades.get(info.name)}
                for info in page.environments
            ]
        )
    else:
        _print_page(page, offset)
    _report_problems(catalog)


def _print_page(page: EnvironmentPage, offset: int) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "title", "tags", "tools", "tasks", "grade"):
        table.add_column(heading, no_wrap=True)
    for info in page.environments:
        tags, tools = ", ".join(info.tags), str(len(info.tools))
        tasks = f"{len(info.tasks)}{' + generated' if info.generates else ''}"
        table.add_row(info.name, info.title, tags, tools, tasks, page.grades.get(info.name, "-"))
    out.print(table, soft_wrap=True)
    if page.next_offset is not None:
        shown = f"Shown: {offset + 1:,} to {page.next_offset:,} of {page.total:,}."
        echo(f"{shown} The next ones: --offset {page.next_offset}.", err=True)


def _report_problems(catalog: Catalog) -> None:
    problems = catalog.problems()
    for problem in problems[:_MOST_PROBLEMS]:
        echo(f"Broken: {problem}", err=True)
    if len(problems) > _MOST_PROBLEMS:
        echo(f"Broken: {len(problems) - _MOST_PROBLEMS:,} more environments.", err=True)
    if problems:
        raise SystemExit(1)
