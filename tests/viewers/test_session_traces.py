"""Session traces hold every message, call, argument and result, in the shape that the Hub documents."""

import json
from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, TypeAdapter
from pydantic.alias_generators import to_camel

from tests.conversations import exchanges

pytestmark = pytest.mark.viewers


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel)


class Function(Part):
    name: str
    arguments: str


class Called(Part):
    id: str
    function: Function


class Said(Part):
    role: Literal["user", "assistant", "system", "tool"]
    content: str
    reasoning_content: str | None = None
    tool_calls: list[Called] | None = None
    tool_call_id: str | None = None
    timestamp: int | None = None
    model: str | None = None


class Header(BaseModel):
    type: Literal["session"]
    harness: str
    id: str
    name: str


class Message(Part):
    type: Literal["message"]
    message: Said


LINE = TypeAdapter(Header | Message)


def test_every_message_call_argument_and_result_is_in_a_file(exported, recorded, run):
    files = list((exported("sts", "traces") / run.name).glob("*.jsonl"))
    assert len(files) == len(recorded)
    for file in files:
        header, *messages = [LINE.validate_json(line) for line in file.read_bytes().splitlines()]
        assert isinstance(header, Header)
        record = recorded[header.name]
        raw = {
            call.tool_call_id: call.extra.raw_arguments
            for step in record.steps
            for call in step.tool_calls or []
            if call.extra is not None
        }
        found = []
        for said in (message.message for message in messages):
            if said.role == "assistant":
                calls = [
                    (
                        call.function.name,
                        {} if raw.get(call.id) is not None else json.loads(call.function.arguments),
                    )
                    for call in said.tool_calls or []
                ]
                found.append(("agent", said.content, said.reasoning_content, calls))
                for call in said.tool_calls or []:
                    assert raw.get(call.id) in (None, call.function.arguments)
            else:
                found.append(("result" if said.role == "tool" else said.role, said.content))
        assert found == exchanges(record)
