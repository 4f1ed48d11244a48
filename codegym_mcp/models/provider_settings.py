"""Options as the settings of pydantic-ai; what a model would pass over in silence is refused."""

from typing import TYPE_CHECKING, Any

from codegym_mcp.errors import ModelAccessError
from codegym_mcp.models.model_options import ModelOptions

if TYPE_CHECKING:
    from pydantic_ai.models import Model

_SAMPLING = ("temperature", "top_p", "max_tokens", "seed")


def make_settings(options: ModelOptions, model: "Model") -> dict[str, Any]:
    """The settings of every request.

    The messages are sent as they are, without anything of pydantic-ai's own, and only once: trying again is
    done here.

    Raises:
        ModelAccessError: the model does not take an option.
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
            raise _not_taken(options, name)
    if options.tool_choice != "auto":
        settings["tool_choice"] = options.tool_choice
    settings |= _reasoning(options, model) | _tokens(options, model)
    settings |= {"timeout": options.request_seconds, "framing_announcement": "never"}
    return settings | _without_retries(model)


def _reasoning(options: ModelOptions, model: "Model") -> dict[str, Any]:
    if options.reasoning_effort is None:
        return {}
    if model.system == "openai-compatible":
        # Nothing is known of such a model: what it cannot do, its server says.
        return {"openai_reasoning_effort": options.reasoning_effort}
    if not (model.profile.get("supports_thinking") or model.profile.get("thinking_always_enabled")):
        raise _not_taken(options, "reasoning_effort")
    return {"thinking": options.reasoning_effort}


def _tokens(options: ModelOptions, model: "Model") -> dict[str, Any]:
    """Settings that only the models behind OpenAI's two APIs have."""
    kinds = {kind.__name__ for kind in type(model).__mro__}
    settings: dict[str, Any] = {}
    if options.logprobs:
        if not kinds & {"OpenAIChatModel", "OpenAIResponsesModel"}:
            raise _not_taken(options, "logprobs")
        settings["openai_logprobs"] = True
    if options.token_ids:
        if "OpenAIChatModel" not in kinds:
            raise _not_taken(options, "token_ids")
        settings["openai_include_unmapped_response_data"] = True
    return settings


def _without_retries(model: "Model") -> dict[str, Any]:
    client: Any = getattr(model, "client", None)
    if isinstance(getattr(client, "max_retries", None), int):
        # Once for all requests: the setting would make a copy of the client for each.
        client.max_retries = 0
        return {}
    return {} if "max_retries" in model.unsupported_settings else {"max_retries": 0}


def _not_taken(options: ModelOptions, name: str) -> ModelAccessError:
    return ModelAccessError(f"{options.name} takes no {name.replace('_', ' ')}.", hint="Leave it out.")
