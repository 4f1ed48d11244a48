"""Which model is asked, and how."""

from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

ReasoningEffort = Literal["minimal", "low", "medium", "high", "xhigh", "max"]


class ModelOptions(BaseModel):
    """Which model is asked, and how. No secret is among them: keys stay in the environment's variables."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """Provider and model: `openai:gpt-6-luna`, `anthropic:claude-sonnet-5-5`, `google:gemini-3.8-flash`."""
    base_url: str | None = None
    """Where the server is, if not at the provider's address: vLLM, SGLang, llama.cpp, Ollama, a gateway."""
    api_key_variable: str | None = None
    """The environment variable that holds the key. Without one it is the provider's own, and with a
    `base_url` none at all, so that a provider's key never goes to another server."""
    temperature: float | None = Field(default=None, ge=0)
    top_p: float | None = Field(default=None, gt=0, le=1)
    max_tokens: int | None = Field(default=None, ge=1)
    """Tokens that one reply may have."""
    seed: int | None = None
    """Of the first epoch; each further epoch takes the next."""
    reasoning_effort: ReasoningEffort | None = None
    tool_choice: Literal["auto", "required"] = "auto"
    logprobs: bool = False
    """Ask for the log-probability of each token."""
    token_ids: bool = False
    """Ask for the ids of the tokens, of prompt and reply, as vLLM gives them."""
    extra_body: dict[str, Any] = {}
    """Further members of the request, for what only one server knows."""
    request_seconds: float = Field(default=600.0, gt=0)
    """How long the provider may take for one answer."""
    attempts: int = Field(default=8, ge=1)
    """How often a request is made at most, where the provider fails."""
    concurrency: int | None = Field(default=None, ge=1)
    """Requests at once."""
    max_total_tokens: int | None = Field(default=None, ge=1)
    """Tokens that all requests together may use, prompts and replies. What is under way when they are used up
    is still counted, so that the end is a little beyond."""
    max_cost: float | None = Field(default=None, gt=0)
    """The same in US dollars."""

    @field_validator("base_url")
    @classmethod
    def _is_a_plain_address(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("an address is needed, like http://127.0.0.1:8000/v1")
        if parts.username or parts.password:
            raise ValueError("an address must not hold a password; name the key's variable instead")
        return url
