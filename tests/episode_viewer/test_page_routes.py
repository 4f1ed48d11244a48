"""The files of the page: what they may load, and that they load nothing from elsewhere."""

import re
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from codegym_mcp.episode_viewer import page_routes
from codegym_mcp.episode_viewer.page_routes import view_routes
from codegym_mcp.server.open_episodes_view import ServerViewSource

ASSETS = Path(page_routes.__file__).parent / "assets"
NAMES = sorted(file.name for file in ASSETS.iterdir())


@pytest.fixture
def client() -> TestClient:
    source = ServerViewSource.__new__(ServerViewSource)  # It is asked for nothing.
    return TestClient(Starlette(routes=view_routes(source, is_authorized=lambda _: False)))


def test_the_page_may_run_and_load_only_its_own_files(client: TestClient) -> None:
    response = client.get("/view")
    policy = dict(
        part.strip().split(" ", 1) for part in response.headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"


def test_every_file_is_served_with_its_type(client: TestClient) -> None:
    types = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}
    for name in NAMES:
        response = client.get(f"/view/assets/{name}")
        assert response.status_code == 200
        assert response.headers["content-type"].startswith(types[Path(name).suffix])
        assert response.content == (ASSETS / name).read_bytes()


@pytest.mark.parametrize(
    "name", ["..%2fpage_routes.py", "%2e%2e/page_routes.py", "nothing.js", "__init__.py"]
)
def test_nothing_but_the_files_of_the_page_is_served(client: TestClient, name: str) -> None:
    assert client.get(f"/view/assets/{name}").status_code == 404


def test_an_address_with_a_slash_at_its_end_leads_to_the_page(client: TestClient) -> None:
    app = client.app

    async def without_slash(scope, receive, send):  # type: ignore[no-untyped-def]
        # As the server's check of requests does it.
        scope["path"] = scope["path"].rstrip("/")
        await app(scope, receive, send)

    response = TestClient(without_slash).get("/gym/view/".removeprefix("/gym"), follow_redirects=False)
    assert (response.status_code, response.headers["location"]) == (308, "../view")


@pytest.mark.parametrize("name", [name for name in NAMES if not name.endswith(".svg")])
def test_the_files_name_nothing_from_elsewhere_and_make_no_markup_of_texts(name: str) -> None:
    content = (ASSETS / name).read_text()
    assert not re.search(r"https?://|//cdn|@import|url\(", content)
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|new Function|\sstyle=", content
    )
