"""A network of its own for an agent program, where only sockets of the harness can be reached."""

import socket
import struct
import sys
from collections.abc import Sequence

if sys.platform != "win32":
    import fcntl

_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1


def listen_for(ports: Sequence[int], harness: int) -> None:
    """Opens a listening socket for each port of the loopback address and sends them to the harness.

    The sockets stay in the network namespace of this process, also when the harness accepts connections.

    Args:
        harness: descriptor of a Unix socket.

    Raises:
        OSError: the loopback device cannot be used here.
    """
    start_loopback()
    with socket.socket(fileno=harness) as channel:
        for port in ports:
            with socket.socket() as listener:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind(("127.0.0.1", port))
                listener.listen(socket.SOMAXCONN)
                socket.send_fds(channel, [struct.pack("=I", port)], [listener.fileno()])


def receive_listener(channel: socket.socket) -> tuple[int, socket.socket] | None:
    """Receives a port and its listening socket; None if no more will come.

    Raises:
        BlockingIOError: none has arrived yet, and the channel does not block.
    """
    data, descriptors, _, _ = socket.recv_fds(channel, 4, 1)
    if not descriptors:
        return None
    return struct.unpack("=I", data)[0], socket.socket(fileno=descriptors[0])


def listening_ports() -> list[int]:
    """Returns the TCP ports that processes of this machine listen on at 127.0.0.1 or at every address."""
    with open("/proc/net/tcp", encoding="ascii") as lines:
        rows = [line.split() for line in lines][1:]
    addresses = [row[1].split(":") for row in rows if row[3] == "0A"]
    return sorted({int(port, 16) for address, port in addresses if address in ("00000000", "0100007F")})


def start_loopback() -> None:
    """Starts the loopback device of a new network namespace; raises OSError."""
    with socket.socket() as any_socket:
        request = struct.pack("16sH22x", b"lo", 0)
        flags = struct.unpack("16sH22x", fcntl.ioctl(any_socket, _SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", flags | _IFF_UP))
