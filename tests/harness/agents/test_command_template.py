"""Commands of agent programs: how they are read, filled in and refused."""

from pathlib import Path

import pytest

from codegym_harness.agents.command_template import CommandTemplate
from codegym_mcp.errors import CodegymError


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("no-such-program {mcp_url}", "no-such-program cannot be started.*on the PATH.*Install it"),
        ("./my_agent.sh {mcp_url}", r"\./my_agent\.sh cannot be started"),
        ("sh -c 'echo {mcp_url}", "cannot be read: No closing quotation"),
        ("", "The command is empty"),
        ("true {task}", r"does not tell the program the address of its episode. Put \{mcp_config\} or"),
        ("sh my_agent.sh {mcp_url}", r"would not find my_agent\.sh.*Write \{here\}/my_agent\.sh"),
    ],
)
def test_a_command_that_cannot_be_run_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_agent.sh").touch()
    with pytest.raises(CodegymError, match=message):
        CommandTemplate(command)


@pytest.mark.parametrize("command", ["sh {here}/answers/agent.sh {mcp_url}", "{here}/link.sh {mcp_url}"])
def test_a_program_among_answers_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "answers").mkdir()
    (tmp_path / "answers" / "agent.sh").touch(mode=0o755)
    (tmp_path / "link.sh").symlink_to("answers/agent.sh")
    template = CommandTemplate(command)
    with pytest.raises(CodegymError, match=r"lies in .*answers, which holds answers"):
        template.check_answers([tmp_path / "answers"])


@pytest.mark.parametrize("command", ["./agent.sh {mcp_url}", "{here}/agent.sh {mcp_url}"])
def test_a_program_in_the_working_directory_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "agent.sh").touch(mode=0o755)
    template = CommandTemplate(command)
    assert template.name == "agent.sh"
    assert template.fill_in({"mcp_url": "URL"}) == [str(tmp_path / "agent.sh"), "URL"]


def test_the_words_of_a_command_may_be_given_as_a_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    template = CommandTemplate(["sh", "-c", "echo $0", "{mcp_url} {here} {unknown}"])
    assert template.fill_in({"mcp_url": "{here}"})[1:] == [
        "-c",
        "echo $0",
        f"{{here}} {tmp_path} {{unknown}}",
    ]
    assert template.fixed_words[1:] == ["-c", "echo $0", f" {tmp_path} {{unknown}}"]
    assert template.text == "sh -c 'echo $0' '{mcp_url} {here} {unknown}'"
