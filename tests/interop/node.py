"""The programs that npm has installed beside these tests."""

import os
import subprocess
from pathlib import Path

_BIN = Path(__file__).with_name("node_modules") / ".bin"


def run_program(name: str, *arguments: str, seconds: float = 60) -> subprocess.CompletedProcess[str]:
    """Runs a program to its end, with the Node that was installed with it.

    Raises:
        subprocess.TimeoutExpired: it took longer than that.
    """
    path = os.pathsep.join([str(_BIN), os.environ["PATH"]])
    return subprocess.run(
        [_BIN / name, *arguments],
        env={**os.environ, "PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
