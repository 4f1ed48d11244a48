"""Translates options to pydantic-ai's settings, and refuses those that a model would silently ignore."""

from typing import TYPE_CHECKING, Any

from codegym_mcp.errors import ModelAccessError
from codegym_mcp.models.model_request_options import ModelOptions

if TYPE_CHECKING:
    from pydantic_ai.models import Model

_SAMPLING = ("temperature", "top_p", "max_tokens", "seed")


def make_settings(options: ModelOptions, model: "Model") -> dict[str, Any]:
    """Builds the settings of every request.

    Messages are sent without additions of pydantic-ai, and requests are not repeated by it.

    Raises:
        ModelAccessError: the model does not have one of the options.
    """
    settings: dict[str, Any] = {
        name: value for name in _SAMPLING if (value := getattr(options, name)) is not None
    }
    extra = dict(options.extra_body)
    if options.token_ids:
        extra["return_token_ids"] = True
    if extra:
        settings["extra_body"] = extra
    for name in settings:
        if name in model.unsupported_settings:
            raise refuse_option(options, name)
    if options.tool_choice != "auto":
        settings["tool_choice"] = options.tool_choice
    settings |= _reasoning_settings(options, model) | _token_settings(options, model)
    settings |= {"timeout": options.request_seconds, "framing_announcement": "never"}
    return settings | _retry_settings(model)


def refuse_option(options: ModelOptions, name: str) -> ModelAccessError:
    """Builds the error for an option that the model does not have."""
    return ModelAccessError(
        f"The model {options.name} does not have the option {name.replace('_', ' ')}.",
        hint="Leave the option out.",
    )


def _reasoning_settings(options: ModelOptions, model: "Model") -> dict[str, Any]:
    if options.reasoning_effort is None:
        return {}
    if model.system == "openai-compatible":
        # Nothing is known of such a model; its server refuses what it does not have.
        return {"openai_reasoning_effort": options.reasoning_effort}
    if not (model.profile.get("supports_thinking") or model.profile.get("thinking_always_enabled")):
        raise refuse_option(options, "reasoning_effort")
    return {"thinking": options.reasoning_effort}


def _token_settings(options: ModelOptions, model: "Model") -> dict[str, Any]:
    """Builds the settings that only models behind OpenAI's two APIs have."""
    kinds = {kind.__name__ for kind in type(model).__mro__}
    settings: dict[str, Any] = {}
    if options.logprobs:
        if not kinds & {"OpenAIChatModel", "OpenAIResponsesModel"}:
            raise refuse_option(options, "logprobs")
        settings["openai_logprobs"] = True
    if options.token_ids and "OpenAIChatModel" not in kinds:
        raise refuse_option(options, "token_ids")
    return settings


def _retry_settings(model: "Model") -> dict[str, Any]:
    client: Any = getattr(model, "client", None)
    if isinstance(getattr(client, "max_retries", None), int):
        # Set once for all requests: the setting would make a copy of the client for each.
        client.max_retries = 0
        return {}
    return {} if "max_retries" in model.unsupported_settings else {"max_retries": 0}
