"""A process that runs environment code without confinement, started by `spawned_processes`."""

import json
import os
import random
import socket
import sys
import warnings

from codegym_mcp.sandbox.language.allowed_modules import import_allowed
from codegym_mcp.sandbox.language.guarded_builtins import make_namespace
from codegym_mcp.sandbox.process.confined_process_main import serve
from codegym_mcp.sandbox.process.message_frames import FrameChannel


def main() -> None:
    """Connects to the server that is named on the standard input, and serves one role."""
    start = json.loads(sys.stdin.buffer.read())
    os.environ.clear()
    import_allowed()
    warnings.simplefilter("ignore")
    random.seed(0)
    with socket.create_connection(("127.0.0.1", start["port"])) as connection:
        connection.sendall(start["secret"].encode())
        serve(FrameChannel(connection), make_namespace())


if __name__ == "__main__":
    main()
