"""The options that select a model and control its requests."""

from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from codegym_mcp.models.text_calls.tool_formats import ToolFormat

ReasoningEffort = Literal["minimal", "low", "medium", "high", "xhigh", "max"]
MaxTokensField = Literal["max_tokens", "max_completion_tokens"]


class ModelOptions(BaseModel):
    """The options that select a model and control its requests. Keys are not among them: they are read from
    environment variables."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """Provider and model: `openai:gpt-6-luna`, `anthropic:claude-sonnet-5-5`, `google:gemini-3.8-flash`."""
    base_url: str | None = None
    """Address of the server, if it is not the provider's own: vLLM, SGLang, llama.cpp, Ollama, a gateway."""
    api_key_variable: str | None = None
    """Environment variable that contains the key. Without it, the provider's own variable is used, but never
    for a `base_url`, so that a provider's key is not sent to another server."""
    temperature: float | None = Field(default=None, ge=0)
    top_p: float | None = Field(default=None, gt=0, le=1)
    max_tokens: int | None = Field(default=None, ge=1)
    """Maximum number of tokens in one reply."""
    max_tokens_field: MaxTokensField | None = None
    """The member of the request that contains `max_tokens`. By default the one that the server accepts."""
    seed: int | None = None
    """Seed for sampling in the first epoch; each further epoch adds 1."""
    reasoning_effort: ReasoningEffort | None = None
    tool_choice: Literal["auto", "required"] = "auto"
    tool_format: ToolFormat | None = None
    """The form in which the model writes calls as text, for a server that does not parse them."""
    logprobs: bool = False
    """Whether to request the log-probability of each token."""
    token_ids: bool = False
    """Whether to request the token ids of prompt and reply, as vLLM returns them."""
    extra_body: dict[str, Any] = {}
    """Further members of each request, for options of a particular server."""
    request_seconds: float = Field(default=600.0, gt=0)
    """Longest duration of one request in seconds."""
    attempts: int = Field(default=8, ge=1)
    """How often a request is made at most if the provider fails."""
    concurrency: int | None = Field(default=None, ge=1)
    """Maximum number of requests at the same time."""
    max_total_tokens: int | None = Field(default=None, ge=1)
    """Maximum number of tokens of all requests together, prompts and replies. Requests under way when it is
    reached are completed and counted, so that the total can be slightly higher."""
    max_cost: float | None = Field(default=None, gt=0)
    """Maximum cost of all requests together in US dollars, with the same exception."""

    @field_validator("base_url")
    @classmethod
    def _is_plain_address(cls, url: str | None) -> str | None:
        if url is None:
            return None
        url = url.strip().rstrip("/").removesuffix("/chat/completions")
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("an address is needed, like http://127.0.0.1:8000/v1")
        if parts.username or parts.password:
            raise ValueError("an address must not hold a password; name the key's variable instead")
        if parts.query or parts.fragment:
            raise ValueError("an address has no query and no fragment; it ends before /chat/completions")
        if parts.port == 0:  # A port that is no number from 0 to 65535 is an error of its own.
            raise ValueError("no server has port 0")
        return url
