"""A process with a secret everywhere: `victim.py FOLDER`, with the secret in the variable SECRET.

It prints where the secret is, as JSON on one line, and runs until its input is closed.
"""

import ctypes
import json
import os
import socket
import sys
import threading
from pathlib import Path

FOLDER, SECRET = Path(sys.argv[1]), os.environ["SECRET"].encode()
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.shmat.restype = ctypes.c_void_p
ABSTRACT = f"codegym-victim-{os.getpid()}"
KEPT = ctypes.create_string_buffer(SECRET, 64)


def offer(family: int, address: object) -> socket.socket:
    """Sends the secret to everybody who connects."""
    listener = socket.socket(family)
    listener.bind(address)
    listener.listen(16)

    def serve() -> None:
        while True:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(SECRET)

    threading.Thread(target=serve, daemon=True).start()
    return listener


def talk() -> None:
    """Sends the secret over the loopback device all the time."""
    address = offer(socket.AF_INET, ("127.0.0.1", 0)).getsockname()
    while not stopped.wait(0.05):
        with socket.create_connection(address) as connection:
            connection.recv(256)


def share_memory() -> int:
    number = LIBC.shmget(0, 4096, 0o1600)
    ctypes.memmove(LIBC.shmat(number, None, 0), KEPT, 64)
    return number


def send_messages() -> int:
    queue = LIBC.msgget(0, 0o1600)
    message = ctypes.create_string_buffer((1).to_bytes(8, "little") + SECRET)
    LIBC.msgsnd(queue, message, len(SECRET), 0)
    return queue


def add_key(name: str) -> int:
    key = LIBC.syscall(248, b"user", name.encode(), SECRET, len(SECRET), ctypes.c_long(-4))
    LIBC.syscall(250, 5, key, 0x3F3F3F3F)
    return key


(FOLDER / "private").mkdir(mode=0o700)
(FOLDER / "victim").mkdir(mode=0o700)
(FOLDER / "victim" / "secret").write_bytes(SECRET)
os.chdir(FOLDER / "victim")
held = os.open("secret", os.O_RDONLY)
stopped = threading.Event()
offer(socket.AF_UNIX, "\0" + ABSTRACT)
offer(socket.AF_UNIX, str(FOLDER / "private" / "socket"))
threading.Thread(target=talk, daemon=True).start()
shared = Path("/dev/shm", ABSTRACT)
shared.write_bytes(SECRET)
told = {
    "victim": os.getpid(),
    "address": ctypes.addressof(KEPT),
    "descriptor": held,
    "abstract": ABSTRACT,
    "shared_file": ABSTRACT,
    "shared_memory": share_memory(),
    "message_queue": send_messages(),
    "key_name": ABSTRACT,
    "key": add_key(ABSTRACT),
}
print(json.dumps(told), flush=True)
sys.stdin.read()
stopped.set()
shared.unlink(missing_ok=True)
LIBC.shmctl(told["shared_memory"], 0, None)
LIBC.msgctl(told["message_queue"], 0, None)
