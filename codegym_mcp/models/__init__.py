"""Language models by name: one request, its retries, its limits, its cost.

The layer beneath is pydantic-ai's, for the providers' sake; nothing of it shows through. It is optional:
without it, opening a model fails with the command that installs it.
"""

from codegym_mcp.models.conversation import Call, Conversation, Failure, Reply, Usage
from codegym_mcp.models.model import Model
from codegym_mcp.models.options import ModelOptions
from codegym_mcp.models.retries import Retries

__all__ = ["Call", "Conversation", "Failure", "Model", "ModelOptions", "Reply", "Retries", "Usage"]
