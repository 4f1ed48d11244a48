"""Models behind test servers, and a clock that tests control."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from codegym_mcp.models import Model, ModelOptions, Retries
from tests.conftest import ModelServer


@dataclass
class Clock:
    """A clock that advances at once by each wait.

    Attributes:
        waits: the waits so far, in seconds.
        time: the current time in seconds.
    """

    waits: list[float] = field(default_factory=list)
    time: float = 1000.0

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.time += seconds

    def retries(self, **settings: float) -> Retries:
        """Returns retries that use this clock; their waits are not random unless `base_seconds` is given."""
        return Retries(**{"base_seconds": 0.0, **settings}, sleep=self.sleep, now=lambda: self.time)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def unused_port() -> int:
    """A port without a listener."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class Endpoint:
    """A provider whose API a test server speaks."""

    def __init__(self, provider: str, server: ModelServer, path: str) -> None:
        self.provider = provider
        self.server = server
        self.url = server.url + path

    @asynccontextmanager
    async def model(
        self, *actions: dict[str, Any], retries: Retries | None = None, **options: Any
    ) -> AsyncIterator[Model]:
        """Opens a model whose server executes the actions, one for each request."""
        name = self.server.script(*actions)
        async with Model.open(
            ModelOptions(name=f"{self.provider}:{name}", base_url=self.url, **options), retries=retries
        ) as model:
            yield model

    def bodies(self, model: Model) -> list[dict[str, Any]]:
        """Returns the bodies of the requests that the server received for a model."""
        return self.server.bodies(model.options.name.partition(":")[2])


@pytest.fixture
def openai(openai_server: ModelServer) -> Endpoint:
    return Endpoint("openai", openai_server, "/v1")


@pytest.fixture
def anthropic(anthropic_server: ModelServer) -> Endpoint:
    return Endpoint("anthropic", anthropic_server, "")


@pytest.fixture(params=["openai", "anthropic"])
def endpoint(request: pytest.FixtureRequest) -> Endpoint:
    """Both APIs: the provider makes no difference."""
    found: Endpoint = request.getfixturevalue(request.param)
    return found
