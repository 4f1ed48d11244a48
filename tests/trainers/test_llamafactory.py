"""LLaMA-Factory reads what is exported for it."""

import json
import re
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest

from codegym_harness.export.sharegpt_format import CALL_MARKS
from tests.conversations import exchanges
from tests.trainers.reading import load, tokenizer
from tests.trainers.rendered import as_rendered, of_the_agent, read_rendered
from tests.trainers.trainer_code import TEMPLATES, align_dataset, get_dataset_list

pytestmark = pytest.mark.trainers

PAGE = Path(__file__).parents[2] / "docs" / "training.md"


def documented():
    """The entry for `dataset_info.json` that the documentation gives."""
    blocks = re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return next(entry for entry in map(json.loads, blocks) if "episodes" in entry)


def aligned(path):
    """The rows of a file as LLaMA-Factory aligns them before anything else."""
    (attributes,) = get_dataset_list(["episodes"], documented())
    data = SimpleNamespace(
        streaming=False, preprocessing_num_workers=None, overwrite_cache=True, media_dir=""
    )
    return align_dataset(load(path), attributes, data, SimpleNamespace(local_process_index=0))


def encoded(row):
    """Prompt and answer of each turn, as text again."""
    messages = row["_prompt"] + row["_response"]
    pairs = TEMPLATES["qwen3"].encode_multiturn(tokenizer(), messages, row["_system"], row["_tools"])
    return [(tokenizer().decode(prompt), tokenizer().decode(answer)) for prompt, answer in pairs]


def expected(record):
    """The exchanges of a trajectory, and what a row ends with that would not end with the agent."""
    found = as_rendered(exchanges(record))
    if found[-1][0] == "result":
        words = "My answer is submitted." if record.extra.verdict is not None else "I stop here."
        found.append(("agent", words, "", []))
    return found


def test_every_message_call_argument_and_result_is_in_the_text_that_is_trained_on(exported, recorded):
    rows = aligned(exported("sharegpt"))
    assert len(rows) == len(recorded)
    for row, record in zip(rows, recorded, strict=True):
        assert len(row["_response"]) == 1, "LLaMA-Factory passes over the row"
        assert json.loads(row["_tools"]) == record.agent.tool_definitions
        head, text = "".join(prompt + answer for prompt, answer in encoded(row)).split("<|im_end|>\n", 1)
        assert record.steps[0].source == "user" or record.steps[0].message in head
        assert read_rendered(text) == expected(record)


def test_the_agents_words_and_no_others_are_trained_on(exported, recorded):
    for row, record in zip(aligned(exported("sharegpt")), recorded, strict=True):
        learnt = "".join(answer for _, answer in encoded(row))
        assert of_the_agent(learnt) == [part for part in expected(record) if part[0] == "agent"]


def is_refused(template, call):
    """Whether LLaMA-Factory has an error for such a call in this template, as `docs/training.md` tells."""
    is_parallel = call.rpartition(CALL_MARKS[0])[2].startswith("[")
    is_alone = call.startswith(("{", "["))
    no_parallel_calls = template.format_function.tool_format == "glm4"
    return (is_parallel and no_parallel_calls) or (not is_alone and template.tool_call_words != CALL_MARKS)


def test_every_template_takes_every_call_and_every_tool(exported):
    for row in load(exported("sharegpt")):
        calls = [turn["value"] for turn in row["conversations"] if turn["from"] == "function_call"]
        for template in TEMPLATES.values():
            template.format_tools.apply(content=row["tools"])
            marks = {"thought_words": template.thought_words, "tool_call_words": template.tool_call_words}
            for call in calls:
                refusal = pytest.raises((ValueError, RuntimeError), match=r"parallel functions|Invalid JSON")
                with refusal if is_refused(template, call) else nullcontext():
                    template.format_function.apply(content=call, **marks)
