"""Language models by name: one request, its retries, its limits, its cost.

The layer beneath is pydantic-ai's, for the providers' sake; nothing of it shows through. It is optional:
without it, opening a model fails with the command that installs it.
"""

from codegym_mcp.models.model import Model
from codegym_mcp.models.model_messages import (
    FailedRequest,
    ModelConversation,
    ModelReply,
    ModelToolCall,
    TokenUsage,
)
from codegym_mcp.models.model_options import ModelOptions
from codegym_mcp.models.retries import Retries

__all__ = [
    "FailedRequest",
    "Model",
    "ModelConversation",
    "ModelOptions",
    "ModelReply",
    "ModelToolCall",
    "Retries",
    "TokenUsage",
]
