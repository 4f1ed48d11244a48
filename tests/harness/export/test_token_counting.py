import json
import sys

import pytest

from codegym_harness.export.conversion_counts import LossCounts, UnfitError
from codegym_harness.export.token_counting import (
    ChatTemplateCounter,
    PlainTextCounter,
    Rendering,
    TokenCounts,
    open_token_counter,
)
from codegym_harness.export.training_conversation import converse
from codegym_mcp.errors import CodegymError, MissingExtraError
from tests.conversations import agent, asked, example, trajectory, user
from tests.made_runs import TOOLS


def conversation(*steps):
    return converse(trajectory(*steps), LossCounts())


class JsonTemplate:
    """A tokenizer whose template writes JSON, and whose tokens are characters."""

    def apply_chat_template(self, messages, *, tools, tokenize, add_generation_prompt):
        assert not tokenize
        return json.dumps([tools, messages]) + (">" if add_generation_prompt else "")

    def encode(self, text, *, add_special_tokens):
        assert not add_special_tokens
        return [*text]


def test_a_prompt_ends_where_the_first_turn_of_the_agent_begins() -> None:
    look = agent("I look.", asked("look", {}, "a bell"))
    counted = ChatTemplateCounter(JsonTemplate()).count(conversation(user("Go."), look))
    prompt = [TOOLS, [{"role": "user", "content": "Go."}]]
    assert counted.prompt == len(json.dumps(prompt)) + 1
    assert counted.conversation > counted.prompt + len("I look.") + len("a bell")


def test_a_conversation_that_the_template_refuses_is_unfit() -> None:
    class Strict(JsonTemplate):
        def apply_chat_template(self, messages, **_):
            raise ValueError("roles must alternate")

    with pytest.raises(UnfitError, match="refuses"):
        ChatTemplateCounter(Strict()).count(conversation(user("Go."), agent("Done.")))


def test_without_a_template_tools_texts_thoughts_calls_and_results_are_counted() -> None:
    seen: list[str] = []

    def count(text: str) -> int:
        seen.append(text)
        return 1

    counted = PlainTextCounter(count).count(converse(example(), LossCounts()))
    assert counted == TokenCounts(prompt=3, conversation=len(seen))
    text = "\n".join(seen)
    for part in (
        "You play.",
        "Two at once.",
        "I look, and move.",
        "went\n2 ↑",
        '"floors":-1',
        "submit_answer",
    ):
        assert part in text


def test_encodings_of_tiktoken_are_recognised_by_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    tiktoken = pytest.importorskip("tiktoken")
    asked_for = []

    def get_encoding(name: str):
        asked_for.append(name)
        bytes_alone = {bytes([value]): value for value in range(256)}
        return tiktoken.Encoding(
            name, pat_str=r".|\n", mergeable_ranks=bytes_alone, special_tokens={"<|endoftext|>": 256}
        )

    monkeypatch.setattr("tiktoken.get_encoding", get_encoding)
    counter = open_token_counter("o200k_base")
    assert counter.rendering is Rendering.PLAIN_TEXT
    # The text of a special token is text.
    counted = counter.count(conversation(user("<|endoftext|>"), agent("ü")))
    tools = len(json.dumps(TOOLS, separators=(",", ":")))
    assert counted == TokenCounts(prompt=tools + len("<|endoftext|>"), conversation=counted.prompt + 2)
    assert asked_for == ["o200k_base"]


@pytest.mark.parametrize(
    ("name", "library"), [("Qwen/Qwen3-1.7B", "transformers"), ("cl100k_base", "tiktoken")]
)
def test_a_missing_library_is_named_with_its_installation(
    name: str, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtraError, match=r"pip install 'codegym-mcp\[tokens\]'"):
        open_token_counter(name)


def test_an_encoding_that_does_not_exist_is_an_error() -> None:
    pytest.importorskip("tiktoken")
    with pytest.raises(CodegymError, match=r"tokenizer x1k_base cannot be loaded: .*o200k_base"):
        open_token_counter("x1k_base")
