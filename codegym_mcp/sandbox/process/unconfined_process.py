"""A process that runs environment code without confinement, started by `spawned_processes`."""

import os
import random
import sys
import warnings

from codegym_mcp.sandbox.language.allowed_modules import import_allowed
from codegym_mcp.sandbox.language.guarded_builtins import make_namespace
from codegym_mcp.sandbox.process.confined_process_main import serve
from codegym_mcp.sandbox.process.loopback_connection import LoopbackAddress, connect
from codegym_mcp.sandbox.process.message_frames import FrameChannel


def main() -> None:
    """Connects to the server that is named on the standard input, and serves one role."""
    address = LoopbackAddress.model_validate_json(sys.stdin.buffer.read())
    os.environ.clear()
    import_allowed()
    warnings.simplefilter("ignore")
    random.seed(0)
    with connect(address) as connection:
        serve(FrameChannel(connection), make_namespace())


if __name__ == "__main__":
    main()
