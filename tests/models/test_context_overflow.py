"""Servers say in many ways that a conversation is too long. The wordings are those of public reports."""

from typing import Any

import pytest

from codegym_mcp.episode_protocol import ToolView
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

OTHER_WORDINGS = [
    "tokenized input exceeds the maximum",
    "prompt_tokens: 9000 > max_context 8192",
    "model_max_length exceeded",
    "Sequence length 9000 exceeds maximum 8192",
    "slot context full",
    "error: exceed_context_size_error",
    "ValidationException: Input exceeds the max input token limit",
    "total tokens exceeds the model's max of 4096",
    "tokens in request more than max tokens allowed",
    "total message size 10176584 exceeds limit 2097152",
    "You passed 99073 input tokens and requested 32000 output tokens. However, the model's context length is only 131072 tokens, resulting in a maximum input length of 99072 tokens.",
    "the request exceeds the available context size. try increasing the context size or enable context shift",
    "input is too large to process. increase the physical batch size",
    "failed to find free space in the KV cache",
    "Token indices sequence length is longer than the specified maximum sequence length for this model (9000 > 8192)",
    "Input length of input_ids is 9000, but max_length is set to 8192",
    "The model's maximum length is 8192 but prompt length is 9000",
    "prompt tokens (9000) + max_new_tokens (10) > 8192",
    "the input length exceeds the context length",
    "the number of input tokens 9000 cannot exceed the total tokens limit 8192 for this model",
    "Request body too large for gpt-4o model. Max size: 8000 tokens.",
    "AiError: The estimated number of input and maximum output tokens (9000) exceeded this model context window limit (8192).",
    "Context length 9000 is greater than max_seq_len 8192",
    "Request prompt has 9000 tokens in total, larger than the model input length limit 8192",
    "The session length 9000 exceeds session_len 8192",
    "Your message was too long and could not be processed (9000 > 8192).",
    "context_overflow",
    "ContextWindowExceededError",
    "Invalid 'messages': array too long. Expected an array with maximum length 2048, but got an array with length 2049 instead.",
    "Conversation is too long for this model",
    "The conversation does not fit into the context window",
    "prompt has 9000 tokens but the limit is 8192",
    "The prompt is longer than the model supports: 9000 tokens, limit 8192",
    "ran out of context",
    "Context size exceeded",
    "n_prompt_tokens (9000) >= n_ctx_slot (8192)",
    "Requested tokens exceed max_model_len",
    "cannot fit 9000 tokens in a context of 8192",
    "Your request has 9000 tokens, more than the maximum of 8192 that the model can process",
    "This model supports at most 8192 tokens, but your messages have 9000",
    "max_position_embeddings (8192) exceeded by sequence of 9000",
    "This model is limited to 8192 tokens of input",
]

OTHER_ERRORS = [
    "temperature: Input should be less than or equal to 2",
    "Unable to parse input string as an integer, exceeded maximum size",
    "messages.0.content.1.image.source.base64: image exceeds 5 MB maximum: 6000000 bytes > 5242880 bytes",
    "Too many tools in the request: 200 > 128",
    "Invalid 'tools': array too long. Expected an array with maximum length 128, but got 200.",
    "prompt_cache_key: string too long. Expected maximum length 64, got 80",
    "The prompt contains more than one system message",
    "tokens per minute exceeded",
    "Token quota exceeded for this project",
    "TPM limit exceeded: requested 9000 tokens, limit 8000",
    "Daily message limit exceeded",
    "token limit exceeded for this month",
    "context canceled",
    "maximum recursion depth exceeded",
    "Request exceeded concurrency limit",
    "request timed out: deadline exceeded",
    "max_tokens (9000) exceeds the maximum output tokens of 4096",
    "max_completion_tokens is too large: 100000. This model supports at most 16384 completion tokens, whereas you provided 100000.",
    "The number of output tokens 9000 exceeds the limit 8192",
    "thinking.budget_tokens 9000 must be less than max_tokens 8192",
    "stop: too many stop sequences: 9 > 4",
    "Invalid 'stop': at most 4 stop sequences are supported",
    "top_logprobs 30 exceeds the maximum 20",
    "all slots are full",
    "CUDA out of memory. Tried to allocate 2 GiB",
    "You have exceeded your credit limit",
    "Conversation roles must alternate user/assistant",
    "messages: roles must alternate, found more than one user message in a row",
    "metadata.user_id: string too long: 300 > 256",
    "Invalid schema for function 'x': schema exceeds maximum depth 5",
    "The input contains too many images",
    "429: requests exceeded, 10 > 5 per second",
    "Request exceeded the maximum execution time of 60 seconds",
    "The prompt was flagged",
    "seed 99999999999 is greater than the maximum 2147483647",
    "function name is too long: 70 > 64",
    "tool description exceeds the maximum length of 1024 characters",
    "The response exceeds the maximum output length",
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


@pytest.mark.parametrize("text", OTHER_WORDINGS, ids=lambda text: text[:40])
def test_a_measure_of_the_conversation_beside_a_comparison_is_an_overflow(text: str) -> None:
    assert is_context_overflow(text, frozenset(), 400)


CODES = [
    "context_length_exceeded",
    "model_context_window_exceeded",
    "exceed_context_size_error",
    "prompt_too_long",
    "contextwindowexceedederror",
    "model_max_prompt_tokens_exceeded",
    "input_too_long",
    "tokens_limit_reached",
]
OTHER_CODES = ["rate_limit_exceeded", "token_quota_exceeded", "invalid_prompt", "string_above_max_length"]


@pytest.mark.parametrize("code", CODES)
def test_codes_are_recognised_without_a_wording(code: str) -> None:
    assert is_context_overflow("no", frozenset({code}), 400)


@pytest.mark.parametrize("code", OTHER_CODES)
def test_other_codes_are_no_overflow(code: str) -> None:
    assert not is_context_overflow("no", frozenset({code}), 400)


@pytest.mark.parametrize("text", OTHER_ERRORS, ids=lambda text: text[:40])
def test_other_errors_are_no_overflow(text: str) -> None:
    assert not is_context_overflow(text, frozenset(), 400)


def test_the_status_decides_before_the_wording() -> None:
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
