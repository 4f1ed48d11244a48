"""Recognises the errors by which servers say that a conversation is too long for the model.

No status or code is common to all servers, and many have only a sentence. A recognised overflow ends the
episode and is scored; an unrecognised one would count as a failed request and be played again.
"""

import re

_CODES = frozenset(
    {
        "context_length_exceeded",
        "context_window_exceeded",
        "model_context_window_exceeded",
        "exceed_context_size_error",
        "context_size_exceeded",
        "contextwindowexceedederror",
        "max_tokens_exceeded",
        "request_too_large",
        "model_max_prompt_tokens_exceeded",
        "tokens_limit_reached",
        "prompt_too_long",
        "input_too_long",
        "1261",
    }
)
"""Error codes and types, in lower case. 1261 is Zhipu's."""

_LENGTH = r"(?:length|window|size|limit)"
_WORDINGS = re.compile(
    "|".join(
        (
            # OpenAI, Azure, DeepSeek, OpenRouter, vLLM, Groq, LiteLLM: "maximum context length is N tokens",
            # Together, SGLang: "longer than the model's context length", llama.cpp: "available context size",
            # Anthropic: "exceed context limit", MiniMax: "context window exceeds limit".
            r"(?:exceed\w*|longer|greater|larger|too large|too long|above|beyond|maximum|max|overflow\w*|than"
            r"|out of)"
            rf"[^.;\n]{{0,80}}\bcontext[ _-]?{_LENGTH}",
            rf"> ?context[ _-]?{_LENGTH}|context[ _-]?{_LENGTH} of only \d",
            rf"\bcontext[ _-]?{_LENGTH}[^.;\n]{{0,60}}"
            r"(?:exceed\w*|exhausted|overflow|reached|is only|too (?:small|short))",
            rf"\d tokens\b[^.;\n]{{0,40}}\bcontext[ _-]?{_LENGTH} is \d",
            r"exceed\w* (?:the |this )?(?:model(?:'s)? )?context\b",
            # llama.cpp, in the middle of a reply.
            r"context shift is disabled|kv cache is full",
            r"(?:exceed\w*|over|overflow\w*)[^.;\n]{0,40}\bn_ctx\b|\bn_ctx\b[^.;\n]{0,40}exceed",
            r"\bcontext (?:is too long|overflow|too large)",
            r"configured context size is \d",
            r"reduce (?:the length of )?(?:the |your )?(?:messages|prompt|input)\b",
            # Anthropic, Bedrock, Ollama, llama.cpp's older servers, Cohere.
            r"(?:prompt|input|request|conversation|message|text)s? (?:is |are |was )?too (?:long|large)\b",
            r"too large for (?:the )?model",
            r"prompt exceeds? max(?:imum)? length",
            # Gemini: "input token count (N) exceeds the maximum number of tokens allowed (M)" and "model only
            # supports up to M"; GitHub Copilot: "prompt token count of N exceeds the limit of M".
            r"(?:input|prompt) token(?:s| count)?[^;\n]{0,60}(?:exceed\w*|supports up to)",
            r"input tokens? exceed\w*",
            r"input[ _]tokens?\b[^.;\n]{0,60}(?:<=|>|must be no more than)[^.;\n]{0,20}\d",
            r"(?:message|input|prompt|conversation)s? exceeds?\b[^.;\n]{0,40}\d tokens",
            # OpenAI, for one message: "Invalid 'messages[1].content': string too long".
            r"(?:content|input)(?:\[\d+\])?(?:\.text)?'?: string too long",
            # vLLM, TensorRT-LLM: what the prompt leaves of the context is negative.
            r"max_tokens (?:must|should) be (?:at least|greater than) \d[^\n]{0,20}-\d",
            r"max_tokens \(-\d+\) should be",
            # Moonshot: "exceeded model token limit: N (requested: M)".
            r"exceed\w* (?:the )?(?:model(?:'s)? )?(?:maximum |max )?token limit",
            r"token limit (?:was |is |has been )?exceeded",
            r"(?:message|input|prompt)s?\b[^.;\n]{0,40}tokens?\b[^.;\n]{0,30}exceed\w*|token length exceed",
            r"exceed\w* (?:the )?max(?:imum)? (?:number of (?:input |prompt )?tokens|message tokens)",
            r"(?:input|prompt|request)s? exceeds? (?:the )?max(?:imum)? (?:length|size)",
            # xAI: "maximum prompt length is N", Mistral, AWS: "maximum model length", SGLang, TensorRT-LLM.
            r"max(?:imum)? (?:allowed )?(?:prompt|input|sequence|model)[ _]?(?:len(?:gth)?|tokens?)\b"
            r"[^;\n]{0,40}\d",
            r"(?:prompt|input)[ _]?(?:len(?:gth)?|tokens?)\b[^;\n]{0,80}"
            r"(?:exceed\w*|greater than|longer than|larger than|too long)",
            r"exceed\w*[^.;\n]{0,40}\bmax_(?:model|seq|input|total)_?(?:len|length|tokens)",
            r"max_(?:model|seq|input|total)_?(?:len|length|tokens)\b[^.;\n]{0,40}exceed",
            # TGI: "`inputs` tokens + `max_new_tokens` must be <= 4096", Cohere: "size limit exceeded".
            r"inputs`? tokens? \+ `?max_new_tokens`? must be <=",
            r"`inputs`? must have less than \d+ tokens",
            r"total number of tokens[^.;\n]{0,60}exceed",
            # DashScope: "Range of input length should be [1, 30720]".
            r"range of input length should be",
            r"tokens in request more than max tokens allowed",
            r"requested tokens? \(?\d+\)? exceed",
            r"too many (?:input |prompt )?tokens\b(?!.{0,40}(?:wait|per (?:minute|day)|retry))",
            r"request entity too large|payload too large|body too large",
            # Chinese wordings of Zhipu, DashScope and others: too long, above the limit.
            r"超长|长度超过|超过最大长度|超出最大长度|超出上下文|上下文长度超|长度超限",
            r"(?:输入|上下文)[^。\n]{0,12}(?:过长|超过|超出)",
        )
    ),
    re.IGNORECASE,
)

_OTHER_LIMITS = re.compile(
    r"rate[ _-]?limit|too many requests|throttl|tokens? per (?:minute|day|hour|second)|\b[tr]p[md]\b|quota"
    r"|please wait|max_(?:completion_)?tokens`? must be less than|速率|频率|并发",
    re.IGNORECASE,
)
"""Limits of a rate, of an account or of the reply, which use the same words."""

_STATUSES = frozenset({400, 413, 422, 500})


def is_context_overflow(text: str, codes: frozenset[str], status: int | None) -> bool:
    """Checks whether an error says that the conversation is too long.

    Args:
        text: the error's message.
        codes: the codes and types in the error's body.
        status: the HTTP status, or None if the error came in a successful response.
    """
    if status is not None and status not in _STATUSES:
        return False
    if _CODES & {code.lower() for code in codes}:
        return True
    if _OTHER_LIMITS.search(text):
        return False
    return status == 413 or bool(_WORDINGS.search(text))
