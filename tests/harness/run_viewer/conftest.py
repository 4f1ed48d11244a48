"""A viewer of runs made by hand, without a socket."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from codegym_harness.run_viewer.index_location import IndexLocation
from codegym_harness.run_viewer.run_folders import RunFolders
from codegym_harness.run_viewer.viewer_server import make_viewer_app

TOKEN = "a-token-of-the-viewer"
Get = Callable[..., Any]


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    """A client of a viewer of all runs in `runs` of the test's folder, with its token."""
    (tmp_path / "runs").mkdir(exist_ok=True)
    folders = RunFolders([tmp_path / "runs"], IndexLocation(tmp_path / "cache"))
    app = make_viewer_app(folders, TOKEN)
    headers = {"authorization": f"Bearer {TOKEN}"}
    with TestClient(app, base_url="http://127.0.0.1", headers=headers) as opened:
        yield opened
    folders.close()


@pytest.fixture
def get(client: TestClient) -> Get:
    """Requests data of the viewer, which must succeed."""

    def request(name: str, method: str = "GET", **parameters: Any) -> Any:
        response = client.request(method, f"/view/api/{name}", params=parameters)
        assert response.status_code == 200, response.text
        return response.json()

    return request
