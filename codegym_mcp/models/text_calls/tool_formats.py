"""The forms in which models write tool calls as text, from their public chat templates."""

from enum import StrEnum

from codegym_mcp.models.text_calls.braced_grammar import BracedArguments
from codegym_mcp.models.text_calls.json_grammars import (
    JSON_AHEAD,
    BareJson,
    CallGrammar,
    MarkedJson,
    NamedJson,
)
from codegym_mcp.models.text_calls.pythonic_grammar import PythonCalls
from codegym_mcp.models.text_calls.tagged_grammars import NestedTags, TaggedArguments


class ToolFormat(StrEnum):
    """The forms in which models write calls."""

    HERMES = "hermes"
    """`<tool_call>{"name": …, "arguments": {…}}</tool_call>`: Hermes, Qwen 2.5 and 3, ERNIE 4.5."""
    QWEN = "qwen"
    """`<function=NAME><parameter=KEY>VALUE</parameter></function>`: Qwen3-Coder, Step 3.5, Seed-OSS,
    Nemotron 3, MiniCPM 5; also the form of Hermes."""
    LLAMA3 = "llama3"
    """`{"name": …, "parameters": {…}}`, several separated by `;`: Llama 3.1 and later."""
    MISTRAL = "mistral"
    """`[TOOL_CALLS][{"name": …, "arguments": {…}}]` or `[TOOL_CALLS]NAME[ARGS]{…}`."""
    PYTHONIC = "pythonic"
    """`[name(key=value), …]`: Llama 3.2 and 4, LFM2, OLMo 3."""
    DEEPSEEK = "deepseek"
    """Special tokens around name and object: DeepSeek V3, R1, V3.1; `invoke` tags marked DSML: V3.2, V4."""
    GLM = "glm"
    """`<tool_call>NAME<arg_key>KEY</arg_key><arg_value>VALUE</arg_value></tool_call>`: GLM 4.5 and later."""
    KIMI = "kimi"
    """`<|tool_call_begin|>functions.NAME:0<|tool_call_argument_begin|>{…}<|tool_call_end|>`: Kimi K2; also
    the tags of Kimi K3."""
    GRANITE = "granite"
    """`<|tool_call|>[{"name": …, "arguments": {…}}]`: Granite; also `functools[…]`: Phi 4 mini."""
    HARMONY = "harmony"
    """`<|channel|>commentary to=functions.NAME <|constrain|>json<|message|>{…}<|call|>`: gpt-oss."""
    GEMMA = "gemma"
    """`<start_function_call>call:NAME{KEY:VALUE}<end_function_call>`: FunctionGemma; the same with other
    tokens: Gemma 4; `tool_code` in a code fence, and objects: Gemma 3."""
    MINIMAX = "minimax"
    """`<minimax:tool_call><invoke name="NAME"><parameter name="KEY">VALUE</parameter></invoke>`: MiniMax M2;
    also `<tool_calls>` around objects: M1; and the tags of M3."""
    STEP = "step"
    """`<steptml:invoke name="NAME"><steptml:parameter name="KEY">VALUE</steptml:parameter>`: Step 3."""
    HUNYUAN = "hunyuan"
    """`<tool_calls>[{"name": …, "arguments": {…}}]</tool_calls>`: Hunyuan A13B, Jamba, Apriel; also the tags
    of Hunyuan 3."""
    COHERE = "cohere"
    """`<|START_ACTION|>[{"tool_name": …, "parameters": {…}}]<|END_ACTION|>`: Command A and R7B; also
    `Action:` and a code fence: Command R."""
    NEMOTRON = "nemotron"
    """`<TOOLCALL>[{"name": …, "arguments": {…}}]</TOOLCALL>`: Nemotron Nano 2 and Super 1.5."""
    INTERNLM = "internlm"
    """`<|action_start|><|plugin|>{"name": …, "parameters": {…}}<|action_end|>`: InternLM, Intern-S1."""
    LONGCAT = "longcat"
    """`<longcat_tool_call>{"name": …, "arguments": {…}}</longcat_tool_call>`: LongCat."""
    APERTUS = "apertus"
    """`<|tools_prefix|>[{NAME: {…}}]<|tools_suffix|>`: Apertus."""
    GIGACHAT = "gigachat"
    """`<|function_call|>{"name": …, "arguments": {…}}`: GigaChat 3."""
    SOLAR = "solar"
    """`<|tool_call:start|>NAME`, `<|tool_arg:start|>KEY<|tool_arg:value|>VALUE<|tool_arg:end|>`: Solar
    Open 2."""
    XLAM = "xlam"
    """`[{"name": …, "arguments": {…}}]` without marks, or in a code fence: xLAM."""


