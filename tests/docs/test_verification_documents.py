"""Commands and Python in docs/verification.md and docs/synthesis.md use options and names that exist."""

import ast
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

import codegym_mcp
from codegym_mcp.cli import main

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "docs" / name for name in ("verification.md", "synthesis.md")]


def blocks(language: str) -> list[str]:
    return [
        block
        for document in DOCUMENTS
        for block in re.findall(rf"^```{language}\n(.*?)^```", document.read_text(), re.DOTALL | re.MULTILINE)
    ]


COMMANDS = [
    shlex.split(line, comments=True)
    for block in blocks("sh")
    for line in block.splitlines()
    if line.startswith("codegym-mcp ")
]


@pytest.mark.parametrize("command", COMMANDS, ids=[" ".join(command) for command in COMMANDS])
def test_every_command_and_option_exists(command: list[str]) -> None:
    result = CliRunner().invoke(main, [*command[1:], "--help"])
    assert result.exit_code == 0, result.output


def test_python_uses_public_names() -> None:
    for block in blocks("python"):
        for node in ast.walk(ast.parse(block)):
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id == "gym"
            ):
                assert node.attr in codegym_mcp.__all__


def test_files_of_the_checkout_exist() -> None:
    named = {word for command in COMMANDS for word in command if word.startswith("examples/")}
    assert named
    assert all((ROOT / name).exists() for name in named)
