"""Which hosts and origins the server answers, at which addresses, and what it tells browsers."""

from typing import Any

import pytest

from codegym_mcp.sandbox.process.pool import SandboxPool

from .serving import ENVIRONMENTS, Server, http_server
from .test_http_application import Wire

TWO = (ENVIRONMENTS / "safe.py", ENVIRONMENTS / "fragile.py")
ORIGIN = "https://page.example"


async def open_episode(server: Server, **headers: str) -> Any:
    async with server.control() as control:
        return await control.post("/episodes", json={"environment": "safe"}, headers=headers)


@pytest.mark.parametrize("path", ["/environments", "/episodes", "/episodes/x", "/mcp", "/health"])
async def test_a_foreign_host_is_refused_at_every_address(http: Server, path: str) -> None:
    async with http.control() as control:
        response = await control.get(path, headers={"host": "evil.example:8000"})
    assert response.status_code == 421
    error = response.json()["error"]
    assert "'evil.example:8000', which is not a name of this server" in error["message"]
    assert "--allow-host evil.example" in error["hint"]
    assert "--public-url" in error["hint"]


@pytest.mark.parametrize(
    "host", ["codegym.example", "codegym.example:81", "CODEGYM.example", "one.example:7"]
)
async def test_allowed_hosts_are_answered_with_any_port_unless_they_name_one(
    pool: SandboxPool, host: str
) -> None:
    allowed = ("codegym.example", "one.example:7")
    async with http_server(pool, allowed_hosts=allowed) as server:
        opened = await open_episode(server, host=host)
        assert opened.json()["mcp_url"].lower().startswith(f"http://{host}/episodes/".lower())
        assert (await open_episode(server, host="one.example:8")).status_code == 421
        assert (await open_episode(server, host="sub.codegym.example")).status_code == 421


async def test_beyond_loopback_the_address_of_the_connection_is_answered(pool: SandboxPool) -> None:
    async with http_server(pool, named="0.0.0.0") as server:
        assert (await open_episode(server)).status_code == 201
        for host in ("10.1.2.3", "10.1.2.3:80", "evil.example", "127.0.0.1.evil.example", "[::2]"):
            assert (await open_episode(server, host=host)).status_code == 421


async def test_every_host_can_be_allowed(pool: SandboxPool) -> None:
    async with http_server(pool, allowed_hosts=("*",)) as server:
        assert (await open_episode(server, host="any.example")).status_code == 201


@pytest.mark.parametrize("prefix", ["", "/", "/codegym", "/a/b/"])
async def test_a_public_url_is_handed_out_and_served_with_and_without_its_prefix(
    pool: SandboxPool, prefix: str
) -> None:
    public = f"https://gym.example{prefix}"
    async with http_server(pool, public_url=public) as server:
        opened = await open_episode(server)
        address = opened.json()["mcp_url"]
        assert address.startswith(f"{public.rstrip('/')}/episodes/")
        path = address.removeprefix("https://gym.example")
        wire = Wire("modern", server, "")
        headers = {**wire.headers(), "host": "gym.example", "origin": "https://gym.example"}
        for served in (path, path.removeprefix(prefix.rstrip("/"))):
            wire.url = f"{server.url}{served}"
            response = await wire.post(headers, json=wire.body(name="look", arguments={}))
            assert response.status_code == 200
        async with server.client() as client:
            assert (await client.get(f"{prefix.rstrip('/')}/health")).status_code == 200


async def test_both_spellings_of_a_trailing_slash_are_served_without_a_redirect(http: Server) -> None:
    episode = await http.open()
    for slash in ("", "/"):
        async with http.control() as control:
            for path in ("/health", "/environments", "/episodes", f"/episodes/{episode.id}"):
                assert (await control.get(f"{path}{slash}")).status_code == 200
            opened = await control.post(f"/episodes{slash}", json={"environment": "safe"})
            assert opened.status_code == 201
        for url, arguments in (
            (http.url_of(episode), {"name": "look", "arguments": {}}),
            (f"{http.url}/mcp", {"name": "list_environments", "arguments": {}}),
        ):
            wire = Wire("modern", http, f"{url}{slash}")
            response = await wire.post(wire.headers(name=str(arguments["name"])), json=wire.body(**arguments))
            assert response.status_code == 200
            assert '"isError":true' not in response.text


