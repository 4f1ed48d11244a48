"""What a reply costs, by the price list of the package genai-prices, which the extra `models` installs."""

from functools import cache
from typing import Any

from codegym_mcp.models.model_messages import TokenUsage


def price(usage: TokenUsage, model: str, provider: str, url: str | None) -> float | None:
    """Returns the cost of a reply in US dollars, or None if the price or the usage is unknown."""
    if usage.prompt_tokens is None or usage.completion_tokens is None:
        return None
    reference = _find_price(model, provider, url)
    if not reference:
        return None
    from genai_prices import Usage, calc_price

    counted = Usage(
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        cache_read_tokens=usage.cached_tokens or 0,
    )
    try:
        return float(calc_price(counted, model, **reference).total_price)
    except (LookupError, ValueError):
        return None


def has_price(model: str, provider: str, url: str | None) -> bool:
    """Checks whether the price list contains the model."""
    return bool(_find_price(model, provider, url))


@cache
def _find_price(model: str, provider: str, url: str | None) -> dict[str, Any]:
    """Returns the arguments that find a model in the price list, or an empty mapping.

    The result is kept: the search takes milliseconds for a model that is not in the list.
    """
    try:
        from genai_prices import Usage, calc_price
    except ImportError:
        return {}
    references: list[dict[str, Any]] = [{"provider_api_url": url}, {"provider_id": provider}]
    for reference in references:
        if not all(reference.values()):
            continue
        try:
            calc_price(Usage(), model, **reference)
        except (LookupError, ValueError):
            continue
        return reference
    return {}
