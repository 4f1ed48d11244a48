"""The command's options and the keywords of the functions have the same names and defaults."""

import inspect

import click
import pytest

import codegym_mcp
from codegym_mcp.cli import load_command

SHARED = {
    "eval": (
        "evaluate",
        {"tasks", "seed", "epochs", "grade", "concurrency", "seconds", "out", "allow_unconfined"},
    ),
    "export": (
        "export",
        {
            "metadata",
            "reward",
            "max_calls_over_oracle",
            "no_invalid_calls",
            "dedupe",
            "best_of",
        },
    ),
    "verify": ("verify_many", {"jobs", "allow_unconfined"}),
    "audit": ("audit_many", {"jobs", "allow_unconfined"}),
    "serve": ("serve", {"reveal", "public_url"}),
}


def options(command: str) -> dict[str, click.Parameter]:
    found = load_command(command)
    return {option.lstrip("-").replace("-", "_"): each for each in found.params for option in each.opts}


def plain(value: object) -> object:
    """A default as both sides mean it: without a value, an option is None or False, a keyword None or 0."""
    return None if value in (None, False, 0, "0", ()) or "UNSET" in repr(value).upper() else value


@pytest.mark.parametrize(
    ("command", "keyword"),
    [(command, keyword) for command, (_, keywords) in SHARED.items() for keyword in sorted(keywords)],
)
def test_an_option_has_the_name_and_the_default_of_the_keyword(command: str, keyword: str) -> None:
    function = getattr(codegym_mcp, SHARED[command][0])
    parameters = inspect.signature(function).parameters
    assert keyword in parameters
    assert keyword in options(command)
    assert plain(options(command)[keyword].default) == plain(parameters[keyword].default)


@pytest.mark.parametrize("command", SHARED)
def test_the_options_that_are_compared_exist(command: str) -> None:
    assert options(command).keys() >= SHARED[command][1]
