"""What a reply costs, by the price list that comes with pydantic-ai."""

from contextlib import suppress
from functools import cache

from genai_prices import Usage, calc_price
from pydantic_ai.messages import ModelResponse
from pydantic_ai.models import Model


def price(response: ModelResponse) -> float | None:
    """What a response cost, in US dollars; None where the list does not have the model."""
    if not _is_listed(response.model_name or "", response.provider_name, response.provider_url):
        return None
    try:
        return float(response.cost().total_price)
    except (LookupError, ValueError):
        return None


def has_price(model: Model) -> bool:
    """Whether the list has the model."""
    provider = model.provider
    return _is_listed(model.model_name, model.system, provider.base_url if provider is not None else None)


@cache
def _is_listed(model: str, provider: str | None, url: str | None) -> bool:
    """Looking for a model that is not on the list takes milliseconds, so it is done once."""
    with suppress(LookupError, ValueError):
        calc_price(Usage(), model, provider_api_url=url)
        return True
    with suppress(LookupError, ValueError):
        calc_price(Usage(), model, provider_id=provider)
        return True
    return False
