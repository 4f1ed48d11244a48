"""The HTTP connections to a model server: many at the same time, and each reused."""

import ssl
from collections.abc import AsyncIterator, Callable
from importlib.util import find_spec
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx2

from codegym_mcp.errors import MissingExtraError, ModelAccessError
from codegym_mcp.loopback_addresses import is_this_machine


def open_connections(url: str) -> httpx2.AsyncBaseTransport | None:
    """Returns a transport to a server, or None if the HTTP client must use a proxy of the environment.

    This machine is never reached through a proxy.

    Raises:
        MissingExtraError: the proxy is a SOCKS proxy, and the package for it is not installed.
        ModelAccessError: the environment variable contains no address of a proxy.
    """
    parts = urlsplit(url)
    proxy = _proxy_of(url)
    if proxy:
        _check_proxy(proxy)
        return None
    context = (
        httpx2.create_ssl_context() if parts.scheme == "https" else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    )
    return ReusedConnections(
        lambda: httpx2.AsyncHTTPTransport(
            verify=context, limits=httpx2.Limits(max_connections=1, keepalive_expiry=60.0)
        )
    )


def check_proxies() -> None:
    """Checks every proxy of the environment: a package's own HTTP client opens all of them at once.

    Raises:
        MissingExtraError, ModelAccessError: see `open_connections`.
    """
    proxies = getproxies()
    for address in filter(None, map(proxies.get, ("http", "https", "all"))):
        _check_proxy(address)


def proxy_address(url: str) -> str:
    """Returns the proxy to a server, without user and password; an empty text if there is none."""
    address = _proxy_of(url)
    before, at, host = address.rpartition("@")
    scheme = f"{before.partition('://')[0]}://" if "://" in before else ""
    return scheme + host if at else address


def _proxy_of(url: str) -> str:
    parts = urlsplit(url)
    host = parts.hostname or ""
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all", "")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if not proxy or is_this_machine(host) or proxy_bypass(f"{host}:{port}") or _is_in_excluded_network(host):
        return ""
    return proxy


def _is_in_excluded_network(host: str) -> bool:
    """Checks whether NO_PROXY names a network, such as 10.0.0.0/8, that contains an address."""
    try:
        address = ip_address(host)
    except ValueError:
        return False
    for name in getproxies().get("no", "").split(","):
        try:
            if "/" in name and address in ip_network(name.strip(), strict=False):
                return True
        except ValueError:
            continue
    return False


def _check_proxy(address: str) -> None:
    parts = urlsplit(address if "://" in address else f"http://{address}")
    if parts.scheme not in ("http", "https", "socks5", "socks5h") or not parts.hostname:
        raise ModelAccessError(
            f"The environment names a proxy of the kind {parts.scheme!r}, which cannot be used.",
            hint="Set HTTP_PROXY, HTTPS_PROXY or ALL_PROXY to one such as http://proxy:3128, or unset it.",
        )
    if parts.scheme.startswith("socks") and find_spec("socksio") is None:
        raise MissingExtraError("A SOCKS proxy", "pip install 'httpx2[socks]'")


class ReusedConnections(httpx2.AsyncBaseTransport):
    """A transport with one connection for each request under way, kept for later requests.

    The default pool examines each idle connection before and after each request. With 64 connections that is
    a fifth of the processor time of an evaluation.
    """

    def __init__(self, create: Callable[[], httpx2.AsyncBaseTransport]) -> None:
        self._create = create
        self._idle: list[httpx2.AsyncBaseTransport] = []

    @property
    def idle(self) -> int:
        """Number of connections that no request uses."""
        return len(self._idle)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        transport = self._idle.pop() if self._idle else self._create()
        try:
            response = await transport.handle_async_request(request)
        except BaseException:
            # Also the connection of a cancelled request can be used again.
            self._idle.append(transport)
            raise
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = _ObservedStream(response.stream, lambda: self._idle.append(transport))
        return response

    async def aclose(self) -> None:
        while self._idle:
            await self._idle.pop().aclose()


class _ObservedStream(httpx2.AsyncByteStream):
    """A stream that calls a function once when it is closed."""

    def __init__(self, stream: httpx2.AsyncByteStream, on_close: Callable[[], object]) -> None:
        self._stream = stream
        self._on_close: Callable[[], object] | None = on_close

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._stream:
            yield part

    async def aclose(self) -> None:
        on_close, self._on_close = self._on_close, None
        try:
            await self._stream.aclose()
        finally:
            if on_close is not None:
                on_close()
