"""What docs/agents.md and the README tell to be typed is what the commands take."""

import json
import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from codegym_harness.agents.command_agent import ProgramAgent
from codegym_harness.agents.command_template import PLACES
from codegym_harness.runs.run_directory_reader import read_trajectories
from codegym_mcp.cli import load_command, main
from tests.docs.documented_commands import AGENTS_DOCUMENT, ROOT, blocks, command_of, typed

DOCUMENTS = [AGENTS_DOCUMENT, ROOT / "README.md"]
EXAMPLES = sorted(path for path in (ROOT / "examples").glob("*_agent.py"))
COUNTER = ROOT / "tests" / "fixtures" / "counter.py"


def evaluations() -> list[list[str]]:
    """The arguments of each `codegym-mcp eval` that is documented."""
    scripts = [script for document in DOCUMENTS for script in blocks(document, "sh")]
    for example in EXAMPLES:
        _, _, script = example.read_text().partition("    codegym-mcp eval")
        scripts.append("codegym-mcp eval" + script.partition("\n\n")[0].partition('"""')[0])
    lines = [line for script in scripts for line in typed(script)]
    return [line[2:] for line in lines if line[:2] == ["codegym-mcp", "eval"]]


COMMANDS = [command for arguments in evaluations() if (command := command_of(arguments))]


def parse(name, arguments):
    """Reads a command's arguments as the command line does, with the settings of the whole."""
    with main.make_context("codegym-mcp", [name]) as whole:
        load_command(name).make_context(name, list(arguments), parent=whole)


def test_there_are_commands_to_be_checked():
    assert len(COMMANDS) >= 12
    assert len(EXAMPLES) == 3


@pytest.mark.parametrize("arguments", evaluations(), ids=" ".join)
def test_every_documented_evaluation_has_options_that_there_are(arguments):
    parse("eval", arguments)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_documented_command_can_be_filled_in(command, tmp_path, monkeypatch):
    words = shlex.split(command)
    program = tmp_path / Path(words[0]).name
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    command = command.replace(words[0], program.name, 1)
    monkeypatch.chdir(ROOT)
    assert ProgramAgent(command, workspaces=tmp_path).info.name == program.name
    assert set(re.findall(r"\{(\w+)\}", command)) <= set(PLACES)


def test_the_versions_of_the_programs_are_those_that_are_tested():
    package = json.loads((ROOT / "tests" / "agents" / "package.json").read_text())
    versions = {version for name, version in package["dependencies"].items() if name != "node"}
    assert set(re.findall(r"^\*\*[\w ]+\*\* (\d+\.\d+\.\d+)", AGENTS_DOCUMENT.read_text(), re.M)) == versions


def test_every_place_is_documented():
    text = DOCUMENTS[0].read_text()
    assert all(f"| `{{{place}}}` |" in text for place in PLACES)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_documented_configuration_starts_a_server_that_there_is(document):
    configurations = blocks(document, "json")
    assert configurations
    for text in configurations:
        (servers,) = json.loads(text).values()
        server = servers["codegym"]
        if "url" in server:
            assert server["url"].endswith("/mcp")
            continue
        assert server["command"] == "codegym-mcp"
        if not server.get("args"):
            continue  # The gateway, which tests/cli/test_main.py starts.
        name, *arguments = server["args"]
        assert isinstance(load_command(name), click.Command)
        parse(name, arguments)


def test_the_documented_function_is_an_agent(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (code,) = blocks(DOCUMENTS[0], "python")
    Path("look_around.py").write_text(code)
    done = CliRunner().invoke(
        main,
        ["eval", "--agent", "look_around.py:play", "--environments", str(COUNTER), "--difficulty", "1"],
    )
    assert done.exit_code == 0, done.output
    (run,) = Path("runs").iterdir()
    (trajectory,) = read_trajectories(run)
    assert trajectory.extra.outcome == "incorrect"
    assert trajectory.extra.calls == 1
