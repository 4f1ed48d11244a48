"""The recipes of docs/agents.md solve an episode, each with the real program and a scripted model."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.conftest import FIXTURES, ModelServer, model_server
from tests.docs.documented_commands import AGENTS_DOCUMENT, blocks, command_of, typed
from tests.interop.bell import BELL_CALLS, BELL_TASK

pytestmark = pytest.mark.agents

PROGRAMS = Path(__file__).with_name("node_modules") / ".bin"


@dataclass(frozen=True)
class ModelOptions:
    """What a program is told of its model besides the recipe; `{url}` is the model server's address.

    Attributes:
        words: words at the end of the command.
        variables: environment variables.
        settings: a file of the home folder that the program may read, and its content.
    """

    words: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    settings: tuple[str, str] | None = None


MODEL_OPTIONS = {
    "claude": ModelOptions(variables={"ANTHROPIC_BASE_URL": "{url}", "ANTHROPIC_API_KEY": "none"}),
    "codex": ModelOptions(
        '-m bell -c model_provider=local -c "model_providers.local={{name=\\"local\\",'
        ' base_url=\\"{url}/v1\\", wire_api=\\"responses\\"}}"'
    ),
    # With another address it does not conclude from the key how to log in.
    "gemini": ModelOptions(
        variables={"GOOGLE_GEMINI_BASE_URL": "{url}", "GEMINI_API_KEY": "none"},
        settings=(".gemini/settings.json", '{"security": {"auth": {"selectedType": "gemini-api-key"}}}'),
    ),
    "qwen": ModelOptions(
        "--auth-type openai",
        {"OPENAI_BASE_URL": "{url}/v1", "OPENAI_API_KEY": "none", "OPENAI_MODEL": "bell"},
    ),
    "opencode": ModelOptions(
        "-m anthropic/claude-sonnet-4-5", {"ANTHROPIC_BASE_URL": "{url}/v1", "ANTHROPIC_API_KEY": "none"}
    ),
    "copilot": ModelOptions(
        variables={
            "COPILOT_PROVIDER_BASE_URL": "{url}/v1",
            "COPILOT_MODEL": "bell",
            "COPILOT_OFFLINE": "true",
        }
    ),
}


def recipes() -> dict[str, str]:
    """Returns the documented commands of agent programs, by the name of the program that they start."""
    lines = [line for script in blocks(AGENTS_DOCUMENT, "sh") for line in typed(script)]
    commands = [command for line in lines if (command := command_of(line)) and "{task" in command]
    return {
        program: command
        for program in MODEL_OPTIONS
        for command in commands
        if program in command.replace('"', " ").split()
    }


@pytest.fixture(scope="module")
def model() -> Iterator[ModelServer]:
    with model_server("agent_program_server") as server:
        yield server


def test_every_program_has_a_recipe() -> None:
    assert recipes().keys() == MODEL_OPTIONS.keys()


@pytest.mark.parametrize("program", MODEL_OPTIONS)
def test_the_recipe_solves_an_episode_in_the_enclosure(
    program: str, model: ModelServer, tmp_path: Path
) -> None:
    options = MODEL_OPTIONS[program]
    command = f"{recipes()[program]} {options.words.format(url=model.url)}"
    run = tmp_path / "run"
    variables = {name: value.format(url=model.url) for name, value in options.variables.items()}
    home = tmp_path / "home"
    home.mkdir()
    allowed: list[str] = []
    if options.settings is not None:
        settings = home / options.settings[0]
        settings.parent.mkdir()
        settings.write_text(options.settings[1])
        allowed = ["--allow-read", str(settings)]
    done = subprocess.run(
        [
            *(sys.executable, "-m", "codegym_mcp.cli", "eval", "--agent", "command", "--command", command),
            *("--environments", str(FIXTURES / "counter.py"), "--difficulty", str(BELL_TASK["difficulty"])),
            *("--network", "loopback", "--seconds", "120", "--out", str(run), *allowed),
        ],
        cwd=tmp_path,
        env={"PATH": os.pathsep.join([str(PROGRAMS), os.environ["PATH"]]), "HOME": str(home), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    record = json.loads((run / "trajectories.jsonl").read_text())["extra"]
    assert record["outcome"] == "correct", record
    assert record["verdict"]["reward"] == 1.0
    assert record["calls"] == BELL_CALLS
    assert record["program"]["enclosed"] == "namespaces"
    assert record["program"]["exit_code"] == 0, record["program"]
