"""A pretrained model that writes ChatML, such as SmolLM2, with a chat template that renders tools.

SmolLM2's own template renders every call as an empty turn. TRL's template for Qwen 2.5 has the same turns,
renders calls and the schemas of tools, and marks what is learned.
"""

from pathlib import Path
from typing import Any

from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from trl.chat_template_utils import qwen2_5_training_chat_template

TOOL_FORMAT = "hermes"
"""The form in which the model writes calls, as `codegym-mcp eval --tool-format` names it."""
_ARGUMENTS = "tool_call.arguments | tojson"
_CHAT_TEMPLATE = qwen2_5_training_chat_template.replace(
    _ARGUMENTS, f"tool_call.arguments if tool_call.arguments is string else ({_ARGUMENTS})"
)
"""Arguments that are text are rendered as they are: what the model wrote returns to it unchanged."""

# How transformers reads the calls of a turn: https://huggingface.co/docs/transformers/chat_response_parsing
_RESPONSE_TEMPLATE: dict[str, Any] = {
    "defaults": {"role": "assistant"},
    "start_anchor": "<|im_start|>assistant\n",
    "fields": {
        "tool_calls": {
            "open": "<tool_call>",
            "close_pattern": r"</tool_call>\s*",
            "repeats": True,
            "content": "json",
            "transform": {"type": "function", "function": "{content}"},
        },
        "content": {"close_pattern": r"<\|im_end\|>\s*", "content": "text"},
    },
}


def load_pretrained(name: str) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Loads a model and its tokenizer, which receives the chat template.

    Args:
        name: a folder, a GGUF file (it needs the package `gguf`), or a name on the Hub.

    Raises:
        OSError: there is no such model.
    """
    path, options = Path(name), {}
    if path.suffix == ".gguf":
        name, options = str(path.parent), {"gguf_file": path.name}
    tokenizer = AutoTokenizer.from_pretrained(name, **options)
    tokenizer.chat_template = _CHAT_TEMPLATE
    tokenizer.response_template = _RESPONSE_TEMPLATE
    model = AutoModelForCausalLM.from_pretrained(name, **options)
    if options:
        # The weights are no longer quantized. With these marks transformers would not save them.
        model.hf_quantizer = None
        del model.config.quantization_config
    return model, tokenizer
