"""HTTP connections whose bytes and seconds are bounded before the application sees a request.

uvicorn's own protocol bounds only the time between two requests.
"""

import asyncio
import os
from typing import Any, cast

import httptools
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from codegym_mcp.server.connection_limits import ConnectionRegistry, Phase
from codegym_mcp.server.request_scheduling import KNOWN_SENDER

MAX_HEAD_BYTES = 32 * 1024
"""Bytes of a request's line and headers, trailers included."""
MAX_FIELDS = 200
"""Header fields of a request: many small ones cost far more time than their bytes."""
_MAX_CHUNKS = 2_000
"""Chunks of one body: many small ones cost far more time than their bytes, and are parsed as they arrive."""
_MIN_PART_BYTES = 256
"""Several requests that arrive together are parsed in parts of at least this size."""
_MAX_DISCARDED_BYTES = 4 << 20
"""Bytes of a body that are read after its request was answered."""
CONNECTION = "codegym_mcp.connection"
"""Key of a request's scope: the connection that it arrived on."""
_UPGRADE_HEADERS = frozenset({b"connection", b"upgrade", b"http2-settings"})
_RESPONSES = {
    400: b"Bad Request",
    408: b"Request Timeout",
    413: b"Content Too Large",
    431: b"Request Header Fields Too Large",
    503: b"Service Unavailable",
}


