"""`codegym-mcp list`, and how an environment is shown."""

import json
from pathlib import Path

import click
from rich.table import Table

from codegym_mcp.catalog import Catalog
from codegym_mcp.cli.output import environments_option, json_option, out, print_json
from codegym_mcp.environment import Environment
from codegym_mcp.server.control import EnvironmentInfo


@click.command("list")
@environments_option
@json_option
def list_command(paths: tuple[Path, ...], as_json: bool) -> None:
    """List the environments. Exits with 1 if one of them cannot be used.

    \b
    Example:
      codegym-mcp list --environments my_environments/
    """
    catalog = Catalog.load(paths)
    listed = [EnvironmentInfo.of(environment) for environment in catalog.usable()]
    if as_json:
        print_json([info.model_dump(mode="json") for info in listed])
    else:
        table = Table(box=None, pad_edge=False)
        for heading in ("name", "title", "tags", "tools", "tasks"):
            table.add_column(heading, no_wrap=True)
        for info in listed:
            table.add_row(
                info.name, info.title, ", ".join(info.tags), str(len(info.tools)), _tasks_in_words(info)
            )
        out.print(table, soft_wrap=True)
    _report_problems(catalog)


def _tasks_in_words(info: EnvironmentInfo) -> str:
    return f"{len(info.tasks)}{' + generated' if info.generates else ''}"


def _report_problems(catalog: Catalog) -> None:
    problems = catalog.problems()
    for problem in problems:
        click.echo(f"Broken: {problem}", err=True)
    if problems:
        raise SystemExit(1)


def print_environment(name: str, paths: tuple[Path, ...], *, as_json: bool) -> None:
    """Prints an environment: its task, its tools with their schemas, its tasks."""
    found = find_environment(name, paths)
    tools = [*found.tools, found.submission]
    if as_json:
        described = [
            {
                "name": tool.name,
                "title": tool.title,
                "description": tool.description,
                "input_schema": tool.input_schema,
                "output_schema": tool.output_schema,
            }
            for tool in tools
        ]
        tasks = [task.model_dump(mode="json", exclude={"config", "text"}) for task in found.tasks]
        info = EnvironmentInfo.of(found).model_dump(mode="json")
        print_json({**info, "task": found.template, "tools": described, "tasks": tasks})
        return
    out.print(f"[bold]{found.title}[/bold]  ({found.name}; {', '.join(found.tags)})\n", highlight=False)
    out.print(found.template + "\n", markup=False, highlight=False, soft_wrap=True)
    for tool in tools:
        signature = ", ".join(tool.input_schema["properties"])
        out.print(f"[bold]{tool.name}[/bold]({signature})", highlight=False)
        out.print(f"    {tool.description}", markup=False, highlight=False)
        out.print(
            f"    takes   {json.dumps(tool.input_schema)}", markup=False, highlight=False, soft_wrap=True
        )
        out.print(
            f"    returns {json.dumps(tool.output_schema)}\n", markup=False, highlight=False, soft_wrap=True
        )
    if not found.tasks:
        return
    table = Table("task", "difficulty", "oracle calls", box=None, pad_edge=False)
    for task in found.tasks:
        table.add_row(task.id, str(task.difficulty or "-"), str(task.oracle_calls or "-"))
    out.print(table)


def find_environment(name: str, paths: tuple[Path, ...]) -> Environment:
    """The environment of that name, or the one in the file of that path."""
    if name.endswith(".py"):
        catalog = Catalog.load([Path(name)])
        return catalog.get(catalog.names[0])
    return Catalog.load(paths).get(name)
