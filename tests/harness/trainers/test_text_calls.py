"""Calls that models and programs write as text."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegym_harness.trainers.json_actions import read_json_action
from codegym_harness.trainers.prompt_filling import fill_prompt
from codegym_mcp.episode_protocol import ToolView
from codegym_mcp.models.text_calls.call_parsing import parse_calls
from codegym_mcp.models.text_calls.tool_formats import ToolFormat
from codegym_mcp.models.text_calls.tool_instructions import CALL_EXAMPLES, tool_call_instructions

MOVE = ToolView(
    name="move", description="Move.", input_schema={"properties": {"floors": {"type": "integer"}}}
)


@given(st.text(min_size=1), st.dictionaries(st.text(), st.integers() | st.text() | st.lists(st.booleans())))
def test_a_call_as_json_is_read_as_it_was_written(tool: str, arguments: dict[str, Any]) -> None:
    call = read_json_action(json.dumps({"tool": tool, "arguments": arguments}))
    assert (call.name, call.arguments, call.problem) == (tool, arguments, "")


@given(st.text())
def test_any_other_text_is_a_malformed_call(text: str) -> None:
    call = read_json_action(f"?{text}")
    assert call.arguments is None
    assert call.problem


def test_a_call_without_arguments_has_none() -> None:
    assert read_json_action('{"tool": "look"}').arguments == {}


@pytest.mark.parametrize("form", ToolFormat)
def test_the_example_of_every_format_is_parsed_by_its_parser(form: ToolFormat) -> None:
    assert CALL_EXAMPLES[form] in tool_call_instructions([MOVE], form)
    written = CALL_EXAMPLES[form].replace("NAME", "move").replace("PARAMETER", "floors")
    (call,) = parse_calls(written, form, [MOVE])
    assert (call.name, call.arguments) == ("move", {"floors": 1})


def test_instructions_hold_the_schemas_of_all_tools() -> None:
    lines = tool_call_instructions([MOVE, MOVE], ToolFormat.HERMES).splitlines()
    assert json.loads(lines[1]) == json.loads(lines[2])
    assert json.loads(lines[1])["parameters"] == MOVE.input_schema


@pytest.mark.parametrize(
    ("prompt", "filled"),
    [
        ([], [("user", "TASK")]),
        ([("system", "S"), ("user", " ")], [("system", "S"), ("user", "TASK")]),
        ([("user", "Own text.")], [("user", "Own text.")]),
        ([("system", "S")], [("system", "S"), ("user", "TASK")]),
    ],
)
def test_an_empty_last_message_is_filled_in(
    prompt: list[tuple[str, str]], filled: list[tuple[str, str]]
) -> None:
    given_prompt = [{"role": role, "content": content} for role, content in prompt]
    before = json.dumps(given_prompt)
    assert [(each["role"], each["content"]) for each in fill_prompt(given_prompt, "TASK")] == filled
    with_tools = fill_prompt(given_prompt, "TASK", "TOOLS")
    assert with_tools[0]["role"] == "system"
    assert with_tools[0]["content"].endswith("TOOLS")
    assert json.dumps(given_prompt) == before
