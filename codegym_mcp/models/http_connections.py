"""The connections to a model's server, of which a run keeps many."""

import ssl
from collections.abc import AsyncIterator, Callable
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx2


def connections_to(url: str) -> httpx2.AsyncBaseTransport | None:
    """How to reach a server; None where the way is a proxy's, which is for the HTTP client to take."""
    parts = urlsplit(url)
    proxies = getproxies()
    if (parts.scheme in proxies or "all" in proxies) and not proxy_bypass(parts.hostname or ""):
        return None
    context = (
        httpx2.create_ssl_context() if parts.scheme == "https" else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    )
    return SpareConnections(
        lambda: httpx2.AsyncHTTPTransport(
            verify=context, limits=httpx2.Limits(max_connections=1, keepalive_expiry=60.0)
        )
    )


class SpareConnections(httpx2.AsyncBaseTransport):
    """A transport with a connection for each request under way, which is kept for a later one.

    The pool that it stands in for looks at each idle connection before each request and after it: at 64 of
    them, a fifth of all that an evaluation does.
    """

    def __init__(self, make: Callable[[], httpx2.AsyncBaseTransport]) -> None:
        self._make = make
        self._spare: list[httpx2.AsyncBaseTransport] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        transport = self._spare.pop() if self._spare else self._make()
        try:
            response = await transport.handle_async_request(request)
        except BaseException:
            self._spare.append(transport)
            raise
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = _Watched(response.stream, lambda: self._spare.append(transport))
        return response

    async def aclose(self) -> None:
        while self._spare:
            await self._spare.pop().aclose()


class _Watched(httpx2.AsyncByteStream):
    """A stream that tells when it is closed."""

    def __init__(self, stream: httpx2.AsyncByteStream, closed: Callable[[], object]) -> None:
        self._stream = stream
        self._closed: Callable[[], object] | None = closed

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._stream:
            yield part

    async def aclose(self) -> None:
        closed, self._closed = self._closed, None
        try:
            await self._stream.aclose()
        finally:
            if closed is not None:
                closed()
