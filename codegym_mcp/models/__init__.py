"""Language models by name: requests, their repetition, limits and cost.

Servers that speak the Chat Completions API are used directly; other providers through pydantic-ai, which the
extra `models` installs. Without it, opening such a model fails with the command that installs it.
"""

from codegym_mcp.models.model import Model
from codegym_mcp.models.model_messages import (
    FailedRequest,
    FinishReason,
    ModelConversation,
    ModelReply,
    ModelToolCall,
    RequestRetried,
    TokenUsage,
)
from codegym_mcp.models.model_request_options import ModelOptions
from codegym_mcp.models.retries import Retries
from codegym_mcp.models.text_calls.tool_formats import ToolFormat

__all__ = [
    "FailedRequest",
    "FinishReason",
    "Model",
    "ModelConversation",
    "ModelOptions",
    "ModelReply",
    "ModelToolCall",
    "RequestRetried",
    "Retries",
    "TokenUsage",
    "ToolFormat",
]
