"""Text from environments, models and servers is shown as it is: neither control characters nor markup act."""

import json
import logging
from pathlib import Path

import pytest
from click.testing import CliRunner

from codegym_mcp.catalog import set_index, set_index_build
from codegym_mcp.cli import main
from codegym_mcp.cli.command_output import show_log_messages
from codegym_mcp.terminal_text import escape_control_characters, escape_json_text

COUNTER = Path(__file__).parent.parent / "fixtures" / "counter.py"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ü 🔔\tand\nlines", "plain ü 🔔\tand\nlines"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("a\rb\x08\x00\x7f", r"a\rb".replace(r"\r", r"\x0d") + r"\x08\x00\x7f"),
        ("\x9b31m\x85", r"\x9b31m\x85"),
        ("\u202eevil\u2066\u2028", r"\u202eevil\u2066\u2028"),
        ("\ud800", r"\ud800"),
        ("\U000e0041", r"\U000e0041"),
    ],
)
def test_control_characters_are_shown_as_escapes(text: str, shown: str) -> None:
    assert escape_control_characters(text) == shown


def test_json_keeps_its_data_and_has_no_control_characters() -> None:
    data = {"a\x9b": ["\x7f\u2028\u202e\ud800 ü \U000e0041\ufff9"]}
    text = escape_json_text(json.dumps(data, ensure_ascii=False))
    assert json.loads(text) == data
    assert not any(character in text for character in "\x9b\x7f\u2028\u202e\ud800\U000e0041\ufff9")
    assert "ü" in text


@pytest.mark.parametrize("command", ["list", "show"])
def test_a_title_with_control_characters_and_markup_is_shown_as_it_is(tmp_path: Path, command: str) -> None:
    source = COUNTER.read_text(encoding="utf-8")
    title = "Bell in the lift shaft"
    assert title in source
    path = tmp_path / "counter.py"
    path.write_text(source.replace(title, r"[red]Bell[/blue] \x1b[2J\x9b"), encoding="utf-8")
    arguments = (
        ("counter", "--environments", str(path)) if command == "show" else ("--environments", str(path))
    )
    result = CliRunner().invoke(main, [command, *arguments])
    assert result.exit_code == 0, result.output
    assert r"[red]Bell[/blue] \x1b[2J\x9b" in result.stdout
    assert not {"\x1b", "\x9b"} & set(result.output)
    listed = CliRunner().invoke(main, [command, *arguments, "--json"])
    assert not {"\x1b", "\x9b"} & set(listed.output)


def test_an_error_message_has_no_control_characters() -> None:
    result = CliRunner().invoke(main, ["show", "night\x1b[2Jcourier"])
    assert result.exit_code == 1
    assert "\x1b" not in result.output


def test_control_characters_in_log_messages_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    before = logging.lastResort
    try:
        show_log_messages()
        logger = logging.Logger("without handlers")
        logger.warning("%s", "a \x1b[2J\x1b]0;title\x07 \u202e")
        try:
            raise ValueError("\x1b[2J")
        except ValueError:
            logger.exception("it failed")
    finally:
        logging.lastResort = before
    printed = capsys.readouterr().err
    assert "a \\x1b[2J\\x1b]0;title\\x07 \\u202e\n" in printed
    assert "ValueError: \\x1b[2J" in printed
    assert "\x1b" not in printed


def test_the_progress_of_an_index_is_shown_on_stderr(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODEGYM_MCP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(set_index, "STORED_BYTES", 0)
    monkeypatch.setattr(set_index_build, "COMMIT_SECONDS", 0)
    path = tmp_path / "set.jsonl"
    row = {"name": "counter", "code": COUNTER.read_text(encoding="utf-8"), "tasks": []}
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    result = CliRunner().invoke(main, ["list", "--environments", str(path), "--json"])
    assert result.exit_code == 0, result.output
    assert f"Indexing {path}: 1 environments, 100 %." in result.stderr
    assert [each["name"] for each in json.loads(result.stdout)] == ["counter"]