_BAR, _BLOCK = r"[\uff5c|]", r"[\u2581_ ]"
"""DeepSeek's substitutes for the vertical bar and the space in special tokens, or these themselves."""


def deepseek_token(name: str) -> str:
    """Returns the pattern of a special token of DeepSeek."""
    return f"<{_BAR}{name.replace(' ', _BLOCK)}{_BAR}>"


_TAG_PREFIX = rf"(?:[\w-]+:|{_BAR}DSML{_BAR})?"
_QUOTE = r"[\"']?"
_INVOKE = TaggedArguments(
    rf"<{_TAG_PREFIX}(?:function|invoke)(?:=|\s+name=){_QUOTE}(?P<name>[^\"'<>]*){_QUOTE}\s*>",
    rf"</{_TAG_PREFIX}(?:function|invoke)>",
    rf"<{_TAG_PREFIX}param(?:eter)?(?:=|\s+name=){_QUOTE}(?P<key>[^\"'<>]*){_QUOTE}"
    r"(?:\s+string=[\"'](?P<type>true|false)[\"'])?\s*>",
    rf"</{_TAG_PREFIX}param(?:eter)?>",
)
_KEYS_AND_VALUES = TaggedArguments(
    r"<tool_call(?::\w+)?>\s*(?P<name>[^<>{}\[\s][^<>{}\n]*?)\s*(?:<tool_sep(?::\w+)?>|(?=<|\{|\n|\Z))",
    r"</tool_call(?::\w+)?>",
    r"<arg_key(?::\w+)?>(?P<key>.*?)</arg_key(?::\w+)?>\s*<arg_value(?::\w+)?>",
    r"</arg_value(?::\w+)?>",
)
_TOOL_CALL = MarkedJson(rf"<tool_call>{JSON_AHEAD}", "</tool_call>")
_TOOL_CALLS = MarkedJson(rf"<tool_calls>{JSON_AHEAD}", "</tool_calls>")
_MISTRAL_NAME = r"\[TOOL_CALLS\]\s*(?P<name>[^\[{\s`]+)\s*(?:\[CALL_ID\][^\[{]*)?"
_CHANNEL = r"(?:commentary|analysis)"

