"""Whether a model can be asked at all."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import anyio

from codegym_mcp.errors import ModelAccessError
from codegym_mcp.models.model_options import ModelOptions
from codegym_mcp.models.providers import hide

if TYPE_CHECKING:
    from pydantic_ai.models import Model

_SECONDS = 20.0
_NOT_FOUND = frozenset({"model_not_found", "not_found_error"})


async def check_model(model: "Model", options: ModelOptions, secrets: Collection[str]) -> None:
    """Asks the provider whether it knows the model, where asking is free.

    An answer that proves nothing is passed over: the first request will tell.

    Raises:
        ModelAccessError: the provider cannot be reached, refuses the key, or knows no such model.
    """
    # The clients of OpenAI and Anthropic, and of those that took after them.
    retrieve = getattr(getattr(getattr(model, "client", None), "models", None), "retrieve", None)
    if retrieve is None:
        return
    try:
        with anyio.fail_after(_SECONDS):
            await retrieve(model.model_name)
    except TimeoutError:
        return
    except Exception as error:
        found = _judge(error, options, hide(secrets, str(error)))
        if found is not None:
            raise found from None


def no_access(name: str, text: str) -> ModelAccessError:
    """The error for a provider that turns us away."""
    return ModelAccessError(
        f"The provider does not let {name} be used: {text}",
        hint="Check the key, what it may use, and the account.",
    )


def unknown_model(name: str, text: str) -> ModelAccessError:
    """The error for a model that does not exist."""
    return ModelAccessError(
        f"The provider does not know {name}: {text}",
        hint="Check the model's name, and the address if one was given.",
    )


def _judge(error: Exception, options: ModelOptions, text: str) -> ModelAccessError | None:
    status = getattr(error, "status_code", None)
    # A key may be good for models and not for asking about them.
    if status == 401 and "scope" not in text:
        return no_access(options.name, text)
    if status == 404 and _code(getattr(error, "body", None)) & _NOT_FOUND:
        return unknown_model(options.name, text)
    if status is None and type(error).__name__ == "APIConnectionError":
        return ModelAccessError(
            f"The server of {options.name} cannot be reached at {options.base_url or 'its address'}.",
            hint="Is it running, and is the address right?",
        )
    return None


def _code(body: Any) -> set[str]:
    """The codes in the body of an error answer."""
    if not isinstance(body, dict):
        return set()
    codes = {code for name in ("code", "type") if isinstance(code := body.get(name), str)}
    return codes | _code(body.get("error"))