# --- pages of other origins


def preflight(method: str = "POST", headers: str = "authorization, content-type") -> dict[str, str]:
    return {
        "origin": ORIGIN,
        "access-control-request-method": method,
        "access-control-request-headers": headers,
    }


async def paths(server: Server) -> list[str]:
    episode = await server.open()
    return ["/environments", "/episodes", f"/episodes/{episode.id}", f"/episodes/{episode.token}/mcp", "/mcp"]


async def test_a_page_of_an_allowed_origin_may_send_requests_and_read_responses(pool: SandboxPool) -> None:
    async with http_server(pool, allowed_origins=(ORIGIN,)) as server, server.client() as page:
        for path in await paths(server):
            asked = await page.options(path, headers=preflight(headers="authorization, mcp-method, x-y"))
            assert asked.status_code == 200, path
            assert asked.headers["access-control-allow-origin"] == ORIGIN
            assert "POST" in asked.headers["access-control-allow-methods"]
            assert "mcp-method" in asked.headers["access-control-allow-headers"]
            response = await page.get(path, headers={"origin": ORIGIN})
            assert response.headers["access-control-allow-origin"] == ORIGIN, "also on errors"
            assert "Origin" in response.headers["vary"]
        opened = await open_episode(server, origin=ORIGIN)
        assert opened.status_code == 201
        assert opened.headers["access-control-allow-origin"] == ORIGIN
        refused = await page.options("/episodes", headers={**preflight(), "origin": "https://evil.example"})
        assert refused.status_code == 403
        assert "access-control-allow-origin" not in refused.headers


async def test_without_an_allowed_origin_no_page_may_read_responses(http: Server) -> None:
    async with http.client() as page:
        for path in await paths(http):
            refused = await page.options(path, headers=preflight())
            assert refused.status_code == 403
            assert "--allow-origin https://page.example" in refused.json()["error"]["hint"]
            response = await page.get(path, headers={"origin": "http://localhost:3000"})
            assert "access-control-allow-origin" not in response.headers


async def test_every_origin_can_be_allowed(pool: SandboxPool) -> None:
    async with http_server(pool, allowed_origins=("*",)) as server:
        for origin in ("null", ORIGIN):
            opened = await open_episode(server, origin=origin)
            assert opened.status_code == 201
            assert opened.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    "written", ["https://Page.EXAMPLE", "https://page.example/", "https://page.example:443"]
)
async def test_an_origin_is_allowed_however_it_is_written(pool: SandboxPool, written: str) -> None:
    async with http_server(pool, allowed_origins=(written,)) as server:
        opened = await open_episode(server, origin=ORIGIN)
        assert opened.status_code == 201
        assert opened.headers["access-control-allow-origin"] == ORIGIN


@pytest.mark.parametrize(
    "public", ["https://gym.example:8443/x", "https://gym.example", "https://gym.example:443"]
)
@pytest.mark.parametrize("host", ["gym.example", "gym.example:8443", "GYM.example:443", "127.0.0.1:8000"])
async def test_a_proxy_may_name_the_public_host_with_any_port(
    pool: SandboxPool, public: str, host: str
) -> None:
    async with http_server(pool, public_url=public) as server:
        opened = await open_episode(
            server, host=host, origin="https://gym.example" if ":8443" not in public else ""
        )
        assert opened.status_code == 201
        assert opened.json()["mcp_url"].startswith(f"{public}/episodes/")


async def test_the_next_page_has_the_public_address_too(pool: SandboxPool) -> None:
    public = "https://gym.example/a"
    async with http_server(pool, paths=TWO, public_url=public) as server, server.control() as control:
        response = await control.get("/environments?limit=1&search=")
        assert response.links["next"]["url"] == f"{public}/environments?limit=1&search=&offset=1"


async def test_without_a_public_address_the_next_page_is_where_the_request_was_sent(
    pool: SandboxPool,
) -> None:
    async with http_server(pool, paths=TWO) as server, server.control() as control:
        response = await control.get("/environments/?limit=1", headers={"host": "localhost:1"})
        assert response.links["next"]["url"] == "http://localhost:1/environments?limit=1&offset=1"
        last = await control.get("/environments?limit=1&offset=1")
        assert "link" not in last.headers
