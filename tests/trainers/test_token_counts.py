"""Tokens are counted as the tokenizers of transformers count them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tokenizers import Tokenizer, pre_tokenizers
from tokenizers.models import WordLevel
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from codegym_harness.export.conversion_counts import LossCounts
from codegym_harness.export.token_counting import Rendering, open_token_counter
from codegym_harness.export.token_statistics import token_statistics
from codegym_harness.export.training_conversation import converse
from codegym_harness.export.trl_format import row
from codegym_harness.runs.run_directory_reader import read_trajectories
from codegym_mcp.errors import CodegymError
from tests.conversations import example

pytestmark = pytest.mark.trainers

TEMPLATE = """{%- if tools %}<|tools|> {{ tools | tojson }} {% endif -%}
{%- for message in messages %}<|{{ message.role }}|> {{ message.content }}
{%- for call in message.tool_calls or [] %} {{ call.function | tojson }}{% endfor %} <|end|>
{% endfor -%}
{%- if add_generation_prompt %}<|assistant|> {% endif -%}"""

Folder = Callable[[str | None], Path]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Writes a tokenizer whose tokens are words, with a chat template or without one."""

    def write(template: str | None) -> Path:
        words = Tokenizer(WordLevel({"?": 0}, unk_token="?"))
        words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
        tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, unk_token="?")
        tokenizer.chat_template = template
        tokenizer.save_pretrained(tmp_path / "tokenizer")
        return tmp_path / "tokenizer"

    return write


def test_the_chat_template_of_a_tokenizer_writes_what_is_counted(folder: Folder) -> None:
    path = folder(TEMPLATE)
    counter = open_token_counter(str(path))
    assert counter.rendering is Rendering.CHAT_TEMPLATE
    conversation = converse(example(), LossCounts())
    counted = counter.count(conversation)
    messages = row(example(), LossCounts())["messages"]
    tokenizer = AutoTokenizer.from_pretrained(path)

    def length(count: int, *, prompt: bool) -> int:
        tokens = tokenizer.apply_chat_template(
            messages[:count], tools=conversation.tools, add_generation_prompt=prompt, return_dict=False
        )
        return len(tokens)

    assert counted.prompt == length(2, prompt=True)
    assert counted.conversation == length(len(messages), prompt=False)


def test_a_tokenizer_without_a_template_counts_plain_text(folder: Folder) -> None:
    counter = open_token_counter(str(folder(None)))
    assert counter.rendering is Rendering.PLAIN_TEXT
    counted = counter.count(converse(example(), LossCounts()))
    assert 0 < counted.prompt < counted.conversation


def test_the_episodes_of_every_bundled_environment_are_counted(oracle_run: Path, folder: Folder) -> None:
    statistics = token_statistics([oracle_run], str(folder(TEMPLATE)))
    played = {each.extra.environment for each in read_trajectories(oracle_run)}
    assert statistics.environments.keys() == played
    for tokens in statistics.environments.values():
        assert tokens.prompt.max < tokens.conversation.median


@pytest.mark.parametrize("name", ["no/such-model", "/no/such/folder", "not a name"])
def test_a_tokenizer_that_does_not_exist_is_an_error(name: str) -> None:
    with pytest.raises(CodegymError, match=r"cannot be loaded: .*Name a model of the Hugging Face Hub"):
        open_token_counter(name)
