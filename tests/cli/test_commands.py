"""The commands `list` and `show`, and what all commands share: help, wrong use."""

import importlib
import json
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from codegym_mcp import __version__, cli
from codegym_mcp.bundled_environments import bundled_path
from codegym_mcp.cli import COMMANDS, load_command, main
from tests.server.serving import (
    ENVIRONMENTS,
    SAFE,
    WORDS,
    serve_command,
)

BUNDLED = len(list(bundled_path().glob("*.py")))


def run(*arguments: str, **variables: str) -> Result:
    return CliRunner().invoke(main, arguments, env=variables)


def commands() -> list[tuple[str, ...]]:
    """Every command there is, by the words that call it."""
    return [(name,) for name in COMMANDS]


# --- help


@pytest.mark.parametrize("command", [(), *commands()], ids=" ".join)
def test_the_help_of_every_command_has_an_example(command: tuple[str, ...]) -> None:
    result = run(*command, "--help")
    assert result.exit_code == 0
    name = " ".join(("codegym-mcp", *command))
    assert re.search(rf"Examples?:\n +{name}", result.stdout), result.stdout
    assert run(*command, "-h").stdout == result.stdout


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_every_option_of_every_command_is_explained(command: tuple[str, ...]) -> None:
    found = load_command(*command)
    options = [parameter for parameter in found.params if isinstance(parameter, click.Option)]
    assert [option.name for option in options if not option.help] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_listed_under_its_own_name(name: str) -> None:
    assert load_command(name).name == name
    assert not isinstance(load_command(name), click.Group)


def test_every_command_of_the_package_is_listed() -> None:
    listed = {load_command(name) for name in COMMANDS}
    for module in pkgutil.iter_modules(cli.__path__):
        if module.name == "__main__":
            continue
        members = vars(importlib.import_module(f"codegym_mcp.cli.{module.name}")).values()
        assert {member for member in members if isinstance(member, click.Command)} <= {*listed, main}


def test_the_help_imports_no_command() -> None:
    program = "import sys, codegym_mcp.cli; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert {"codegym_mcp.cli.evaluate", "pydantic", "mcp", "codegym_harness"}.isdisjoint(loaded)


def test_the_version_is_told() -> None:
    result = run("--version")
    assert result.exit_code == 0
    assert __version__ in result.stdout


# --- list


def test_list_shows_the_bundled_environments() -> None:
    result = run("list")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["name", "title", "tags", "tools", "tasks", "grade"]
    assert len(lines) == BUNDLED + 1
    assert all(re.search(r"8 \+ generated  A *$", line) for line in lines[1:])


def test_list_as_json_is_one_document() -> None:
    result = run("list", "--json", "--environments", str(SAFE))
    assert result.exit_code == 0
    (safe,) = json.loads(result.stdout)
    assert (safe["name"], safe["tasks"], safe["generates"]) == ("safe", ["blue", "red"], True)
    assert safe["grade"] is None
    assert "turn" in safe["tools"]


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_list_tells_what_is_broken_and_lists_the_rest(form: tuple[str, ...]) -> None:
    result = run("list", "--environments", str(ENVIRONMENTS), *form)
    assert result.exit_code == 1
    assert "safe" in result.stdout
    assert "broken" not in result.stdout
    assert re.search(r"Broken: .*broken\.py:10: the tool peek has no docstring\. Describe", result.stderr)
    if form:
        assert [environment["name"] for environment in json.loads(result.stdout)] == ["fragile", "safe"]


def test_list_of_nothing_is_an_error(tmp_path: Path) -> None:
    for path, told in ((tmp_path, "contains no environment"), (tmp_path / "absent", "does not exist")):
        result = run("list", "--environments", str(path))
        assert result.exit_code == 1
        assert result.stdout == ""
        assert result.stderr.startswith("Error: ")
        assert told in result.stderr


# --- show


def test_show_prints_the_task_the_tools_and_their_schemas() -> None:
    result = run("show", "safe", "--environments", str(SAFE))
    assert result.exit_code == 0
    assert "Safe  (safe; fixture)" in result.stdout
    assert "its dial at {start}" in result.stdout
    assert "turn(clicks)\n    Turn the dial and return where it stands." in result.stdout
    assert '"additionalProperties": false' in result.stdout
    assert "submit_answer(answer)" in result.stdout
    assert re.search(r"^blue +- +-", result.stdout, re.MULTILINE)


def test_show_takes_the_path_of_a_file() -> None:
    result = run("show", str(SAFE), "--json")
    assert result.exit_code == 0
    shown = json.loads(result.stdout)
    assert shown["name"] == "safe"
    assert [tool["name"] for tool in shown["tools"]][-1] == "submit_answer"
    assert shown["tools"][1]["output_schema"]["properties"].keys() == {"dial", "turns"}
    assert [task["id"] for task in shown["tasks"]] == ["blue", "red"]
    assert shown["task"].startswith("A safe stands before you")


def test_show_tells_what_the_audit_found_and_nothing_that_it_saw() -> None:
    kept = json.loads((bundled_path() / "parcel_hunt.audit.json").read_bytes())
    shown = json.loads(run("show", "parcel_hunt", "--json").stdout)
    assert shown["grade"] == shown["audit"]["grade"] == "A"
    assert shown["audit"]["figures"]["oracle_calls"] == kept["figures"]["oracle_calls"]
    for form in ((), ("--json",)):
        assert kept["figures"]["answers"]["commonest"] not in run("show", "parcel_hunt", *form).stdout
    assert "Grade A\n    20.5 calls of the oracle for the median task" in run("show", "parcel_hunt").stdout
    assert "No current audit" in run("show", str(SAFE)).stdout


def test_the_grade_of_what_has_changed_since_its_audit_is_not_told(tmp_path: Path) -> None:
    for suffix in (".py", ".jsonl", ".audit.json"):
        name = f"parcel_hunt{suffix}"
        (tmp_path / name).write_bytes((bundled_path() / name).read_bytes())
    assert re.search(r" A *$", run("list", "--environments", str(tmp_path)).stdout)
    with (tmp_path / "parcel_hunt.py").open("a") as source:
        source.write("\n# changed\n")
    assert re.search(r" - *$", run("list", "--environments", str(tmp_path)).stdout)
    assert "No current audit" in run("show", str(tmp_path / "parcel_hunt.py")).stdout


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_show_tells_nothing_that_is_hidden(form: tuple[str, ...]) -> None:
    result = run("show", str(SAFE), *form)
    assert not [word for word in WORDS.values() if word in result.output]


def test_show_of_an_unknown_environment_suggests_another() -> None:
    result = run("show", "night_curier")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == (
        "Error: There is no environment named 'night_curier'. Did you mean night_courier?\n"
    )


def test_show_of_a_broken_environment_says_where_and_how_to_mend_it() -> None:
    result = run("show", str(ENVIRONMENTS / "broken.py"))
    assert result.exit_code == 1
    assert (
        "broken.py:10: the tool peek has no docstring. Describe for the agent what it does." in result.stderr
    )


# --- wrong use


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("show",), "Missing argument 'ENVIRONMENT|RUN'"),
        (("lst",), "No such command 'lst'"),
    ],
)
def test_wrong_use_is_told_with_exit_code_2(arguments: tuple[str, ...], told: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert told in result.stderr
    assert "Usage: " in result.stderr


def test_python_m_is_the_command() -> None:
    command = [*serve_command()[:3], "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert __version__ in done.stdout
