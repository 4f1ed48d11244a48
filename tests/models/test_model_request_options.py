"""Options of models are validated."""

import pytest
from pydantic import ValidationError

from codegym_mcp.models import ModelOptions


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://here/v1", "https://", "not a url"])
def test_an_invalid_address_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="an address is needed"):
        ModelOptions(name="openai:x", base_url=url)


def test_an_address_with_a_password_is_refused() -> None:
    with pytest.raises(ValidationError, match="must not hold a password"):
        ModelOptions(name="openai:x", base_url="https://me:sesame@here/v1")


def test_unknown_options_are_refused() -> None:
    with pytest.raises(ValidationError):
        ModelOptions(name="openai:x", temprature=1)  # type: ignore[call-arg]
