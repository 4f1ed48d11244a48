from typing import Any

import click
import pytest
from click.testing import CliRunner

from codegym_mcp.cli.retention_options import read_retention, retention_options
from codegym_mcp.episodes.retention import Retention


def read(*arguments: str) -> tuple[Retention | None, str]:
    """Returns the retention that a command reads from its arguments, and what it prints."""
    found: list[Retention] = []

    @click.command()
    @click.option("--data")
    @retention_options
    def command(**options: Any) -> None:
        found.append(read_retention(options))

    result = CliRunner().invoke(command, arguments)
    return (found[0] if found else None), result.output


def test_without_options_the_retention_is_the_default() -> None:
    assert read() == (Retention(), "")


def test_each_option_is_read_in_its_unit() -> None:
    arguments = "--data state --retain-events 60 --retain-verdicts 0 --data-max-age 1.5 --data-max-size 10"
    assert read(*arguments.split()) == (
        Retention(
            events_seconds=60,
            verdicts_seconds=0,
            journal_seconds=1.5 * 86_400,
            journal_bytes=10 * 1024 * 1024,
        ),
        "",
    )


@pytest.mark.parametrize("arguments", ["--data-max-age 3", "--data-max-size 3"])
def test_options_of_the_journal_need_a_journal(arguments: str) -> None:
    retention, output = read(*arguments.split())
    assert retention is None
    assert f"{arguments.split(maxsplit=1)[0]} needs --data" in output


@pytest.mark.parametrize(
    "arguments",
    ["--retain-events -1", "--data s --data-max-age 0", "--data s --data-max-size 0", "--retain-verdicts x"],
)
def test_values_out_of_range_are_refused(arguments: str) -> None:
    retention, output = read(*arguments.split())
    assert retention is None
    assert "Invalid value" in output
