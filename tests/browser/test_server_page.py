"""A server's page in Chromium: an episode is watched while an agent plays it."""

import json
import urllib.request
from typing import Any

import pytest

pytestmark = pytest.mark.browser


def test_an_episode_is_watched_call_by_call(
    page: Any, server: dict[str, Any], picture: Any, violations: Any
) -> None:
    opened = _post(server, {"environment": "night_courier"})
    page.goto(f"{server['url']}/view#token={server['token']}")
    page.keyboard.press("j")
    page.get_by_role("link", name="episodes of this server").click()
    page.get_by_role("link", name="night_courier").first.click()
    page.get_by_text("The episode is being played").wait_for()
    for _ in range(2):
        _call(opened["mcp_url"], "no_such_tool", {})
    page.locator("#step-3").wait_for(timeout=10_000)
    assert "refused: invalid call" in page.locator("#step-3").text_content()
    assert "Step 3" in page.locator("#announcer").text_content()
    assert violations(page) == []
    picture(page, "viewer-server")
    request = urllib.request.Request(
        f"{server['url']}/episodes/{opened['id']}", method="DELETE", headers=_authorization(server)
    )
    urllib.request.urlopen(request, timeout=30).close()
    page.get_by_text("no answer submitted").first.wait_for(timeout=10_000)


def _authorization(server: dict[str, Any]) -> dict[str, str]:
    return {"authorization": f"Bearer {server['token']}", "content-type": "application/json"}


def _post(server: dict[str, Any], body: dict[str, Any]) -> Any:
    request = urllib.request.Request(
        f"{server['url']}/episodes", json.dumps(body).encode(), headers=_authorization(server)
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.loads(response.read())


def _call(url: str, name: str, arguments: dict[str, Any]) -> None:
    """Calls a tool over MCP, as a client of the stateless version does."""
    message = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": name, "arguments": arguments},
    }
    headers = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
    request = urllib.request.Request(url, json.dumps(message).encode(), headers=headers)
    urllib.request.urlopen(request, timeout=30).close()
