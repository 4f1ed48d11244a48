"""Names of tools in calls that carry a namespace or special tokens."""

from typing import Any

import pytest

from codegym_mcp.episode_protocol import ToolView
from codegym_mcp.models.tool_names import offered_name
from tests.models.conftest import Endpoint

OFFERED = {"move", "functions.own", "step:1", "mcp__server__move"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("move", "move"),
        ("functions.move", "move"),
        ("functions.move:0", "move"),
        ("default_api.move", "move"),
        ("default_api:move", "move"),
        ("move<|channel|>commentary", "move"),
        ("functions.move<|channel|>json", "move"),
        (" move ", "move"),
        ("functions.own", "functions.own"),
        ("step:1", "step:1"),
        ("functions.fly", "functions.fly"),
        ("mcp__server__move", "mcp__server__move"),
        ("mcp__other__move", "mcp__other__move"),
        ("Move", "Move"),
        ("", ""),
    ],
)
def test_a_name_stands_for_an_offered_one(name: str, expected: str) -> None:
    assert offered_name(name, OFFERED) == expected


@pytest.mark.parametrize("name", ["functions.move", "move<|channel|>commentary"])
async def test_the_call_has_the_offered_name_and_the_history_the_received_one(
    endpoint: Endpoint, name: str
) -> None:
    call: dict[str, Any] = {"id": "a", "name": name, "arguments": {}}
    async with endpoint.model({"say": {"calls": [call]}}, {"say": {"text": "done"}}) as model:
        conversation = model.conversation()
        conversation.say("Go up.")
        tools = [ToolView(name="move", input_schema={"type": "object", "properties": {}})]
        reply = await model.request(conversation, tools)
        (made,) = reply.calls
        assert made.name == "move"
        assert any(repr(name) in change for change in reply.changes)
        conversation.answer(made, "1")
        await model.request(conversation, tools)
    assert name in str(endpoint.bodies(model)[1]["messages"][1])
