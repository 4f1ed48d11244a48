"""Other readers of OpenAI's shape read what is exported for it."""

import json
from types import SimpleNamespace

import pytest
from trl.data_utils import apply_chat_template

from tests.conversations import exchanges
from tests.trainers.reading import load, tokenizer
from tests.trainers.rendered import as_rendered, read_rendered
from tests.trainers.test_trl import TEMPLATE
from tests.trainers.trainer_code import align_dataset, get_dataset_list

pytestmark = pytest.mark.trainers

TAGS = {
    "role_tag": "role",
    "content_tag": "content",
    "user_tag": "user",
    "assistant_tag": "assistant",
    "observation_tag": "tool",
    "function_tag": "function",
    "system_tag": "system",
}


def expected(record):
    """The exchanges of a trajectory without reasoning, and with the end of a row that needs one."""
    for step in record.steps:
        step.reasoning_content = None
    found = as_rendered(exchanges(record))
    if found[-1][0] == "result":
        words = "My answer is submitted." if record.extra.verdict is not None else "I stop here."
        found.append(("agent", words, "", []))
    return found


def test_chat_templates_write_every_message_call_argument_and_result(exported, recorded):
    for row, record in zip(load(exported("openai")), recorded, strict=True):
        assert row["tools"] == record.agent.tool_definitions
        rendered = apply_chat_template(row, tokenizer(), tools=row["tools"], chat_template=TEMPLATE)["text"]
        _, text = rendered.split("<|im_end|>\n", 1)
        assert read_rendered(text) == expected(record)


def test_llama_factory_finds_the_calls_and_results(exported, recorded):
    columns = {"messages": "messages", "tools": "tools"}
    entry = {"file_name": "-", "formatting": "openai", "columns": columns, "tags": TAGS}
    (attributes,) = get_dataset_list(["rows"], {"rows": entry})
    data = SimpleNamespace(
        streaming=False, preprocessing_num_workers=None, overwrite_cache=True, media_dir=""
    )
    rows = align_dataset(load(exported("openai")), attributes, data, SimpleNamespace(local_process_index=0))
    for row, record in zip(rows, recorded, strict=True):
        messages = row["_prompt"] + row["_response"]
        found = [
            (call["name"], json.loads(call["arguments"]))
            for message in messages
            if message["role"] == "function"
            for call in json.loads(message["content"])
        ]
        said = [part for part in expected(record) if part[0] == "agent"]
        assert found == [call for part in said for call in part[3]]
        told = [message["content"] for message in messages if message["role"] == "observation"]
        results = [part[1] for part in expected(record) if part[0] == "result"]
        assert "\n</tool_response>\n<tool_response>\n".join(told) == (
            "\n</tool_response>\n<tool_response>\n".join(results)
        )
