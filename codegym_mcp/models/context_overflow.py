"""Recognises the errors by which servers say that a conversation is too long for the model.

No status or code is common to all servers, and many have only a sentence. A recognised overflow ends the
episode and is scored; an unrecognised one would count as a failed request and be played again.

A sentence reports an overflow if it names a measure of the conversation (the context, the prompt, the input
tokens) near a comparison (exceeds, too long, more than a number). Limits of a rate, of an account and of the
reply are worded alike and are told apart by what they name.
"""

import re

_CODES = frozenset({"request_too_large", "tokens_limit_reached", "max_tokens_exceeded", "1261"})
"""Codes, in lower case, that do not say in words that the conversation is too long. 1261 is Zhipu's."""

_MEASURE = r"(?:lengths?|len|size|tokens?|token count|token limit|limit|ids|history|body)"
_CONVERSATION = "|".join(
    (
        r"(?<![a-z])context(?! ?(?:deadline|cancel|manager))|(?<![a-z])n_ctx|kv[ _-]?cache",
        r"(?<![a-z])prompts?(?![ _-](?:cach|id\b|template))|session_len",
        r"(?<![a-z])sequences?\b(?<!stop sequences)",
        r"(?<![a-z])(?:inputs?|messages?|conversation|request|text|session|model)(?:'s)?`?[ _-](?:max\w* )?"
        rf"{_MEASURE}",
        r"(?:your|the) (?:message|input|text)\b(?! string)|tokenized input|messages|conversation",
        r"\brequest(?:s|ed)?\W+(?:\w+\W+){0,2}tokens?\b|tokens? in (?:the |your )?(?:request|input)",
        r"total (?:number of )?(?:message |tokens|length|size)|tokens? of input|message tokens",
        r"max_(?:model|seq|sequence|input|total|prompt|context|position)_?\w*|model_max_length",
        r"(?<!output )(?<!completion )\btoken (?:limit|length)|number of tokens",
        r"(?<!\w)(?:inputs?|request|text)(?: is| are| was)?[ _]"
        r"(?=too[ _](?:long|large)|exceeds? (?:the )?(?:max|model))",
    )
)
"""What is measured when a conversation is too long."""

_COMPARISON = "|".join(
    (
        r"exceed\w*|overflow\w*|surpass\w*|exhausted|\bfull\b|\breached|reduce|free space|shift is disabled",
        r"too[ _](?:long|large|big|short|small|many tokens)|not (?:large |long )?enough",
        r"(?:longer|larger|greater|bigger|higher) than",
        r"(?:more than|above|beyond|over) (?:the |its |max)*(?:max\w*|limit|model|\d)|ran out of",
        r"[\d)] ?>=? ?\w|<= ?\d|(?:not|n't) (?:\w+ )?fit",
        r"(?:is|are|of|to|have|has) (?:only )?\d{3}|(?:max\w*|limit\w*|supports?)[^\d.]{0,30}\d{3}",
        r"(?:must|should) (?:be|have)[^.]{0,30}\d{3}",
    )
)
"""That one thing is more than another, or what the other is at most."""

_OVERFLOW = re.compile(
    rf"(?:{_CONVERSATION}).{{0,80}}?(?:{_COMPARISON})|(?:{_COMPARISON}).{{0,80}}?(?:{_CONVERSATION})"
    # What the prompt leaves of the context for the reply is negative.
    r"|max_tokens.{0,60}-\d"
    # Chinese: too long, above the limit.
    r"|超长|长度超[过限出]|超[过出]最大长度|超出上下文|(?:输入|上下文).{0,12}(?:过长|超过|超出)",
    re.IGNORECASE,
)
_OTHER_LIMITS = re.compile(
    r"rate[ _-]?limit|too many requests|throttl|(?:tokens?|requests?) per \w|\b[tr]p[md]\b|quota|credit"
    r"|billing|\b(?:daily|hourly|weekly|monthly|concurren\w*|this (?:minute|hour|day|week|month))\b"
    r"|please wait|(?:execution|processing) time|max_(?:completion_)?tokens`? must be less than"
    r"|速率|频率|并发",
    re.IGNORECASE,
)
"""Limits of a rate, of an account or of the reply, which use the same words."""

_OTHER_MEMBERS = re.compile(r"messages[.\[]\d[\w.\[\]]*(?![\w.\[\]])(?<!content)(?<!text)")
"""Paths to members of messages other than what was said, such as ids and images."""
_SENTENCE_END = re.compile(r"[.;。](?=\s|$)|\n")
_MAX_TEXT = 10_000
"""Longest part of a message that is searched, in characters. Some servers repeat the request behind it."""
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
    text = text[:_MAX_TEXT]
    if _OTHER_LIMITS.search(text):
        return False
    sentences = _SENTENCE_END.split(_OTHER_MEMBERS.sub("", text))
    return status == 413 or any(map(_OVERFLOW.search, (*sentences, *codes)))
