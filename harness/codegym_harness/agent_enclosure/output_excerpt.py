"""The beginning and the end of an output that may be long."""

from anyio.abc import ByteReceiveStream

OUTPUT_KEPT = 64 * 1024
"""Bytes of an output that are kept."""


class OutputExcerpt:
    """Collects an output, without the middle of a long one."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._tail = bytearray()
        self._dropped = 0

    async def read(self, stream: ByteReceiveStream) -> None:
        """Reads a stream to its end."""
        async for part in stream:
            self._add(part)

    def _add(self, part: bytes) -> None:
        half = OUTPUT_KEPT // 2
        room = half - len(self._head)
        self._head += part[:room]
        self._tail += part[room:]
        excess = len(self._tail) - half
        if excess > 0:
            self._dropped += excess
            del self._tail[:excess]

    @property
    def text(self) -> str:
        """The text so far, with a note where bytes are missing."""
        note = f"\n[… {self._dropped} bytes left out …]\n".encode() if self._dropped else b""
        return (self._head + note + self._tail).decode(errors="replace")
