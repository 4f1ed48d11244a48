"""HTTP/1.1 connections that are kept open, with as little work for a request as possible.

For calls by the thousand, where a general client would cost more than all else that a call takes.
"""

import asyncio
from functools import partial
from ssl import SSLContext
from typing import cast

import httptools


class HttpLines:
    """Lines to one server: for each request one that is free, so that none waits for another."""

    def __init__(self, host: str, port: int, *, ssl: SSLContext | None = None) -> None:
        self._make = partial(HttpLine, host, port, ssl=ssl)
        self._free: list[HttpLine] = []

    async def send(self, request: bytes, seconds: float) -> tuple[int, bytes]:
        """Sends a request and awaits its answer; see `HttpLine.send`."""
        line = self._free.pop() if self._free else self._make()
        try:
            return await line.send(request, seconds)
        finally:
            self._free.append(line)

    def close(self) -> None:
        """Closes all lines that are free."""
        for line in self._free:
            line.close()


class HttpLine:
    """A line to a server, for one request at a time.

    It is opened when it is first used, and again where the server has closed it.
    """

    def __init__(self, host: str, port: int, *, ssl: SSLContext | None = None) -> None:
        self._host = host
        self._port = port
        self._ssl = ssl
        self._answers: _Answers | None = None

    async def send(self, request: bytes, seconds: float) -> tuple[int, bytes]:
        """Sends a request and awaits its answer. What fails on a line that was used before is sent once more.

        A server may close an idle line just when the next request is on its way: only send what may arrive
        twice.

        Args:
            request: with all its headers, its length among them.
            seconds: how long the answer may take.

        Returns:
            The status and the body.

        Raises:
            OSError: the server cannot be reached, broke the line off, or speaks no HTTP.
            TimeoutError: there was no answer in time; an `OSError` too.
        """
        if self._answers is not None and self._answers.usable:
            try:
                return await self._answers.to(request, seconds)
            except TimeoutError:
                raise
            except OSError:
                pass
        loop = asyncio.get_running_loop()
        _, self._answers = await loop.create_connection(
            lambda: _Answers(loop), self._host, self._port, ssl=self._ssl
        )
        return await self._answers.to(request, seconds)

    def close(self) -> None:
        """Closes the line; it may be used again."""
        if self._answers is not None:
            self._answers.hang_up()


class _Answers(asyncio.Protocol):
    """Reads what the server answers.

    Attributes:
        usable: whether a request can be sent.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.usable = False
        self._loop = loop
        self._transport: asyncio.Transport
        self._parser = httptools.HttpResponseParser(self)
        self._body: list[bytes] = []
        self._awaited: asyncio.Future[tuple[int, bytes]] | None = None

    async def to(self, request: bytes, seconds: float) -> tuple[int, bytes]:
        """The answer to a request."""
        self._awaited = self._loop.create_future()
        late = self._loop.call_later(
            seconds, self._fail, TimeoutError(f"there was no answer in {seconds:g} seconds")
        )
        try:
            self._transport.write(request)
            return await self._awaited
        except BaseException:
            # Whatever comes of the request now must not be taken for the answer to the next.
            self.hang_up()
            raise
        finally:
            late.cancel()
            self._awaited = None

    def hang_up(self) -> None:
        self.usable = False
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.usable = True

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(ConnectionError(f"the server speaks no HTTP: {error}"))
            self.hang_up()

    def connection_lost(self, exc: Exception | None) -> None:
        self.usable = False
        self._fail(ConnectionResetError("the server closed the connection"))

    def _fail(self, error: OSError) -> None:
        if self._awaited is not None and not self._awaited.done():
            self._awaited.set_exception(error)

    # --- what the parser calls

    def on_message_begin(self) -> None:
        self._body = []

    def on_body(self, data: bytes) -> None:
        self._body.append(data)

    def on_message_complete(self) -> None:
        if not self._parser.should_keep_alive():
            self.usable = False
        if self._awaited is not None and not self._awaited.done():
            self._awaited.set_result((self._parser.get_status_code(), b"".join(self._body)))
