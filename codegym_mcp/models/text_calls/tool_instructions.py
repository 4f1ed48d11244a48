"""Tells a model in its system prompt which tools it has and how to write a call.

For servers that refuse tools, and for trainers that do not pass tools to the chat template.
`codegym_mcp.models.text_calls.call_parsing` parses the calls.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from codegym_mcp.episode_protocol import ToolView
from codegym_mcp.models.text_calls.tool_formats import ToolFormat

CALL_EXAMPLES: Mapping[ToolFormat, str] = {
    ToolFormat.HERMES: '<tool_call>\n{"name": "NAME", "arguments": {"PARAMETER": 1}}\n</tool_call>',
    ToolFormat.QWEN: (
        "<tool_call>\n<function=NAME>\n<parameter=PARAMETER>\n1\n</parameter>\n</function>\n</tool_call>"
    ),
    ToolFormat.LLAMA3: '{"name": "NAME", "parameters": {"PARAMETER": 1}}',
    ToolFormat.MISTRAL: '[TOOL_CALLS][{"name": "NAME", "arguments": {"PARAMETER": 1}}]',
    ToolFormat.PYTHONIC: "[NAME(PARAMETER=1)]",
    ToolFormat.DEEPSEEK: (
        "<\uff5ctool\u2581call\u2581begin\uff5c>NAME<\uff5ctool\u2581sep\uff5c>"
        '{"PARAMETER": 1}<\uff5ctool\u2581call\u2581end\uff5c>'
    ),
    ToolFormat.GLM: ("<tool_call>NAME\n<arg_key>PARAMETER</arg_key>\n<arg_value>1</arg_value>\n</tool_call>"),
    ToolFormat.KIMI: (
        '<|tool_call_begin|>functions.NAME:0<|tool_call_argument_begin|>{"PARAMETER": 1}<|tool_call_end|>'
    ),
    ToolFormat.GRANITE: '<|tool_call|>[{"name": "NAME", "arguments": {"PARAMETER": 1}}]',
    ToolFormat.HARMONY: (
        '<|channel|>commentary to=functions.NAME <|constrain|>json<|message|>{"PARAMETER": 1}<|call|>'
    ),
    ToolFormat.GEMMA: "<start_function_call>call:NAME{PARAMETER:1}<end_function_call>",
    ToolFormat.MINIMAX: (
        '<minimax:tool_call>\n<invoke name="NAME">\n<parameter name="PARAMETER">1</parameter>\n</invoke>\n'
        "</minimax:tool_call>"
    ),
    ToolFormat.STEP: (
        '<steptml:invoke name="NAME"><steptml:parameter name="PARAMETER">1</steptml:parameter>'
        "</steptml:invoke>"
    ),
    ToolFormat.HUNYUAN: '<tool_calls>[{"name": "NAME", "arguments": {"PARAMETER": 1}}]</tool_calls>',
    ToolFormat.COHERE: (
        '<|START_ACTION|>[{"tool_call_id": "0", "tool_name": "NAME", "parameters": {"PARAMETER": 1}}]'
        "<|END_ACTION|>"
    ),
    ToolFormat.NEMOTRON: '<TOOLCALL>[{"name": "NAME", "arguments": {"PARAMETER": 1}}]</TOOLCALL>',
    ToolFormat.INTERNLM: (
        '<|action_start|><|plugin|>{"name": "NAME", "parameters": {"PARAMETER": 1}}<|action_end|>'
    ),
    ToolFormat.LONGCAT: (
        '<longcat_tool_call>\n{"name": "NAME", "arguments": {"PARAMETER": 1}}\n</longcat_tool_call>'
    ),
    ToolFormat.APERTUS: '<|tools_prefix|>[{"NAME": {"PARAMETER": 1}}]<|tools_suffix|>',
    ToolFormat.GIGACHAT: '<|function_call|>{"name": "NAME", "arguments": {"PARAMETER": 1}}',
    ToolFormat.SOLAR: (
        "<|tool_call:start|>NAME\n<|tool_arg:start|>PARAMETER<|tool_arg:value|>1<|tool_arg:end|>\n"
        "<|tool_call:end|>"
    ),
    ToolFormat.XLAM: '[{"name": "NAME", "arguments": {"PARAMETER": 1}}]',
}
"""A call of the tool NAME with the argument 1 for PARAMETER, in each format."""


def tool_call_instructions(tools: Sequence[ToolView], form: ToolFormat) -> str:
    """Returns the tools as JSON, one a line, and an example of a call."""
    return describe_tools(
        [
            {"name": tool.name, "description": tool.description, "parameters": tool.input_schema}
            for tool in tools
        ],
        form,
    )


def describe_tools(definitions: Sequence[Mapping[str, Any]], form: ToolFormat) -> str:
    """Returns the definitions of tools as JSON, one a line, and an example of a call.

    Args:
        definitions: the tools' names, descriptions and parameters.
    """
    listed = "\n".join(json.dumps(definition, ensure_ascii=False) for definition in definitions)
    return f"Tools:\n{listed}\n\nTo call a tool, write its name and its arguments so:\n{CALL_EXAMPLES[form]}"
