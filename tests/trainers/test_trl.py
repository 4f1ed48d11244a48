"""TRL reads what is exported for it."""

import json
from importlib.util import find_spec
from pathlib import Path

import pytest
from datasets import load_dataset
from trl.data_utils import _tokenize, is_conversational, maybe_apply_chat_template

from tests.conversations import exchanges
from tests.trainers.reading import load, tokenizer
from tests.trainers.rendered import as_rendered, of_the_agent, read_rendered

pytestmark = pytest.mark.trainers

TRL = Path(find_spec("trl").origin).parent
TEMPLATE = (TRL / "chat_templates" / "qwen3_training.jinja").read_text(encoding="utf-8")
"""The template that TRL trains Qwen3 with."""


def test_every_message_call_argument_and_result_is_in_the_text_that_trl_trains_on(exported, recorded):
    rows = load(exported("trl"))
    assert len(rows) == len(recorded)
    for row, record in zip(rows, recorded, strict=True):
        assert is_conversational(row)
        tools = json.loads(row["tools"])
        assert tools == record.agent.tool_definitions
        rendered = maybe_apply_chat_template(row, tokenizer(), tools=tools, chat_template=TEMPLATE)["text"]
        _, text = rendered.split("<|im_end|>\n", 1)
        assert read_rendered(text) == as_rendered(exchanges(record))


def test_the_agents_words_and_no_others_are_trained_on(exported, recorded):
    for row, record in zip(load(exported("trl")), recorded, strict=True):
        tokens = _tokenize(
            tokenizer(),
            row["messages"],
            tools=json.loads(row["tools"]),
            chat_template=TEMPLATE,
            return_assistant_tokens_mask=True,
        )
        masked = zip(tokens["input_ids"], tokens["assistant_masks"], strict=True)
        learnt = tokenizer().decode([token for token, is_agent in masked if is_agent])
        said = [part for part in as_rendered(exchanges(record)) if part[0] == "agent"]
        assert of_the_agent(learnt) == said


def test_rows_are_found_as_they_were_written_however_they_are_read(exported, recorded):
    written = exported("trl")
    rows = load(written).to_list()
    if written.suffix == ".jsonl":
        assert rows == [json.loads(line) for line in written.read_text(encoding="utf-8").split("\n")[:-1]]
        bit_by_bit = load_dataset("json", data_files=str(written), split="train", chunksize=1000)
        assert bit_by_bit.to_list() == rows
        streamed = load_dataset("json", data_files=str(written), split="train", streaming=True)
        assert [*streamed] == rows
