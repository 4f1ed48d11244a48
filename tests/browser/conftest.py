"""A browser, the viewer of a folder of runs, and a server, each as a user starts it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from .shown_runs import make_difficult_run, make_real_runs


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """Playwright is installed only where these tests are asked for."""
    return None if config.option.markexpr == "browser" else True


CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
DOCUMENTATION = os.environ.get("PICTURES")
"""The folder of the documentation's pictures; without it, all pictures are stored in build/browser."""
PICTURES = Path(DOCUMENTATION or Path(__file__).parents[2] / "build" / "browser")
DOCUMENTED = {"viewer-episodes-1600-light", "viewer-beside", "viewer-server", "viewer-difficult-400-dark"}


@contextmanager
def started(*arguments: str, cwd: Path, said: str = "stdout") -> Iterator[dict[str, Any]]:
    """Starts a command of the project; yields the line of JSON that it announces itself with."""
    environ = {**os.environ, "CODEGYM_MCP_CACHE": str(cwd / "cache")}
    command = [sys.executable, "-m", "codegym_mcp", *arguments]
    streams: dict[str, Any] = {said: subprocess.PIPE}
    with subprocess.Popen(command, cwd=cwd, env=environ, text=True, **streams) as process:
        stream: IO[str] = getattr(process, said)
        try:
            yield json.loads(stream.readline())
        finally:
            process.terminate()
            process.wait(30)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs: of the oracle and baselines, and a difficult one."""
    folder = tmp_path_factory.mktemp("viewed")
    make_real_runs(folder / "runs")
    make_difficult_run(folder / "runs" / "difficult")
    return folder


@pytest.fixture(scope="session")
def viewer(folder: Path) -> Iterator[str]:
    """The address of a viewer of these runs, with its token."""
    with started("view", "--json", cwd=folder) as announced:
        yield announced["url"]


@pytest.fixture(scope="session")
def server(folder: Path) -> Iterator[dict[str, Any]]:
    """The addresses and the token of a server."""
    with started("serve", "--http", "127.0.0.1:0", "--json", cwd=folder, said="stderr") as announced:
        yield announced


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield opened
        opened.close()


@pytest.fixture
def context(browser: Any) -> Iterator[Any]:
    """A window; the test fails if a page writes an error to the console or requests anything from elsewhere."""
    window = browser.new_context(viewport={"width": 1600, "height": 1000})
    problems: list[str] = []

    def watch(page: Any) -> None:
        page.on("pageerror", lambda error: problems.append(f"exception: {error}"))
        page.on(
            "console",
            lambda message: problems.append(message.text) if message.type in ("error", "warning") else None,
        )
        page.on(
            "request",
            lambda request: (
                None if request.url.startswith("http://127.0.0.1:") else problems.append(request.url)
            ),
        )
        page.on("dialog", lambda dialog: problems.append(f"dialog: {dialog.message}"))

    window.on("page", watch)
    window.expected_problems = []  # type: ignore[attr-defined]
    yield window
    window.close()
    assert [each for each in problems if not any(part in each for part in window.expected_problems)] == []


@pytest.fixture
def page(context: Any) -> Any:
    return context.new_page()


@pytest.fixture
def picture() -> Any:
    """Stores a screenshot of a page."""

    def store(page: Any, name: str) -> None:
        if DOCUMENTATION and name not in DOCUMENTED:
            return
        PICTURES.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=PICTURES / f"{name}.png")

    return store


@pytest.fixture
def violations() -> Any:
    """Checks a page with axe: names of controls, contrast, landmarks, roles."""

    def check(page: Any) -> list[str]:
        page.evaluate(AXE.read_text())
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']}).then((r) => r.violations)")
        return [f"{each['id']}: {each['nodes'][0]['html'][:200]} ({len(each['nodes'])})" for each in found]

    return check
