"""Commands that run a module of this project in another Python process."""

import json
import os
import sys
from pathlib import Path

_START = """
import json, runpy, sys
sys.path[:] = json.loads(sys.argv.pop(1))
runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)
"""


def python_command(module: str, *arguments: str) -> list[str]:
    """Returns the command that runs a module as `python -m` would, wherever the process is started.

    The process is isolated (`-I`): neither the working directory nor a `PYTHON…` variable changes what it
    imports. It imports from the same folders as this process, except the working directory.
    """
    folders = import_folders(module.partition(".")[0])
    return [sys.executable, "-I", "-c", _START, json.dumps(folders), module, *arguments]


def import_folders(package: str) -> list[str]:
    """Returns the folders that this process imports from, without its working directory.

    The folders of this project come last, so that no folder of a checkout replaces a library.

    Args:
        package: an imported package whose folder is added, besides that of `codegym_mcp`.
    """
    excluded = {"", os.path.abspath(os.curdir)}
    inherited = [path for path in sys.path if path not in excluded]
    ours = [
        str(Path(sys.modules[name].__path__[0]).resolve().parent)
        for name in ("codegym_mcp", package)
        if name in sys.modules
    ]
    return list(dict.fromkeys([*inherited, *ours]))
