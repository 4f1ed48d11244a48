"""Servers say in many ways that a conversation is too long. The wordings are those of public reports."""

from typing import Any

import pytest

from codegym_mcp.episode_interface import ToolView
from codegym_mcp.errors import ContextOverflowError, ModelError
from codegym_mcp.models.context_overflow import is_context_overflow
from tests.models.conftest import Clock, Endpoint

TOOL = ToolView(name="move", description="Move the lift.", input_schema={"type": "object", "properties": {}})

OVERFLOWS = {
    "openai": "This model's maximum context length is 8192 tokens. However, your messages resulted in 8227 "
    "tokens. Please reduce the length of the messages.",
    "openai responses": "Your input exceeds the context window of this model. Please adjust your input.",
    "openai older": "This model's maximum context length is 8191 tokens, however you requested 10346 tokens "
    "(10346 in your prompt; 0 for the completion). Please reduce your prompt; or completion length.",
    "anthropic": "prompt is too long: 209353 tokens > 199999 maximum",
    "anthropic with max_tokens": "input length and `max_tokens` exceed context limit: 170636 + 34048 > 200000, "
    "decrease input length or `max_tokens` and try again",
    "bedrock": "Input is too long for requested model.",
    "gemini": "The input token count (1196265) exceeds the maximum number of tokens allowed (1048575).",
    "vertex": "Unable to submit request because the input token count is 32825 but model only supports up to "
    "32768. Reduce the input token count and try again.",
    "mistral": "Prompt contains 140000 tokens and 0 draft tokens, too large for model with 131072 maximum "
    "context length",
    "moonshot": "Invalid request: Your request exceeded model token limit: 262144 (requested: 269030)",
    "groq": "Please reduce the length of the messages or completion.",
    "cerebras": "Please reduce the length of the messages or completion. Current length is 42328 while limit is "
    "40000",
    "together": "The input (61709 tokens) is longer than the model's context length (40960 tokens).",
    "fireworks": "The prompt is too long: 5000, model maximum context length: 4096",
    "openrouter": "This endpoint's maximum context length is 131072 tokens. However, you requested about 140000 "
    "tokens.",
    "poolside": "Input length 131393 exceeds the maximum allowed input length of 131040 tokens.",
    "xai": "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
    "cohere": "too many tokens: total number of tokens in the prompt exceeds the limit of 4081",
    "copilot": "prompt token count of 200001 exceeds the limit of 128000",
    "minimax": "invalid params, context window exceeds limit",
    "dashscope": "Range of input length should be [1, 30720]",
    "zhipu": "Prompt 超长",
    "litellm": "litellm.ContextWindowExceededError: the model's context window was exceeded",
    "vllm": "This model's maximum context length is 262144 tokens. However, you requested 0 output tokens and "
    "your prompt contains at least 262145 input tokens, for a total of at least 262145 tokens.",
    "vllm decoder": "The decoder prompt (length 9000) is longer than the maximum model length of 8192.",
    "sglang": "Requested token count exceeds the model's maximum context length of 131072 tokens.",
    "sglang parenthesised": "Input length (265330) exceeds model's maximum context length (262144).",
    "tgi": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 2048. Given: 3474 `inputs` "
    "tokens and 60 `max_new_tokens`",
    "tensorrt": "Prompt length (9000) exceeds max_input_len (8192)",
    "llama-server": "request (9000 tokens) exceeds the available context size (8192 tokens), try increasing it",
    "llama-cpp-python": "Requested tokens (817) exceed context window of 512",
    "lm studio": "Trying to keep the first 111490 tokens when context the overflows. However, the model is "
    "loaded with context length of only 32768 tokens, which is not enough.",
    "ollama": "prompt too long; exceeded max context length by 52 tokens",
    "atlas": "Prompt too long: 5152 tokens exceeds max_seq_len 2048 (leave room for output tokens)",
    "ds4": "Prompt has 70000 tokens, but the configured context size is 65536 tokens",
    "openai, one message": "Invalid 'messages[1].content': string too long. Expected a string with maximum "
    "length 1048576, but got a string with length 1900000 instead.",
    "vllm, nothing left": "max_tokens must be at least 1, got -500.",
    "tensorrt, nothing left": "default_max_tokens (-900) should be greater than 0, default_max_tokens (-900) = "
    "max_seq_len (8192) - splited_prompt_len (9092)",
    "llama-server, in a reply": "context shift is disabled",
    "mlx": "prompt (tokens=40000) too long for context window 32768",
    "proxy": "Prompt has 40000 tokens, but the context window is 32768 tokens",
    "gateway": "The model's context window has been exhausted",
    "yandex": "number of input tokens must be no more than 8192, got 9000",
    "baidu": "the total length of the messages exceeds the maximum allowed 65536 tokens",
    "in Chinese": "输入内容过长",
    "of the input": "模型输入长度超出限制",
}