GRAMMARS: dict[ToolFormat, tuple[CallGrammar, ...]] = {
    ToolFormat.HERMES: (MarkedJson("<tool_call>", "</tool_call>"),),
    ToolFormat.QWEN: (_INVOKE, MarkedJson(r"<tool_call>(?!\s*<)", "</tool_call>")),
    ToolFormat.LLAMA3: (
        NamedJson(r"<function=(?P<name>[^<>]*)>(?=\s*\{)", "</function>"),
        BareJson(),
    ),
    ToolFormat.MISTRAL: (
        MarkedJson(rf"\[TOOL_CALLS\]{JSON_AHEAD}"),
        NamedJson(rf"{_MISTRAL_NAME}\[ARGS\]", optional=True),
        NamedJson(_MISTRAL_NAME),
    ),
    ToolFormat.PYTHONIC: (PythonCalls(),),
    ToolFormat.DEEPSEEK: (
        NamedJson(
            rf"{deepseek_token('tool call begin')}\s*(?:function\s*{deepseek_token('tool sep')}\s*)?"
            rf"(?P<name>[^\s`{{<]+)\s*(?:{deepseek_token('tool sep')})?",
            deepseek_token("tool call end"),
        ),
        _INVOKE,
    ),
    ToolFormat.GLM: (_KEYS_AND_VALUES, _TOOL_CALL),
    ToolFormat.KIMI: (
        NamedJson(
            r"<\|tool_call_begin\|>\s*(?P<name>[^<\s]+?)(?::\d+)?\s*<\|tool_call_argument_begin\|>",
            r"<\|tool_call_end\|>|<\|tool_calls_section_end\|>",
        ),
        TaggedArguments(
            r"<\|open\|>call\s+tool=\"(?P<name>[^\"]*)\"[^<]*<\|sep\|>(?:<\|open\|>json[^<]*<\|sep\|>)?",
            r"(?:<\|close\|>json<\|sep\|>)?<\|close\|>call<\|sep\|>",
            r"<\|open\|>argument\s+key=\"(?P<key>[^\"]*)\"(?:\s+type=\"(?P<type>\w+)\")?[^<]*<\|sep\|>",
            r"<\|close\|>argument<\|sep\|>",
        ),
    ),
    ToolFormat.GRANITE: (
        MarkedJson(r"<\|tool_call\|>|<tool_call>|functools(?=\s*\[)", r"<\|/tool_call\|>|</tool_call>"),
    ),
    ToolFormat.HARMONY: (
        NamedJson(
            rf"(?:(?:<\|start\|>)?assistant\s*(?:<\|channel\|>)?\s*{_CHANNEL}?|(?:<\|channel\|>)?\s*{_CHANNEL}|\A)"
            rf"\s*to=(?P<name>[\w.:/-]+)\s*(?:<\|channel\|>\s*{_CHANNEL}\s*)?(?:<\|constrain\|>\s*)?(?:json|code)?"
            r"\s*(?:<\|message\|>|(?=\{))",
            r"<\|(?:call|end|return|start)\|>|assistant(?=final|analysis|commentary)",
            glued="json",
        ),
    ),
    ToolFormat.GEMMA: (BracedArguments(), PythonCalls(), BareJson()),
    ToolFormat.MINIMAX: (_TOOL_CALLS, _INVOKE, NestedTags()),
    ToolFormat.STEP: (_INVOKE,),
    ToolFormat.HUNYUAN: (_TOOL_CALLS, _KEYS_AND_VALUES),
    ToolFormat.COHERE: (
        MarkedJson(r"<\|START_ACTION\|>", r"<\|END_ACTION\|>"),
        MarkedJson(rf"^Action:{JSON_AHEAD}"),
    ),
    ToolFormat.NEMOTRON: (MarkedJson("<TOOLCALL>", "</TOOLCALL>"),),
    ToolFormat.INTERNLM: (MarkedJson(r"<\|action_start\|>\s*<\|plugin\|>", r"<\|action_end\|>"),),
    ToolFormat.LONGCAT: (MarkedJson("<longcat_tool_call>", "</longcat_tool_call>"),),
    ToolFormat.APERTUS: (MarkedJson(r"<\|tools_prefix\|>", r"<\|tools_suffix\|>"),),
    ToolFormat.GIGACHAT: (
        MarkedJson(r"<\|function_call\|>|function call<\|role_sep\|>", r"<\|message_sep\|>"),
    ),
    ToolFormat.SOLAR: (
        TaggedArguments(
            r"<\|tool_call:start\|>(?P<name>[^\n<]*)",
            r"<\|tool_call:end\|>",
            r"<\|tool_arg:start\|>(?P<key>.*?)<\|tool_arg:value\|>",
            r"<\|tool_arg:end\|>",
        ),
    ),
    ToolFormat.XLAM: (BareJson(), _TOOL_CALL, MarkedJson(rf"\[TOOL_CALLS\]{JSON_AHEAD}")),
}
"""The grammars of each format. Where two match at the same place, the first one reads."""
