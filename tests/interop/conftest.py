"""What the tests of other projects' clients share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.bundled import BUNDLED
from tests.interop.serving import CONFORMANCE, COUNTER, RunningServer, StdioEpisode, running_server


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """The clients are installed only where these tests are asked for, so that no others may read them."""
    return None if config.option.markexpr == "interop" else True


@pytest.fixture(scope="session")
def server() -> Iterator[RunningServer]:
    """A server of the bundled environments and of those of the tests."""
    with running_server(BUNDLED, COUNTER, CONFORMANCE) as running:
        yield running


@pytest.fixture
def stdio_episode(tmp_path: Path) -> StdioEpisode:
    """An episode for a client that starts the server itself."""
    return StdioEpisode(tmp_path / "data")