OTHER_ERRORS = [
    "ThrottlingException: Too many tokens, please wait before trying again.",
    "Rate limit reached for model on tokens per minute (TPM): Limit 8000, Requested 10013",
    "The parameter `max_tokens` specified in the request is not valid: expected a value <= 32768, but got 65536",
    "max_tokens is too large: 9000. This model supports at most 4096 completion tokens.",
    "Invalid max_tokens value, the valid range of max_tokens is [1, 8192]",
    "max_tokens: 64000 > 8192, which is the maximum allowed number of output tokens",
    "temperature is not supported",
    "Invalid 'messages[2].tool_calls[0].function.name': string too long. Expected a maximum length of 64.",
    "You exceeded your current quota, please check your plan",
    "context deadline exceeded",
    "Invalid 'messages[2].tool_calls[0].id': string too long. Expected a string with maximum length 40.",
    "`max_tokens` must be less than or equal to `8192`, the maximum value for `max_tokens` is less than the "
    "`context_window` for this model",
    "The model is overloaded",
    "upstream connect error",
]


@pytest.mark.parametrize("text", OVERFLOWS.values(), ids=OVERFLOWS.keys())
@pytest.mark.parametrize("status", [400, 413, 422, 500, None])
def test_wordings_of_an_overflow_are_recognised(text: str, status: int | None) -> None:
    assert is_context_overflow(text, frozenset(), status)


@pytest.mark.parametrize("text", OTHER_ERRORS, ids=lambda text: text[:40])
def test_other_errors_are_no_overflow(text: str) -> None:
    assert not is_context_overflow(text, frozenset(), 400)


def test_codes_are_recognised_without_a_wording() -> None:
    assert is_context_overflow("no", frozenset({"context_length_exceeded"}), 400)
    assert is_context_overflow("", frozenset(), 413)
    assert not is_context_overflow(OVERFLOWS["openai"], frozenset(), 429)


def _responses(message: str) -> list[dict[str, Any]]:
    return [
        {"status": 400, "body": {"error": {"message": message}}},
        {"status": 413, "body": {"error": message}},
        {"status": 500, "body": {"detail": message}},
        {"status": 400, "body": {"object": "error", "message": message, "code": 400}},
        {"status": 400, "text": message},
        {"status": 400, "body": {"detail": [{"msg": message, "loc": ["body"]}]}},
    ]


IN_A_REPLY = [
    {"status": 200, "body": {"error": {"message": OVERFLOWS["moonshot"], "code": 400}}},
    {"status": 200, "body": {"object": "error", "message": OVERFLOWS["copilot"], "code": 400}},
    {
        "status": 200,
        "body": {"choices": [{"error": {"message": OVERFLOWS["openrouter"]}, "finish_reason": "error"}]},
    },
]


@pytest.mark.parametrize("action", [*_responses(OVERFLOWS["moonshot"]), *IN_A_REPLY], ids=str)
async def test_an_overflow_ends_the_conversation_in_every_kind_of_response(
    openai: Endpoint, clock: Clock, action: dict[str, Any]
) -> None:
    async with openai.model(action, retries=clock.retries()) as model:
        conversation = model.conversation()
        conversation.say("hello")
        with pytest.raises(ContextOverflowError):
            await model.request(conversation)
    assert len(openai.bodies(model)) == 1


ANTHROPIC_IN_A_REPLY = {
    "status": 200,
    "body": {
        "type": "error",
        "error": {"type": "invalid_request_error", "message": OVERFLOWS["anthropic"]},
    },
}


@pytest.mark.parametrize(
    "action", [*_responses(OVERFLOWS["anthropic with max_tokens"])[:3], ANTHROPIC_IN_A_REPLY], ids=str
)
async def test_an_overflow_ends_the_conversation_with_other_providers_too(
    anthropic: Endpoint, clock: Clock, action: dict[str, Any]
) -> None:
    async with anthropic.model(action, retries=clock.retries()) as model:
        conversation = model.conversation()
        conversation.say("hello")
        with pytest.raises(ContextOverflowError):
            await model.request(conversation)


async def test_an_unknown_rejection_of_a_longer_conversation_says_so(openai: Endpoint) -> None:
    rejection = {"status": 400, "body": {"error": {"message": "something is wrong"}}}
    async with openai.model({"say": {"text": "hello"}}, rejection) as model:
        conversation = model.conversation()
        conversation.say("hello")
        await model.request(conversation)
        conversation.say("a longer conversation")
        with pytest.raises(
            ModelError, match=r"something is wrong.*longest one accepted before had \d+"
        ) as caught:
            await model.request(conversation)
        assert caught.value.fault == "request"
        shorter = model.conversation()
        shorter.say("hi")
        with pytest.raises(ModelError) as caught:
            await model.request(shorter)
    assert "longest" not in str(caught.value)
