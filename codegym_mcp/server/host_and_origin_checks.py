"""Checks where a request was meant to go and which page sent it, before any route sees it.

A web page can lead a browser to this server by pointing its own name here (DNS rebinding), or send requests
across origins. Requests that name a host which is not this server's, or that come from a page of another
origin, are therefore refused.
"""

from collections.abc import Sequence
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from codegym_mcp.loopback_addresses import is_loopback
from codegym_mcp.server.error_responses import error_response
from codegym_mcp.server.http_options import HttpOptions
from codegym_mcp.server.listeners import host_in_url

ANY = "*"
"""Allows every host or every origin."""

_LOOPBACK_NAMES = ("127.0.0.1", "localhost", "::1")
_REMEMBERED = 1000


def request_checks(options: HttpOptions, host: str | None) -> list[Middleware]:
    """Returns the middleware that checks Host and Origin of a request, before any route sees it."""
    guard = Middleware(
        RequestGuard,
        host=host,
        public_url=options.public_url,
        allowed_hosts=options.allowed_hosts,
        allowed_origins=options.allowed_origins,
    )
    if not options.allowed_origins:
        return [guard]
    cors = Middleware(
        CORSMiddleware,
        allow_origins=[ANY]
        if ANY in options.allowed_origins
        else [normalize_origin(origin) for origin in options.allowed_origins],
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=["*"],
        expose_headers=[
            "mcp-session-id",
            "mcp-protocol-version",
            "www-authenticate",
            "link",
            "x-total-count",
        ],
        allow_private_network=True,
    )
    return [guard, cors]


class RequestGuard:
    """ASGI middleware that checks Host and Origin and normalizes the path.

    A trailing slash and the prefix of the public URL are removed from the path, so that both spellings of an
    address are served without a redirect, whether or not a proxy removes the prefix.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        host: str | None,
        public_url: str | None,
        allowed_hosts: Sequence[str],
        allowed_origins: Sequence[str],
    ) -> None:
        """
        Args:
            host: the address that the server is bound to; None for a Unix socket, which no browser reaches.
            public_url: the address under which clients know the server.
            allowed_hosts: more names of the server, with or without a port.
            allowed_origins: origins whose pages may send requests.
        """
        public = urlsplit(public_url) if public_url else SplitResult("", "", "", "", "")
        self._app = app
        self._prefix = public.path.rstrip("/")
        self._checks_hosts = host is not None and ANY not in allowed_hosts
        self._loopback = host is None or is_loopback(host)
        names = {host_in_url(name) for name in (host or "", *_LOOPBACK_NAMES)}
        # Proxies name the host with the port of the public address, with another one, or with none.
        self._hosts = {name.lower() for name in (*names, _name(public.netloc), *allowed_hosts) if name}
        self._origins = {normalize_origin(origin) for origin in allowed_origins}
        if public.netloc:
            self._origins.add(normalize_origin(f"{public.scheme}://{public.netloc}"))
        self._known_hosts: set[bytes] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        host, origin = b"", b""
        for name, value in scope["headers"]:
            if name == b"host":
                host = value
            elif name == b"origin":
                origin = value
        if self._checks_hosts and host not in self._known_hosts and not self._is_own_host(host, scope):
            shown = host.decode("latin-1")[:100]
            response = error_response(
                421,
                f"The request was sent to the host {shown!r}, which is not a name of this server.",
                f"Start the server with --allow-host {_name(shown) or 'NAME'}; behind a proxy, with "
                "--public-url and the address under which clients reach the proxy.",
            )
        elif origin and not self._is_allowed_origin(origin.decode("latin-1"), host.decode("latin-1")):
            shown = origin.decode("latin-1")[:100]
            response = error_response(
                403,
                f"Pages of the origin {shown!r} may not use this server.",
                f"Start the server with --allow-origin {shown} if they may.",
            )
        else:
            scope["path"] = self._normalize(scope["path"])
            await self._app(scope, receive, send)
            return
        await response(scope, receive, send)

    def _normalize(self, path: str) -> str:
        if self._prefix and path.startswith(f"{self._prefix}/"):
            path = path[len(self._prefix) :]
        return path[:-1] if path.endswith("/") and path != "/" else path

    def _is_own_host(self, raw: bytes, scope: Scope) -> bool:
        host = raw.decode("latin-1").lower()
        if host in self._hosts or _name(host) in self._hosts:
            if len(self._known_hosts) < _REMEMBERED:
                self._known_hosts.add(raw)
            return True
        if not host:
            # Browsers always name a host; health checks of proxies may not.
            return bool(scope["path"] == "/health")
        return not self._loopback and _is_address_of(_name(host), scope)

    def _is_allowed_origin(self, origin: str, host: str) -> bool:
        origin = normalize_origin(origin)
        if origin in self._origins or ANY in self._origins:
            return True
        scheme, _, authority = origin.partition("://")
        if scheme not in ("http", "https") or not authority:
            return False
        return authority == host.lower() or (self._loopback and _name(authority) in self._hosts)


def normalize_origin(origin: str) -> str:
    """Returns an origin as browsers send it: in lower case, without a slash and without the usual port."""
    origin = origin.lower().rstrip("/")
    scheme, _, authority = origin.partition("://")
    usual = {"http": ":80", "https": ":443"}.get(scheme)
    return f"{scheme}://{authority.removesuffix(usual)}" if usual else origin


def _name(authority: str) -> str:
    """Returns a host without its port; IPv6 addresses keep their brackets."""
    if authority.startswith("["):
        return authority[: authority.find("]") + 1]
    return authority.partition(":")[0]


def _is_address_of(name: str, scope: Scope) -> bool:
    """Checks whether a host is the address on which the connection arrived.

    An address cannot be pointed elsewhere, as a name can.
    """
    server = scope.get("server")
    try:
        return server is not None and ip_address(name.strip("[]")) == ip_address(server[0])
    except ValueError:
        return False
