"""Commands of agent programs: how they are read, filled in and refused."""

import sys
from pathlib import Path

import pytest

from codegym_harness.agents.agent_context import EpisodeAddress
from codegym_harness.agents.command_agent import render_task
from codegym_harness.agents.command_template import CommandTemplate
from codegym_mcp.errors import CodegymError, RunHaltedError


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


@pytest.mark.parametrize(
    ("task", "argument"),
    [
        ("", ""),
        ("--help", "--help"),
        ("@/etc/passwd", "@/etc/passwd"),
        ('it\'s "quoted" `id` $HOME \\ %s\n\n', 'it\'s "quoted" `id` $HOME \\ %s\n\n'),
        ("write {mcp_url} and {task}", "write {mcp_url} and {task}"),
        ("a\0b", "a\ufffdb"),
        ("x" * 100_000, "x" * 100_000),
    ],
    ids=lambda text: text[:12],
)
def test_a_task_is_one_argument_whatever_it_contains(task: str, argument: str) -> None:
    command = CommandTemplate([sys.executable, "{mcp_url}", "--task={task}"])
    words = command.fill_in({"mcp_config": "c", "mcp_url": "u", "task": task, "task_file": "f"})
    assert words[1:] == ["u", f"--task={argument}"]


def test_a_task_that_is_too_long_for_an_argument_is_an_error_that_names_the_file() -> None:
    values = {"mcp_config": "c", "mcp_url": "u", "task": "ü" * 70_000, "task_file": "f"}
    with pytest.raises(RunHaltedError, match=r"140,000 bytes.*\{task_file\}"):
        CommandTemplate([sys.executable, "{mcp_url}", "{task}"]).fill_in(values)
    assert CommandTemplate([sys.executable, "{mcp_url}", "{task_file}"]).fill_in(values)[1:] == ["u", "f"]


@pytest.mark.parametrize(
    "start", ["-v is an option", "--help", "@file", "/clear", "!ls", "#note", "", "\n- x", " -x"]
)
def test_no_task_begins_with_what_programs_take_for_an_option_a_command_or_a_file(start: str) -> None:
    assert render_task(EpisodeAddress("u", start, None)).startswith(f"Task: {start}")


@pytest.mark.parametrize("start", ["A lift", "Über", "7 doors", "\u4e00"])
def test_other_tasks_are_given_as_they_are(start: str) -> None:
    assert render_task(EpisodeAddress("u", start, None)).startswith(start)