class _QuietTransport:
    """A transport that ignores what is written after its connection was closed.

    A response may be complete only after its client has disconnected; uvloop raises an error then.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.is_closing = transport.is_closing

    def write(self, data: bytes) -> None:
        """Writes, unless the connection is closed or closes."""
        if not self.is_closing():
            self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class BoundedHttpProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol with bounds on what is read before the application sees the request.

    Attributes:
        address: the client's address; empty for a Unix socket.
        phase: what the connection waits for.
        since: when the phase began, in seconds of the loop's clock.
        known: whether a request with an episode's address or a valid token was answered on it.
    """

    def __init__(self, registry: ConnectionRegistry, *, received: bytes = b"", **arguments: Any) -> None:
        """
        Args:
            received: what another process has received on the connection, before this one reads from it.
        """
        super().__init__(**arguments)
        self._registry = registry
        self._received_before = received
        self._head_bytes = 0
        self._head_begun = False
        self._completed = False
        self._header_bytes = 0
        self._fields = 0
        self._chunks = 0
        self._discarded = 0
        self._refusal: tuple[int, str] | None = None
        self._counted = False
        self._active: RequestResponseCycle | None = None
        self._unparsed = b""
        self._parsed = 0
        self.address = ""
        self.phase = Phase.HEAD
        self.since = 0.0
        self.known = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(cast(asyncio.Transport, _QuietTransport(transport)))
        self.address = self.client[0] if self.client else ""
        self._counted = True
        if not self._registry.add(self):
            self.refuse(503, "The server has too many connections.")
            return
        self._enter(Phase.HEAD)
        if self._received_before:
            received, self._received_before = self._received_before, b""
            self.data_received(received)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._counted:
            self._counted = False
            self._registry.remove(self)

    def abort(self) -> None:
        """Closes the connection at once and frees its descriptor."""
        self._registry.stop_waiting(self)
        self.transport.abort()

    def refuse(self, status: int, message: str) -> None:
        """Closes the connection with an error response, unless another response was begun."""
        self._registry.report(message)
        self._registry.stop_waiting(self)
        if self.transport.is_closing():
            return
        if self._active is None or self._active.response_complete or not self._active.response_started:
            body = message.encode()
            self.transport.write(
                b"HTTP/1.1 %d %b\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\n"
                b"connection: close\r\n\r\n%b" % (status, _RESPONSES[status], len(body), body)
            )
        self.transport.close()

    def detach(self) -> int | None:
        """Gives up the connection within a request whose body was read and whose response has not begun.

        Returns:
            A descriptor of the connection, on which another process can serve the request; None if the client
            has closed the connection, or has sent a part of its next request already.
        """
        transport = self.transport
        if transport.is_closing() or self._active is None:
            return None
        transport.pause_reading()
        if self.pipeline or self._unparsed or self._head_begun or transport.get_write_buffer_size():
            transport.resume_reading()
            return None
        descriptor = os.dup(transport.get_extra_info("socket").fileno())
        # The application ends without a response.
        self._active.disconnected = True
        self.abort()
        return descriptor

    def _last_cycle(self) -> RequestResponseCycle | None:
        """The last request and its response, or None before the first request."""
        return self.cycle

    def _enter(self, phase: Phase) -> None:
        if self.phase is not Phase.RESPONSE:
            # A connection that begins another phase of waiting goes to the end of the order.
            self._registry.stop_waiting(self)
        self.phase = phase
        if phase is not Phase.RESPONSE:
            self.since = self.loop.time()
            self._registry.start_waiting(self)

    def _in_progress(self) -> bool:
        """Checks whether a request was begun whose body or response is not complete."""
        cycle = self._last_cycle()
        return bool(self.pipeline) or (cycle is not None and (cycle.more_body or not cycle.response_complete))

    def _update_phase(self) -> None:
        """Enters the phase that follows from what was read and answered so far."""
        if not self._in_progress():
            phase = Phase.HEAD if self._head_begun else Phase.IDLE
        elif self.cycle.more_body and not self.pipeline:
            phase = Phase.BODY
        else:
            phase = Phase.RESPONSE
        if phase is not self.phase:
            self._enter(phase)

    # --- what the client sends

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        if not self.pipeline and data.count(b"\r\n\r\n") < 2:
            self._receive(data)
            return
        self._unparsed, self._parsed = self._unparsed[self._parsed :] + data, 0
        self._receive_unparsed()

    def _receive_unparsed(self) -> None:
        """Parses what has arrived up to a request that waits for the response before it.

        The rest stays unparsed, so that a client which sends very many requests at once costs no time.
        """
        while self._parsed < len(self._unparsed) and not self.pipeline and not self.transport.is_closing():
            end = self._unparsed.find(b"\r\n\r\n", self._parsed + _MIN_PART_BYTES)
            part = self._unparsed[self._parsed : end + 4 if end >= 0 else None]
            self._parsed += len(part)
            self._receive(part)
        if self._parsed < len(self._unparsed):
            self.flow.pause_reading()
        else:
            self._unparsed, self._parsed = b"", 0

    def _receive(self, data: bytes) -> None:
        begun, self._completed = self._head_begun, False
        try:
            self._parse(data)
        except httptools.HttpParserError:
            self.refuse(*(self._refusal or (400, "The request is not valid HTTP.")))
            return
        if not self._head_begun and not self._completed and not self._in_progress():
            # Empty lines before a request: the time for its headers counts from now on.
            self._head_begun = True
        if self._head_begun and (begun or not self._completed):
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self.refuse(*_HEAD_TOO_LARGE)
                return
        self._update_phase()

    def _parse(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if self.parser.get_method() == b"CONNECT":
                self._refusal = (400, "The server is not a proxy.")
                raise httptools.HttpParserError from None
            # The client offers another protocol, and the parser ends before the body. The
            # offer is declined: the request is parsed again as if it had not been made.
            head = self._head_without_upgrade()
            self.parser = httptools.HttpRequestParser(self)
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
            self._parse(head + data[upgrade.args[0] :])

    def _head_without_upgrade(self) -> bytes:
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        lines = [b"%b %b HTTP/%b" % (method, self.url, version)]
        lines += [b"%b: %b" % (name, value) for name, value in self.headers if name not in _UPGRADE_HEADERS]
        return b"\r\n".join([*lines, b"", b""])

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_begun = True
        self._header_bytes = self._fields = self._chunks = self._discarded = 0

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._header_bytes += len(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_bytes += len(name) + len(value) + 4
        self._fields += 1
        if self._header_bytes > MAX_HEAD_BYTES or self._fields > MAX_FIELDS:
            self._refusal = _HEAD_TOO_LARGE
            raise ValueError("too much before the body")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self.parser.should_upgrade():
            return
        self._head_bytes = 0
        self._head_begun = False
        cast(dict[str, Any], self.scope)[CONNECTION] = self
        super().on_headers_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._active = cycle
        super()._start_asgi_task(cycle, app)

    def on_chunk_header(self) -> None:
        self._chunks += 1
        if self._chunks > _MAX_CHUNKS:
            self._refusal = (413, f"The body has more than {_MAX_CHUNKS} chunks.")
            raise ValueError("too many chunks")

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        if self.cycle.response_complete:
            self._discarded += len(body)
            if self._discarded > _MAX_DISCARDED_BYTES:
                self._registry.report("closed, since the body went on after the response")
                self.abort()

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade():
            return
        super().on_message_complete()
        self._completed = True
        # Also if the response was sent before the body was complete.
        self.cycle.more_body = False

    def on_response_complete(self) -> None:
        if not self.known and self._active is not None:
            self.known = cast(dict[str, Any], self._active.scope).get(KNOWN_SENDER, False)
        super().on_response_complete()
        if self.transport.is_closing():
            return
        self._update_phase()
        if self._unparsed:
            self._unset_keepalive_if_required()
            self._receive_unparsed()

    # --- what the client does not read

    def pause_writing(self) -> None:
        super().pause_writing()
        self._registry.set_unread(self, True)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._registry.set_unread(self, False)


_HEAD_TOO_LARGE = (
    431,
    f"The request's line and headers have more than {MAX_HEAD_BYTES} bytes or {MAX_FIELDS} fields.",
)
